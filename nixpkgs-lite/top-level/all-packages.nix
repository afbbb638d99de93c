# Packages that are another one called differently, and other names.
final: prev:
let
  inherit (final) callPackage lib;
in
{
  redis_7 = final.redis;
  redis_6 = callPackage ../pkgs/by-name/re/redis/6.nix { };
  redis_8 = callPackage ../pkgs/by-name/re/redis/8.nix { };

  bashInteractive = final.bash.override { interactive = true; };
  runtimeShell = "${final.bash}/bin/bash";
  runtimeShellPackage = final.bash;

  # The name that files of 2016 use.
  goPackages = lib.recurseIntoAttrs { inherit (final) gosu; };

  pkgsStatic = lib.recurseIntoAttrs {
    stdenv = final.stdenvMusl;
    redis = callPackage ../pkgs/by-name/re/redis/static.nix { };
    su-exec = final.su-exec.override { stdenv = final.stdenvMusl; };
    inherit (final) busybox;
  };
  pkgsMusl = final.pkgsStatic;
}
