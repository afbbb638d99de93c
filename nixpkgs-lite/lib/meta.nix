# What is known about a package beside how it is built.
{ lib }:
rec {
  addMetaAttrs =
    new: drv:
    if drv ? overrideAttrs then
      drv.overrideAttrs (old: { meta = (old.meta or { }) // new; })
    else
      drv // { meta = (drv.meta or { }) // new; };
  setName = name: drv: drv.overrideAttrs (_: { inherit name; });
  setPrio = priority: addMetaAttrs { inherit priority; };
  lowPrio = setPrio 10;
  hiPrio = setPrio (-10);
  # The program that `nix run` would start.
  getExe =
    pkg:
    getExe' pkg (pkg.meta.mainProgram or (lib.getName pkg));
  getExe' = pkg: program: "${lib.getBin pkg}/bin/${program}";
  availableOn = platform: pkg: lib.elem platform.system (pkg.meta.platforms or [ platform.system ]);
}
