# The smallest one: a static server and a static su-exec, no C library, no shell.
#
#   gonix-build dockertools/examples/redis-static.nix
{
  pkgs ? import <nixpkgs> { },
}:
let
  inherit (pkgs.pkgsStatic) redis su-exec;
in
pkgs.dockerTools.buildImage {
  name = "redis-static";
  tag = "latest";
  contents = [ redis su-exec ];
  # A number needs no account: su-exec takes it as it is.
  extraCommands = ''
    mkdir -m 0777 data
  '';
  config = {
    Entrypoint = [ "/bin/su-exec" "999:999" ];
    Cmd = [ "/bin/redis-server" "--bind" "0.0.0.0" "--protected-mode" "no" ];
    WorkingDir = "/data";
    ExposedPorts."6379/tcp" = { };
  };
}
