# Any version from 2.8 on is built this way: override name (or version) and src.
{
  lib,
  stdenv,
  fetchurl,
}:
stdenv.mkDerivation (finalAttrs: {
  pname = "redis";
  version = "7.0.15";

  src = fetchurl {
    url = "mirror://debian/pool/main/r/redis/redis_${finalAttrs.version}.orig.tar.gz";
    sha256 = "4b1dc4ee6d622a09fff9c6777191209750fb5e5a725ef78ea012d6eef4c22982";
  };

  # Versions before 7 compile in where and when they were built.
  postPatch = ''
    sed -i 's/^BUILD_ID=.*/BUILD_ID=nix-$SOURCE_DATE_EPOCH/' src/mkreleasehdr.sh
  '';

  makeFlags = [
    "PREFIX=$(out)"
    "CC=gcc"
    # Debug information would only be stripped again.
    "DEBUG="
    # The allocator of the C library: another one is a megabyte more.
    "MALLOC=libc"
    "USE_SYSTEMD=no"
    "BUILD_TLS=no"
  ];

  # The same program under several names is kept once.
  postInstall = ''
    for program in $out/bin/*; do
      if [ "$program" != $out/bin/redis-server ] && cmp -s $program $out/bin/redis-server; then
        ln -sf redis-server $program
      fi
    done
  '';

  meta = {
    description = "Data structures in memory, served over the network and kept on disk";
    homepage = "https://redis.io";
    license = lib.licenses.bsd3;
    platforms = lib.platforms.linux;
    mainProgram = "redis-cli";
  };
})
