# Another version of Redis in the same image: the package is overridden in the
# set that redis.nix takes everything from, and the tag follows.
#
#   gonix-build dockertools/examples/redis-override.nix
#   gonix-build dockertools/examples/redis-override.nix --argstr version 3.0.7 \
#     --argstr sha256 b2a791c4ea3bb7268795c45c6321ea5abcc24457178373e6a6e3be6372737f23
{
  version ? "6.0.16",
  sha256 ? "8bea58a468bb67bedc92d8c2e44c170e42e6ea02527cbc5d233e92e8d78d1b99",
}:
let
  override = final: prev: {
    redis = prev.redis.overrideAttrs {
      inherit version;
      src = final.fetchurl {
        urls = [
          "mirror://debian/pool/main/r/redis/redis_${version}.orig.tar.gz"
          "http://download.redis.io/releases/redis-${version}.tar.gz"
        ];
        inherit sha256;
      };
    };
  };
in
import ./redis.nix {
  pkgs = import <nixpkgs> { overlays = [ override ]; };
  tag = version;
}
