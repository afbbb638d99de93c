# From version 8 on a part is written in C++.
{
  lib,
  redis,
  stdenvCxx,
  fetchurl,
}:
(redis.override { stdenv = stdenvCxx; }).overrideAttrs (
  finalAttrs: prev: {
    version = "8.0.2";
    src = fetchurl {
      url = "mirror://debian/pool/main/r/redis/redis_${finalAttrs.version}.orig.tar.gz";
      sha256 = "caf3c0069f06fc84c5153bd2a348b204c578de80490c73857bee01d9b5d7401f";
    };
    meta = prev.meta // {
      license = lib.licenses.agpl3Only;
    };
  }
)
