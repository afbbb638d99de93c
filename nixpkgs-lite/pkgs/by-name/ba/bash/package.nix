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

  configureFlags = [
    "--without-bash-malloc"
    "--disable-nls"
    "--with-curses=no"
    (lib.enableFeature interactive "readline")
    (lib.enableFeature interactive "history")
  ];

  # What is for people who write loadable builtins or report bugs, and the manual.
  postInstall = ''
    rm -rf $out/bin/bashbug $out/lib $out/include $out/share
    ln -s bash $out/bin/sh
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
