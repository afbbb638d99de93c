# The static program of Debian's package: it is written in Go, which has no
# compiler here.
{
  lib,
  stdenvNoCC,
  bootstrap,
}:
let
  gosu = stdenvNoCC.mkDerivation {
    pname = "gosu";
    inherit (bootstrap.debs.gosu) version;

    src = bootstrap.treeOf "gosu" [ "gosu" ];
    dontUnpack = true;
    installPhase = ''
      runHook preInstall
      install -D $src/usr/sbin/gosu $out/bin/gosu
      runHook postInstall
    '';
    dontFixup = true;

    meta = {
      description = "Run a program as another user, without a process in between";
      homepage = "https://github.com/tianon/gosu";
      license = lib.licenses.gpl3Only;
      platforms = [ "x86_64-linux" ];
      mainProgram = "gosu";
    };
  };
in
# Programs in Go used to have an output `bin`.
gosu // { bin = gosu; }
