# Every package of pkgs/by-name: adding one is adding its folder.
{ lib, callPackage }:
let
  root = ../pkgs/by-name;
in
lib.concatMapAttrs (
  shard: _:
  lib.mapAttrs (name: _: callPackage (root + "/${shard}/${name}/package.nix") { }) (
    builtins.readDir (root + "/${shard}")
  )
) (builtins.readDir root)
