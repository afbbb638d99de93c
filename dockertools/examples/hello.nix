# The shortest image there is: one program.
#
#   gonix-build dockertools/examples/hello.nix
#   podman load < result && podman run --rm hello
{
  pkgs ? import <nixpkgs> { },
}:
pkgs.dockerTools.buildImage {
  name = "hello";
  tag = "latest";
  config.Cmd = [ "${pkgs.hello}/bin/hello" ];
}
