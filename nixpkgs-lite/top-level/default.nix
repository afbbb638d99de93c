# The fixed point of all layers: each sees the ones below it as `prev` and the
# result as `final`.
{
  system,
  config,
  overlays,
}:
let
  lib = import ../lib;

  settings = if lib.isFunction config then config { inherit pkgs; } else config;

  # The set itself, and how files in it are called.
  core = final: _: {
    inherit lib system overlays;
    config = settings;
    pkgs = final;
    path = ../.;
    callPackage = final.newScope { };
    callPackages = lib.callPackagesWith final;
    newScope = extra: lib.callPackageWith (final // extra);
    makeOverridable = lib.makeOverridable;
    recurseIntoAttrs = lib.recurseIntoAttrs;
    # The set with more overlays.
    extend = overlay: import ./. { inherit system config; overlays = overlays ++ [ overlay ]; };
    appendOverlays = more: import ./. { inherit system config; overlays = overlays ++ more; };
  };

  toolchain =
    final: _:
    let
      bootstrap = import ../bootstrap {
        inherit lib system;
        fetchurl = import ../build-support/fetchurl { inherit lib; };
        unpack = import ../build-support/unpack.nix { inherit lib; };
      };
      environments = import ../stdenv {
        inherit lib system bootstrap;
        config = settings;
        inherit (final) runtimeShell;
      };
    in
    {
      inherit bootstrap;
      inherit (environments)
        stdenv
        stdenvCxx
        stdenvNoCC
        stdenvMusl
        ;
      buildPlatform = environments.platform;
      hostPlatform = environments.platform;
      targetPlatform = environments.platform;
      glibc = bootstrap.glibc // {
        bin = bootstrap.glibcBin;
        getent = bootstrap.glibcBin;
        meta = {
          description = "The C library of GNU, from Debian's packages";
          homepage = "https://www.gnu.org/software/libc/";
          license = lib.licenses.lgpl21Plus;
          platforms = [ "x86_64-linux" ];
        };
      };
      libc = final.glibc;
      gcc = bootstrap.ccxx;
      musl = bootstrap.musl;
      libxcrypt = bootstrap.libxcrypt;
    };

  buildSupport = final: _: import ../build-support { inherit lib; pkgs = final; };

  packages = final: _: import ./by-name.nix { inherit lib; inherit (final) callPackage; };

  all = import ./all-packages.nix;

  userOverrides = final: prev: (settings.packageOverrides or (_: { })) prev;

  pkgs = lib.fix (
    lib.foldl' (lib.flip lib.extends) (_: { }) (
      [
        core
        toolchain
        buildSupport
        packages
        all
        userOverrides
      ]
      ++ overlays
    )
  );
in
pkgs
