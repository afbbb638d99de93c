# Environments to build packages in: a shell, the usual programs, a compiler.
#
# `stdenv` compiles C, `stdenvCxx` also C++ (which is a download more), and
# `stdenvNoCC` only moves files about.
{
  lib,
  config,
  system,
  bootstrap,
  # The shell that scripts in outputs start with: a package of the set itself.
  runtimeShell,
}:
let
  shell = "${bootstrap.shell}/bin/bash";

  platform = {
    inherit system;
    config = "x86_64-unknown-linux-gnu";
    isLinux = true;
    isDarwin = false;
    isUnix = true;
    isx86_64 = true;
    isx86 = true;
    isAarch64 = false;
    is64bit = true;
    is32bit = false;
    isLittleEndian = true;
    isBigEndian = false;
    isGnu = true;
    isMusl = false;
    isStatic = false;
    linuxArch = "x86_64";
    parsed = {
      cpu = {
        name = "x86_64";
        bits = 64;
      };
      kernel.name = "linux";
    };
    extensions = {
      executable = "";
      library = ".so";
      sharedLibrary = ".so";
      staticLibrary = ".a";
    };
    canExecute = other: other.system == system;
  };

  # One environment. Its derivation is the script that builders source.
  make =
    {
      name,
      cc,
      # Folders of programs, first ones win.
      programs,
      hostPlatform ? platform,
      # Attributes that each package built here starts from.
      defaults ? { },
      # Paths no output may refer to.
      buildOnly ? [ ],
    }:
    let
      setup = derivation {
        inherit name system;
        builder = shell;
        args = [ "-e" ./make-setup.sh ];
        parts = [
          ./setup/environment.sh
          ./setup/inputs.sh
          ./setup/phases.sh
          ./setup/fixup.sh
          ./setup/texts.sh
          ./setup/build.sh
        ];
        PATH = lib.concatStringsSep ":" programs;
        inherit shell;
        preferLocalBuild = true;
      };
      self =
        setup
        // {
          inherit
            system
            cc
            hostPlatform
            lib
            ;
          buildPlatform = platform;
          targetPlatform = hostPlatform;
          shell = runtimeShell;
          hasCC = cc != null;
          inherit (hostPlatform)
            isLinux
            isDarwin
            isx86_64
            is64bit
            isAarch64
            ;
          extraNativeBuildInputs = [ ];
          mkDerivation = import ./make-derivation.nix {
            inherit
              lib
              config
              system
              shell
              defaults
              buildOnly
              ;
            stdenv = setup;
          };
        };
    in
    self;

  tools = "${bootstrap.tools}/bin";
in
{
  inherit platform;

  stdenv = make {
    name = "stdenv";
    inherit (bootstrap) cc buildOnly;
    programs = [ "${bootstrap.cc}/bin" tools ];
  };

  stdenvCxx = make {
    name = "stdenv-cxx";
    cc = bootstrap.ccxx;
    programs = [ "${bootstrap.ccxx}/bin" tools ];
    buildOnly = bootstrap.buildOnly ++ [ bootstrap.gxx bootstrap.ccxx ];
  };

  stdenvNoCC = make {
    name = "stdenv-no-cc";
    cc = null;
    programs = [ tools ];
  };

  # Static programs on musl: nothing of the toolchain is needed at run time.
  stdenvMusl = make {
    name = "stdenv-musl";
    cc = bootstrap.musl;
    programs = [ "${bootstrap.musl}/bin" tools ];
    hostPlatform = platform // {
      config = "x86_64-unknown-linux-musl";
      isGnu = false;
      isMusl = true;
      isStatic = true;
    };
    buildOnly = bootstrap.buildOnly ++ [ bootstrap.musl ];
  };
}
