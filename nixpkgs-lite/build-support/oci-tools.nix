# Containers as files: a folder with config.json and rootfs, as the OCI runtime
# specification has it, which runc and crun run as they are.
{
  lib,
  runCommand,
  writeClosure,
  writeText,
}:
{
  buildContainer =
    {
      # The command; the closure of what it names is in the container.
      args,
      # More mounts by where they are: type, source, options.
      mounts ? { },
      os ? "linux",
      arch ? "x86_64",
      readonly ? false,
    }:
    let
      quiet = [ "nosuid" "noexec" "nodev" ];
      usual = {
        "/proc" = { type = "proc"; source = "proc"; };
        "/dev" = { type = "tmpfs"; source = "tmpfs"; options = [ "nosuid" "strictatime" "mode=755" "size=65536k" ]; };
        "/dev/pts" = { type = "devpts"; source = "devpts"; options = [ "nosuid" "noexec" "newinstance" "ptmxmode=0666" "mode=755" "gid=5" ]; };
        "/dev/shm" = { type = "tmpfs"; source = "shm"; options = quiet ++ [ "mode=1777" "size=65536k" ]; };
        "/dev/mqueue" = { type = "mqueue"; source = "mqueue"; options = quiet; };
        "/sys" = { type = "sysfs"; source = "sysfs"; options = quiet ++ [ "ro" ]; };
        "/sys/fs/cgroup" = { type = "cgroup"; source = "cgroup"; options = quiet ++ [ "relatime" "ro" ]; };
      };
      config = writeText "config.json" (
        builtins.toJSON {
          ociVersion = "1.0.0";
          platform = { inherit os arch; };
          linux.namespaces = map (type: { inherit type; }) [ "pid" "network" "mount" "ipc" "uts" ];
          root = {
            path = "rootfs";
            inherit readonly;
          };
          process = {
            inherit args;
            user = { uid = 0; gid = 0; };
            cwd = "/";
          };
          # By name, so that each folder is mounted before those in it.
          mounts = lib.mapAttrsToList (destination: m: m // { inherit destination; }) (usual // mounts);
        }
      );
    in
    runCommand "join" { } ''
      mkdir -p $out/rootfs/{dev,proc,sys}
      cp ${config} $out/config.json
      grep -vxF ${config} ${writeClosure [ config ]} > paths || true
      tar -c -P -T paths | tar -x -C $out/rootfs
    '';
}
