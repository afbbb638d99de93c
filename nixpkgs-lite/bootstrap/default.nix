# The toolchain that everything else is built with, made of pinned Debian packages.
#
# Debian's programs expect their loader, libraries and helpers below /usr. Each
# step here moves a part into a store path of its own and tells the programs where
# it is now:
#
#   busybox, shell      static: run as they are, and run the steps below
#   glibc               what programs need at run time (out) and to be linked (dev)
#   gccLib              libraries of the compiler that programs may need at run time
#   tools               shell, coreutils, make, binutils, gcc …: for building only
#   gxx                 the C++ front end: only fetched where something needs it
#   cc, ccxx            the compiler as packages see it: headers, loader, rpath
{
  lib,
  system,
  fetchurl,
  unpack,
}:
let
  debs = import ./debs.nix;
  gccVersion = "12";

  fetchDeb =
    name:
    fetchurl {
      url = "mirror://debian/${debs.${name}.path}";
      inherit (debs.${name}) sha256;
    };

  # The files of some packages in one tree, as Debian lays them out.
  treeOf =
    name: packages:
    unpack {
      name = "${name}-debian";
      srcs = map fetchDeb packages;
    };

  # A step: a script run by a static busybox, which is all it finds.
  step =
    name: script: env:
    derivation (
      {
        inherit name system;
        builder = "${busybox}/bin/busybox";
        args = [ "ash" "-e" script ];
        inherit busybox;
        preferLocalBuild = true;
      }
      // env
    );

  # A later step: a script run by the static bash, with the tools.
  toolStep =
    name: script: env:
    derivation (
      {
        inherit name system;
        builder = "${shell}/bin/bash";
        args = [ "-e" script ];
        inherit shell tools glibc;
        PATH = "${tools}/bin";
        preferLocalBuild = true;
      }
      // env
    );

  busybox = treeOf "busybox-static" [ "busybox-static" ];

  shell = step "bash-static-${debs.bash-static.version}" ./shell.sh {
    tree = treeOf "bash-static" [ "bash-static" ];
  };

  glibc = step "glibc-2.36" ./glibc.sh {
    outputs = [ "out" "dev" ];
    tree = treeOf "glibc" [
      "libc6"
      "libgcc-s1"
      "libc6-dev"
      "linux-libc-dev"
      "patchelf"
      "libstdc++6"
    ];
  };

  glibcBin = toolStep "glibc-bin-2.36" ./glibc-bin.sh {
    tree = treeOf "glibc-bin" [ "libc-bin" ];
  };

  gccLib = step "gcc-lib-12.2.0" ./gcc-lib.sh {
    tree = treeOf "gcc-lib" [
      "libstdc++6"
      "libgcc-s1"
      "libgomp1"
      "libatomic1"
      "patchelf"
    ];
    inherit glibc;
  };

  tools = step "bootstrap-tools" ./tools.sh {
    tree = treeOf "bootstrap-tools" [
      "bash"
      "libtinfo6"
      "coreutils"
      "libacl1"
      "libattr1"
      "libgmp10"
      "libselinux1"
      "libpcre2-8-0"
      "findutils"
      "diffutils"
      "sed"
      "grep"
      "gawk"
      "libmpfr6"
      "libreadline8"
      "libsigsegv2"
      "tar"
      "gzip"
      "bzip2"
      "libbz2-1.0"
      "xz-utils"
      "liblzma5"
      "make"
      "patch"
      "patchelf"
      "libstdc++6"
      "libgcc-s1"
      "binutils"
      "binutils-common"
      "binutils-x86-64-linux-gnu"
      "libbinutils"
      "libctf0"
      "libctf-nobfd0"
      "libjansson4"
      "zlib1g"
      "libzstd1"
      "gcc-12"
      "cpp-12"
      "libgcc-12-dev"
      "libisl23"
      "libmpc3"
      "libgomp1"
      "libatomic1"
    ];
    inherit glibc gccLib gccVersion shell;
  };

  gxx = toolStep "gxx-12.2.0" ./gxx.sh {
    tree = treeOf "gxx" [ "g++-12" "libstdc++-12-dev" ];
    inherit gccLib gccVersion;
  };

  wrap =
    name: gxx:
    toolStep "${name}-12.2.0" ./cc-wrapper.sh {
      inherit gccLib gccVersion gxx;
      inherit (glibc) dev;
      ldWrapper = ./ld-wrapper.sh;
      driver = ./cc-driver.sh;
    };

  cc = wrap "gcc-wrapper" "";
  ccxx = wrap "gxx-wrapper" gxx;

  musl = toolStep "musl-1.2.3" ./musl.sh {
    tree = treeOf "musl" [ "musl-dev" "linux-libc-dev" ];
  };

  # crypt(3), to be linked statically: programs need no library for it at run time.
  libxcrypt = step "libxcrypt-4.4.33" ./libxcrypt.sh {
    tree = treeOf "libxcrypt" [ "libcrypt-dev" ];
  };
in
if system != "x86_64-linux" then
  throw "nixpkgs-lite: there is no toolchain for ${system}; the only system is x86_64-linux (--argstr system x86_64-linux)"
else
  {
    inherit
      busybox
      shell
      glibc
      glibcBin
      gccLib
      tools
      gxx
      cc
      ccxx
      musl
      libxcrypt
      debs
      fetchDeb
      treeOf
      ;
    # What no package may refer to once it is built.
    buildOnly = [
      busybox
      shell
      tools
      cc
      glibc.dev
    ];
  }
