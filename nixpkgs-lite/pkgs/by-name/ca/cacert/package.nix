# Certificates of the authorities that browsers trust.
{
  lib,
  stdenvNoCC,
  bootstrap,
}:
stdenvNoCC.mkDerivation {
  pname = "cacert";
  inherit (bootstrap.debs.ca-certificates) version;

  src = bootstrap.treeOf "ca-certificates" [ "ca-certificates" ];
  dontUnpack = true;
  installPhase = ''
    runHook preInstall
    mkdir -p $out/etc/ssl/certs
    for certificate in $src/usr/share/ca-certificates/mozilla/*.crt; do
      cat "$certificate"
      echo
    done > $out/etc/ssl/certs/ca-bundle.crt
    ln -s ca-bundle.crt $out/etc/ssl/certs/ca-certificates.crt
    runHook postInstall
  '';

  meta = {
    description = "Certificates of trusted authorities in one file";
    license = lib.licenses.mpl20;
    platforms = lib.platforms.all;
  };
}
