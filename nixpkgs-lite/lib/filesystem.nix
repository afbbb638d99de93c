# What lies in folders.
{ lib }:
rec {
  pathType = path: (builtins.readDir (dirOf path)).${baseNameOf path};
  pathIsDirectory = path: builtins.pathExists path && pathType path == "directory";
  pathIsRegularFile = path: builtins.pathExists path && pathType path == "regular";
  # Every file below a folder that is not a folder itself.
  listFilesRecursive =
    dir:
    lib.concatLists (
      lib.mapAttrsToList (
        name: type: if type == "directory" then listFilesRecursive (dir + "/${name}") else [ (dir + "/${name}") ]
      ) (builtins.readDir dir)
    );
  # {name}.nix and {name}/package.nix below a folder, called.
  packagesFromDirectory =
    { callPackage, directory }:
    lib.concatMapAttrs (
      name: type:
      let
        path = directory + "/${name}";
      in
      if type == "directory" && builtins.pathExists (path + "/package.nix") then
        { ${name} = callPackage (path + "/package.nix") { }; }
      else if type == "directory" then
        { ${name} = packagesFromDirectory { inherit callPackage; directory = path; }; }
      else if lib.hasSuffix ".nix" name then
        { ${lib.removeSuffix ".nix" name} = callPackage path { }; }
      else
        { }
    ) (builtins.readDir directory);
}
