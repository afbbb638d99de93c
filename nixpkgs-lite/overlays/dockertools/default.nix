# The dockerTools of this set over another one, such as the whole of nixpkgs:
#   import <nixpkgs> { overlays = [ (import <gonix/dockertools>) ]; }
# What is not made here (pullImage, examples) stays as it is. Snippets run with
# this set's static shell, whatever the other set has.
final: prev:
let
  system = final.stdenv.hostPlatform.system or final.stdenv.system;
in
{
  dockerTools =
    prev.dockerTools or { }
    // import ../../build-support/docker {
      inherit (final)
        lib
        runCommand
        symlinkJoin
        writeTextDir
        bash
        bashInteractive
        coreutils
        shadow
        cacert
        ;
      inherit (import ../.. { inherit system; }) bootstrap;
    };
}
