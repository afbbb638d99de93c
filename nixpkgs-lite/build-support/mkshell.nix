# An environment to work in instead of a package: what nix-shell and the images of
# dockerTools.streamNixShellImage make of it. Built, it is a list of its variables.
{ lib, stdenv }:
{
  name ? "nix-shell",
  packages ? [ ],
  # Packages whose inputs are wanted, not they themselves.
  inputsFrom ? [ ],
  ...
}@args:
let
  inputs =
    kind:
    args.${kind} or [ ]
    ++ lib.concatMap (p: lib.filter (x: !lib.elem x inputsFrom) (lib.flatten (p.${kind} or [ ]))) inputsFrom;
in
stdenv.mkDerivation (
  {
    preferLocalBuild = true;
  }
  // removeAttrs args [ "packages" "inputsFrom" ]
  // {
    inherit name;
    buildInputs = inputs "buildInputs";
    nativeBuildInputs = packages ++ inputs "nativeBuildInputs";
    propagatedBuildInputs = inputs "propagatedBuildInputs";
    propagatedNativeBuildInputs = inputs "propagatedNativeBuildInputs";
    shellHook = lib.concatStringsSep "\n" (
      lib.filter (hook: hook != "") (map (p: p.shellHook or "") (lib.reverseList inputsFrom ++ [ args ]))
    );
    # It names the tools of a build, which packages must not.
    allowToolchainReferences = true;
    buildCommand = args.buildCommand or ''
      export > $out
    '';
  }
)
