# What packages and users' files are built with: fetchers, small derivations of
# text, sets of links, images.
{ lib, pkgs }:
import ./trivial { inherit lib pkgs; }
// {
  fetchurl = import ./fetchurl { inherit lib; };
  unpackArchives = import ./unpack.nix { inherit lib; };
  fetchzip = import ./fetchzip { inherit lib; };
  fetchFromGitHub = import ./fetchzip/github.nix { inherit lib; inherit (pkgs) fetchzip; };

  buildEnv = pkgs.callPackage ./buildenv { };
  closureInfo = pkgs.callPackage ./closure-info { };
  inherit (import ./closure-info/references.nix { inherit (pkgs) runCommand; })
    writeReferencesToFile
    writeClosure
    ;

  mkShell = pkgs.callPackage ./mkshell.nix { };
  mkShellNoCC = pkgs.mkShell.override { stdenv = pkgs.stdenvNoCC; };

  dockerTools = pkgs.callPackage ./docker { };
  ociTools = pkgs.callPackage ./oci-tools.nix { };
}
