{
  lib,
  stdenv,
  fetchurl,
}:
stdenv.mkDerivation (finalAttrs: {
  pname = "hello";
  version = "2.10";

  src = fetchurl {
    urls = [
      "mirror://debian/pool/main/h/hello/hello_${finalAttrs.version}.orig.tar.gz"
      "mirror://gnu/hello/hello-${finalAttrs.version}.tar.gz"
    ];
    sha256 = "31e066137a962676e89f69d1b65382de95a7ef7d914b8cb956f41ea72e0f516b";
  };

  configureFlags = [ "--disable-nls" ];
  # The manual needs programs that are not here, and is in the way of a small image.
  postInstall = ''
    rm -rf $out/share
  '';

  meta = {
    description = "Program that greets";
    homepage = "https://www.gnu.org/software/hello/";
    license = lib.licenses.gpl3Plus;
    platforms = lib.platforms.linux;
    mainProgram = "hello";
  };
})
