# Builds that try what stdenv promises; each fails where a promise is not kept.
#
#   gonix-build nixpkgs-lite/tests/stdenv.nix
{
  pkgs ? import ../. { },
}:
let
  inherit (pkgs)
    bash
    lib
    runCommand
    stdenv
    stdenvCxx
    ;

  # A library with headers in an output of their own, that brings a hook along.
  greeting = stdenv.mkDerivation {
    name = "greeting-1.0";
    outputs = [ "out" "dev" ];
    dontUnpack = true;
    buildPhase = ''
      echo 'const char *greeting(void) { return "good morning"; }' > greeting.c
      gcc -shared -fPIC -Wl,-soname,libgreeting.so.1 greeting.c -o libgreeting.so.1
    '';
    installPhase = ''
      mkdir -p $out/lib $out/include $out/lib/pkgconfig
      cp libgreeting.so.1 $out/lib/
      ln -s libgreeting.so.1 $out/lib/libgreeting.so
      echo 'const char *greeting(void);' > $out/include/greeting.h
      echo 'Name: greeting' > $out/lib/pkgconfig/greeting.pc
    '';
    propagatedBuildInputs = [ helper ];
    setupHook = builtins.toFile "hook.sh" ''
      greetingHook() { greetingSeen=@out@; }
      preBuildHooks+=(greetingHook)
    '';
  };

  helper = runCommand "helper" { } ''
    mkdir -p $out/bin
    echo '#!/bin/sh' > $out/bin/help-greeting
    chmod +x $out/bin/help-greeting
  '';

  scripts = builtins.toFile "scripts.sh" ''
    mkdir -p scripts
    printf '#!/usr/bin/env bash\necho one\n' > scripts/one
    printf '#! /bin/sh -e\necho two\n' > scripts/two
    printf '#!/usr/bin/env absent\n' > scripts/three
    chmod +x scripts/*
    touch -d @1000000000 scripts/*
  '';
in
{
  # Headers and libraries of inputs are found; the program finds the library
  # again, and nothing of the headers' output is left in it.
  linking = stdenv.mkDerivation (finalAttrs: {
    pname = "linking";
    version = "2";
    dontUnpack = true;
    buildInputs = [ greeting ];
    disallowedReferences = [ greeting.dev ];
    expected = "good morning";
    buildPhase = ''
      runHook preBuild
      test "$greetingSeen" = ${greeting.out}
      test -e ${greeting.dev}/include/greeting.h
      test ! -e ${greeting.out}/include
      test -e ${greeting.dev}/lib/pkgconfig/greeting.pc
      type -P help-greeting
      printf '#include <greeting.h>\n#include <stdio.h>\nint main(void) { puts(greeting()); return 0; }\n' > main.c
      gcc main.c -o main -lgreeting
      runHook postBuild
    '';
    installPhase = "install -D main $out/bin/${finalAttrs.pname}";
    doInstallCheck = true;
    installCheckPhase = ''
      test "$($out/bin/linking)" = "$expected"
      test "$(patchelf --print-rpath $out/bin/linking)" = ${greeting.out}/lib:${pkgs.glibc.out}/lib
      test -z "$(readelf -S $out/bin/linking | grep -F .debug || true)"
    '';
  });

  # Scripts in outputs name interpreters among the inputs, and keep their times.
  shebangs = stdenv.mkDerivation {
    name = "shebangs";
    dontUnpack = true;
    buildInputs = [ bash ];
    inherit scripts;
    installPhase = ''
      . $scripts
      mkdir -p $out
      cp -a scripts $out/bin
    '';
    doInstallCheck = true;
    installCheckPhase = ''
      test "$(head -n 1 $out/bin/one)" = "#!${bash}/bin/bash"
      test "$(head -n 1 $out/bin/two)" = "#!${bash}/bin/sh -e"
      test "$(head -n 1 $out/bin/three)" = "#!/usr/bin/env absent"
      test "$(stat -c %Y $out/bin/one)" = 1000000000
      test "$($out/bin/one)$($out/bin/two)" = onetwo
    '';
  };

  wrapper = stdenv.mkDerivation {
    name = "wrapper";
    dontUnpack = true;
    buildInputs = [ bash ];
    installPhase = ''
      mkdir -p $out/bin
      printf '#!/bin/sh\necho "$0 $A $B $1 $2"\n' > $out/bin/show
      chmod +x $out/bin/show
      wrapProgram $out/bin/show --set A 'a value' --prefix B : first --add-flags --flag
    '';
    doInstallCheck = true;
    installCheckPhase = ''
      B=second $out/bin/show last | grep -F 'a value first:second --flag last'
    '';
  };

  texts = stdenv.mkDerivation {
    name = "texts";
    dontUnpack = true;
    subject = "world";
    installPhase = ''
      printf 'hello @subject@ & \\1 *\n\n' > t
      substituteAll t $out
      substituteInPlace $out --replace-fail '*' 'a*b' --replace-quiet absent x
      test "$(cat $out)" = 'hello world & \1 a*b'
      test "$(tail -c 2 $out | wc -l)" = 2
      ! substituteInPlace $out --replace-fail absent x
    '';
  };

  # Phases and hooks run in their order, and settings reach their commands.
  phases = stdenv.mkDerivation {
    name = "phases";
    src = builtins.path {
      name = "phases-src";
      path = ./make;
    };
    patches = [ ./make.patch ];
    preConfigure = "order+=' preConfigure'";
    postConfigure = "order+=' postConfigure'";
    configureScript = "./configure.sh";
    configureFlags = [ "--with-a" "--with-b=c" ];
    makeFlags = [ "A=b" ];
    preBuild = ''
      order+=' preBuild'
      makeFlagsArray+=(SPACED="two words")
    '';
    preInstallPhases = [ "betweenPhase" ];
    betweenPhase = "order+=' between'";
    doCheck = true;
    postFixup = ''
      test "$order" = ' preConfigure postConfigure preBuild between'
      diff $out/log - <<X
      configured --prefix=$out --with-a --with-b=c
      built b two words patched
      checked
      installed
      X
    '';
  };

  structured = stdenv.mkDerivation {
    name = "structured";
    __structuredAttrs = true;
    list = [ "a b" "c" ];
    set.key = "value";
    flag = true;
    buildCommand = ''
      test "''${list[0]}-''${list[1]}" = "a b-c"
      test "''${set[key]}" = value
      test "$flag" = 1
      echo done > $out
    '';
  };

  # Links of two packages side by side; what both have is decided by priority.
  environment =
    let
      one = runCommand "one" { } "mkdir -p $out/bin $out/share/x; echo 1 > $out/bin/same; echo 1 > $out/share/x/one";
      two = runCommand "two" { meta.priority = 4; } "mkdir -p $out/bin $out/share/x; echo 2 > $out/bin/same; echo 2 > $out/share/x/two";
      env = pkgs.buildEnv {
        name = "environment";
        paths = [ one two ];
        pathsToLink = [ "/bin" "/share/x" ];
      };
    in
    runCommand "environment-check" { } ''
      test "$(cat ${env}/bin/same)" = 2
      test "$(cat ${env}/share/x/one ${env}/share/x/two | tr -d '\n')" = 12
      ln -s ${env} $out
    '';

  cxx = stdenvCxx.mkDerivation {
    name = "cxx";
    dontUnpack = true;
    installPhase = ''
      printf '#include <iostream>\nint main() { std::cout << "c++" << std::endl; }\n' > main.cc
      mkdir -p $out/bin
      g++ -O2 main.cc -o $out/bin/cxx
    '';
    doInstallCheck = true;
    installCheckPhase = "test \"$($out/bin/cxx)\" = c++";
  };

  # What is not needed at run time is not there: the compiler of a C program
  # would be, through a path compiled in, but for disallowedReferences.
  closure =
    let
      references = pkgs.writeReferencesToFile pkgs.redis;
    in
    runCommand "closure-check" { } ''
      diff ${references} - <<X
      $(printf '%s\n' ${pkgs.glibc.out} ${pkgs.redis} | sort)
      X
      ln -s ${references} $out
    '';
}
