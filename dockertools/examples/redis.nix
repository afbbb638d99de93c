# A Redis image as one gets it from a registry: started as root it hands over to
# the user redis, started as anybody else it stays who it is.
#
#   gonix-build dockertools/examples/redis.nix
#   podman load < result && podman run --rm -p 6379:6379 redis
{
  pkgs ? import <nixpkgs> { },
  tag ? "latest",
}:
let
  inherit (pkgs)
    bash
    coreutils
    gosu
    lib
    redis
    ;

  # Runs in the container, where nothing is on PATH but what the image has.
  entrypoint = pkgs.writeScript "redis-entrypoint" ''
    #!${bash}/bin/bash
    set -e
    if [ "$1" = redis-server ] && [ "$(${coreutils}/bin/id -u)" = 0 ]; then
      ${coreutils}/bin/chown -R redis:redis /data
      exec ${gosu}/bin/gosu redis "$0" "$@"
    fi
    exec "$@"
  '';
in
pkgs.dockerTools.buildImage {
  name = "redis";
  inherit tag;

  # The programs as /bin, found by name.
  contents = [ redis ];

  # Made once, when the image is: accounts, and the folder for the data.
  runAsRoot = ''
    #!${bash}/bin/bash
    ${pkgs.dockerTools.shadowSetup}
    groupadd -r redis
    useradd -r -g redis -d /data -M redis
    mkdir /data
    chown redis:redis /data
  '';

  config = {
    Entrypoint = [ entrypoint ];
    # Reachable from outside the container, which newer versions have to be told twice.
    Cmd =
      [ "redis-server" "--bind" "0.0.0.0" ]
      ++ lib.optionals (lib.versionAtLeast redis.version "3.2") [ "--protected-mode" "no" ];
    Env = [ "PATH=/bin" ];
    WorkingDir = "/data";
    ExposedPorts."6379/tcp" = { };
    Volumes."/data" = { };
  };
}
