# Redis on top of another image: the base's layers stay as they are, and the new
# layer has only what is not in them.
#
#   gonix-build dockertools/examples/redis-on-base.nix
#   podman save docker.io/library/debian:12 -o debian.tar
#   gonix-build dockertools/examples/redis-on-base.nix --arg base ./debian.tar
{
  pkgs ? import <nixpkgs> { },
  base ? null,
}:
let
  inherit (pkgs) dockerTools;

  # A base of our own: a shell and the usual programs in /bin.
  tools = dockerTools.buildImage {
    name = "tools";
    tag = "1";
    contents = [ pkgs.busybox ];
    config.Cmd = [ "/bin/sh" ];
    config.Env = [ "PATH=/bin" ];
  };
in
dockerTools.buildImage {
  name = "redis-on-base";
  tag = "latest";
  fromImage = if base == null then tools else base;

  # On a base with a /bin of its own the new programs join the ones there.
  contents = [ pkgs.redis ];
  extraCommands = ''
    mkdir -p data
  '';

  config = {
    Cmd = [ "${pkgs.redis}/bin/redis-server" "--bind" "0.0.0.0" "--protected-mode" "no" ];
    WorkingDir = "/data";
    ExposedPorts."6379/tcp" = { };
  };
}
