# A package set: `import <nixpkgs> { }`.
#
#   system    what to build for and on; only x86_64-linux has a toolchain
#   config    allowUnfree, allowBroken, packageOverrides = pkgs: { … }
#   overlays  functions final: prev: { … }, later ones over earlier ones
{
  system ? builtins.currentSystem,
  config ? { },
  overlays ? [ ],
  ...
}:
import ./top-level { inherit system config overlays; }
