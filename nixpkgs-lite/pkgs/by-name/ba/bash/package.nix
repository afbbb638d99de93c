{
  lib,
  stdenv,
  fetchurl,
  # Line editing and history, for people who type.
  interactive ? false,
}:
stdenv.mkDerivation (finalAttrs: {
  pname = if interactive then "bash-interactive" else "bash";
  version = "5.2.15";

  src = fetchurl {
    url = "mirror://debian/pool/main/b/bash/bash_${finalAttrs.version}.orig.tar.gz";
    sha256 = "7a315bc0e9d90713159e4390ec1096a41e4f33cd8cc3d1a749a8e5ad56600f51";
  };

  # Debug information would only be stripped again.
  env.CFLAGS = "-O2";

  configureFlags = [
    "--without-bash-malloc"
    "--disable-nls"
    "--with-curses=no"
    (lib.enableFeature interactive "readline")
    (lib.enableFeature interactive "history")
  ];

  # Not what is for people who write loadable builtins or report bugs.
  buildFlags = [ "bash" ];
  installPhase = ''
    runHook preInstall
    install -D bash $out/bin/bash
    ln -s bash $out/bin/sh
    runHook postInstall
  '';

  passthru.shellPath = "/bin/bash";

  meta = {
    description = "Shell of the GNU project";
    homepage = "https://www.gnu.org/software/bash/";
    license = lib.licenses.gpl3Plus;
    platforms = lib.platforms.linux;
    mainProgram = "bash";
  };
})
