# What a set of paths needs at run time: store-paths (a line each),
# registration (for `nix-store --load-db`) and total-nar-size.
{ lib, stdenvNoCC }:
{ rootPaths }:
stdenvNoCC.mkDerivation {
  name = "closure-info";
  __structuredAttrs = true;
  exportReferencesGraph.closure = rootPaths;
  preferLocalBuild = true;
  parse = ./parse.awk;
  buildCommand = ''
    out=''${outputs[out]}
    mkdir -p $out
    awk -v out=$out -f $parse < "$NIX_ATTRS_JSON_FILE"
    LC_ALL=C sort -o $out/store-paths $out/store-paths
  '';
}
