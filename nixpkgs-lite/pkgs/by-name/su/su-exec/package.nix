# Become another user and run a program in place of oneself, as an entrypoint does.
{ lib, stdenv }:
stdenv.mkDerivation {
  pname = "su-exec";
  version = "1";

  src = ./su-exec.c;
  dontUnpack = true;

  buildPhase = ''
    runHook preBuild
    gcc -Os -Wall -Wextra -Werror $src -o su-exec
    runHook postBuild
  '';
  installPhase = ''
    runHook preInstall
    install -D su-exec $out/bin/su-exec
    runHook postInstall
  '';

  meta = {
    description = "Run a program as another user, without a process in between";
    license = lib.licenses.mit;
    platforms = lib.platforms.linux;
    mainProgram = "su-exec";
  };
}
