# One function for images of Redis, and several images made by it.
#
#   gonix-build dockertools/examples/redis-generic.nix -A redis_7 -A redis_6
{
  pkgs ? import <nixpkgs> { },
}:
let
  inherit (pkgs) lib;

  redisImage =
    {
      redis,
      name ? "redis",
      tag ? redis.version,
      user ? "redis",
      dataDir ? "/data",
      port ? 6379,
      settings ? { },
    }:
    let
      # null takes a setting away.
      options = lib.filterAttrs (_: value: value != null) (
        {
          bind = "0.0.0.0";
          dir = dataDir;
          inherit port;
          protected-mode = "no";
        }
        // settings
      );
    in
    pkgs.dockerTools.buildImage {
      inherit name tag;
      contents = [ redis ];
      runAsRoot = ''
        ${pkgs.dockerTools.shadowSetup}
        groupadd -r ${user}
        useradd -r -g ${user} -d ${dataDir} -M ${user}
        mkdir -p ${dataDir}
        chown ${user}:${user} ${dataDir}
      '';
      config = {
        Cmd =
          [ "/bin/redis-server" ]
          ++ lib.concatLists (lib.mapAttrsToList (key: value: [ "--${key}" (toString value) ]) options);
        User = user;
        WorkingDir = dataDir;
        ExposedPorts."${toString port}/tcp" = { };
        Volumes.${dataDir} = { };
      };
    };

  # Versions from before the set began: the name and the source are all it takes.
  oldRedis =
    version: sha256:
    pkgs.redis.overrideDerivation (_: {
      name = "redis-${version}";
      src = pkgs.fetchurl {
        url = "http://download.redis.io/releases/redis-${version}.tar.gz";
        inherit sha256;
      };
    });
in
{
  inherit redisImage;

  redis_7 = redisImage { redis = pkgs.redis_7; };
  redis_6 = redisImage { redis = pkgs.redis_6; };
  redis_8 = redisImage { redis = pkgs.redis_8; };

  redis_3 = redisImage {
    redis = oldRedis "3.0.7" "b2a791c4ea3bb7268795c45c6321ea5abcc24457178373e6a6e3be6372737f23";
    tag = "3.0.7";
    # Came with 3.2.
    settings.protected-mode = null;
  };
  redis_2 = redisImage {
    redis = oldRedis "2.8.23" "f3c79778f478a01237035b67edaaa19332e5624dfa849d66815a4328d3e95ace";
    tag = "2.8.23";
    settings.protected-mode = null;
  };

  # A cache: nothing is written to disk, the least used keys go first.
  redis_cache = redisImage {
    redis = pkgs.redis_7;
    name = "redis-cache";
    settings = {
      save = "";
      maxmemory = "64mb";
      maxmemory-policy = "allkeys-lru";
    };
  };
}
