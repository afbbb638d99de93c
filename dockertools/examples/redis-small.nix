# Redis without a shell: the server, the C library, and nothing else. The server
# runs as the user redis from the start, so no entrypoint has to change to it.
#
#   gonix-build dockertools/examples/redis-small.nix
#   podman load < result && podman run --rm redis-small
{
  pkgs ? import <nixpkgs> { },
}:
pkgs.dockerTools.buildImage {
  name = "redis-small";
  tag = "latest";

  contents = [ pkgs.redis ];

  # These programs are run now; the image gets what they write, not them.
  runAsRoot = ''
    ${pkgs.dockerTools.shadowSetup}
    groupadd -r redis
    useradd -r -g redis -d /data -M redis
    mkdir /data
    chown redis:redis /data
  '';

  config = {
    Cmd = [ "/bin/redis-server" "--bind" "0.0.0.0" "--protected-mode" "no" ];
    User = "redis";
    WorkingDir = "/data";
    ExposedPorts."6379/tcp" = { };
    Volumes."/data" = { };
  };
}
