# The dockerTools of this set over another one, such as the whole of nixpkgs:
#   import <nixpkgs> { overlays = [ (import <gonix/dockertools>) ]; }
# What is not made here (examples) stays as it is. Snippets run with this set's
# static shell, and the program of a streamed image is made with its compiler,
# whatever the other set has. Images are for what the other set builds for.
final: prev:
let
  inherit (final) stdenv;
  host = stdenv.hostPlatform or { };
  system = stdenv.buildPlatform.system or host.system or stdenv.system;
  go = host.go or final.go or { };
in
{
  dockerTools =
    prev.dockerTools or { }
    // import ../../build-support/docker {
      inherit (final)
        lib
        runCommand
        writeShellScriptBin
        writeText
        bash
        bashInteractive
        coreutils
        fakeNss
        shadow
        cacert
        ;
      inherit (import ../.. { inherit system; }) bootstrap stdenvMusl;
      defaultArchitecture = go.GOARCH or "amd64";
      defaultVariant = if go.GOARM or "" == "" then "" else "v${go.GOARM}";
    };
}
