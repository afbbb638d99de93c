{ redis, fetchurl }:
redis.overrideAttrs (finalAttrs: _: {
  version = "6.0.16";
  src = fetchurl {
    url = "mirror://debian/pool/main/r/redis/redis_${finalAttrs.version}.orig.tar.gz";
    sha256 = "8bea58a468bb67bedc92d8c2e44c170e42e6ea02527cbc5d233e92e8d78d1b99";
  };
})
