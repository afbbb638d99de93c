{
  lib,
  stdenvNoCC,
  bootstrap,
}:
stdenvNoCC.mkDerivation {
  pname = "tzdata";
  inherit (bootstrap.debs.tzdata) version;

  src = bootstrap.treeOf "tzdata" [ "tzdata" ];
  dontUnpack = true;
  installPhase = ''
    runHook preInstall
    mkdir -p $out/share
    cp -R $src/usr/share/zoneinfo $out/share/zoneinfo
    chmod -R u+w $out
    # Debian lets the local zone be a link into /etc.
    find $out -lname '/*' -delete
    runHook postInstall
  '';

  meta = {
    description = "Time zones of the world";
    license = lib.licenses.publicDomain;
    platforms = lib.platforms.all;
  };
}
