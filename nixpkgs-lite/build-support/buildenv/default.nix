# One folder with the files of several packages, as links that are as short as
# possible: a folder is only made where two packages have it.
{ lib, stdenvNoCC }:
lib.makeOverridable (
  {
    name ? "${pname}-${version}",
    pname ? throw "buildEnv: give name, or pname and version",
    version ? throw "buildEnv: give name, or pname and version",
    paths,
    # Folders of the packages that are wanted.
    pathsToLink ? [ "/" ],
    # Outputs to take beside the ones a package installs by default.
    extraOutputsToInstall ? [ ],
    ignoreCollisions ? false,
    # Folder of the output that the links are in.
    extraPrefix ? "",
    postBuild ? "",
    nativeBuildInputs ? [ ],
    buildInputs ? [ ],
    passthru ? { },
    meta ? { },
    ...
  }:
  let
    outputsOf =
      pkg:
      if !lib.isDerivation pkg || pkg.outputSpecified or false then
        [ pkg ]
      else
        map (o: pkg.${o}) (
          lib.unique (
            (if pkg ? meta.outputsToInstall then pkg.meta.outputsToInstall else [ (pkg.outputName or "out") ])
            ++ lib.filter (o: pkg ? ${o}) extraOutputsToInstall
          )
        );
    # Packages of better priority (lower number) come first.
    ranked = lib.sort (a: b: a.priority < b.priority) (
      map (pkg: {
        priority = pkg.meta.priority or 5;
        paths = outputsOf pkg;
      }) (lib.filter (p: p != null) paths)
    );
  in
  stdenvNoCC.mkDerivation {
    inherit
      name
      extraPrefix
      postBuild
      nativeBuildInputs
      buildInputs
      passthru
      meta
      ;
    pathsToLink = lib.concatStringsSep "\n" pathsToLink;
    ignoreCollisions = if ignoreCollisions then "1" else "";
    # A line a package: its priority, then its paths.
    chosen = lib.concatMapStrings (r: "${toString r.priority} ${lib.concatMapStringsSep " " (p: "${p}") r.paths}\n") ranked;
    passAsFile = [ "chosen" ];
    buildCommandPath = ./builder.sh;
    preferLocalBuild = true;
    allowSubstitutes = false;
  }
)
