# A catalogue: what each argument of dockerTools is good for, one small image a
# case, along the examples of nixpkgs. `.ci/examples` builds all of them, loads
# them and looks at what they do.
#
#   gonix-build dockertools/examples/catalogue.nix -A layeredOnTop
#   podman load < result
{
  pkgs ? import <nixpkgs> { },
  # An image of a registry for `pulled`, such as pullImage's arguments.
  remote ? null,
}:
let
  inherit (pkgs)
    bash
    bashInteractive
    busybox
    coreutils
    dockerTools
    hello
    lib
    redis
    ;
  inherit (dockerTools)
    buildImage
    buildImageWithNixDb
    buildLayeredImage
    buildLayeredImageWithNixDb
    buildNixShellImage
    streamLayeredImage
    streamNixShellImage
    ;
  pathTo = package: [ "PATH=${package}/bin" ];

  # A static program for arm64, byte by byte: it says where it runs.
  armProgram = pkgs.runCommand "arm-program" { } ''
    mkdir -p $out/bin
    {
      # ELF, 64 bits, little endian; an executable for AArch64 that begins at 0x400078.
      printf '\177ELF\2\1\1\0\0\0\0\0\0\0\0\0\2\0\267\0\1\0\0\0\170\0\100\0\0\0\0\0'
      printf '\100\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\100\0\070\0\1\0\0\0\0\0\0\0'
      # One segment: the whole file, readable and executable.
      printf '\1\0\0\0\5\0\0\0\0\0\0\0\0\0\0\0\0\0\100\0\0\0\0\0\0\0\100\0\0\0\0\0'
      printf '\246\0\0\0\0\0\0\0\246\0\0\0\0\0\0\0\0\20\0\0\0\0\0\0'
      # write(1, text, 14); exit(0)
      printf '\40\0\200\322\341\0\0\20\302\1\200\322\10\10\200\322\1\0\0\324\0\0\200\322\250\13\200\322\1\0\0\324'
      printf 'hello, arm64!\n'
    } > $out/bin/hello
    chmod +x $out/bin/hello
  '';

  accounts =
    user: id:
    map ({ file, text }: pkgs.writeTextDir "etc/${file}" text) [
      {
        file = "passwd";
        text = "root:x:0:0::/root:/bin/sh\n${user}:x:${toString id}:${toString id}::/home/${user}:/bin/sh\n";
      }
      {
        file = "group";
        text = "root:x:0:\n${user}:x:${toString id}:\n";
      }
    ];
in
rec {
  # --- One layer

  # The contents become the root folder; Cmd is found there.
  shell = buildImage {
    name = "shell";
    tag = "latest";
    copyToRoot = bashInteractive;
    config.Cmd = [ "/bin/bash" ];
  };

  # Several packages whose folders are joined; a list or a buildEnv.
  several = buildImage {
    name = "several";
    tag = "latest";
    copyToRoot = pkgs.buildEnv {
      name = "root";
      paths = [ bash coreutils hello ];
      pathsToLink = [ "/bin" ];
    };
    config.Env = [ "PATH=/bin" ];
  };

  # A service on top of another image; runAsRoot sees that one's files, too.
  service = buildImage {
    name = "service";
    tag = "latest";
    fromImage = shell;
    copyToRoot = [ redis ];
    runAsRoot = ''
      [ -x /bin/bash ] && mkdir -p /data
    '';
    config = {
      Cmd = [ "/bin/redis-server" ];
      WorkingDir = "/data";
      Volumes."/data" = { };
    };
  };

  # A web server: accounts without a shell or a script to make them.
  web = buildLayeredImage {
    name = "web";
    tag = "latest";
    contents = [ dockerTools.fakeNss busybox ];
    extraCommands = ''
      mkdir -p -m 1777 tmp
      mkdir -p var/log/web
    '';
    config = {
      Cmd = [ "busybox" "httpd" "-f" "-p" "8080" "-u" "nobody" "-h" (pkgs.writeTextDir "index.html" "<h1>Served by gonix</h1>\n") ];
      Env = [ "PATH=/bin" ];
      ExposedPorts."8080/tcp" = { };
    };
  };

  # Quotes and parentheses in scripts stay what they are.
  scripts = buildImage {
    name = "scripts";
    tag = "latest";
    copyToRoot = [ coreutils ];
    runAsRoot = ''echo "(as root)" > as-root'';
    extraCommands = ''echo "(extra)" > extra'';
    config.Env = [ "PATH=/bin" ];
  };
  scriptOnParent = buildImage {
    name = "script-on-parent";
    tag = "latest";
    fromImage = shell;
    runAsRoot = "touch /from-script; rm /bin/sh";
    config.Env = [ "PATH=/bin" ];
  };

  # The time of the build instead of 1970; such an image differs each time.
  dated = buildImage {
    name = "dated";
    tag = "latest";
    copyToRoot = [ coreutils ];
    created = "now";
  };
  datedLayers = buildLayeredImage {
    name = "dated-layers";
    tag = "latest";
    contents = [ coreutils ];
    created = "2020-02-02T20:20:20Z";
    mtime = "2020-02-02T20:20:20Z";
  };

  # Without a tag: the hash of the output, which imageTag tells.
  untagged = buildImage {
    name = "untagged";
    copyToRoot = bashInteractive;
  };
  untaggedLayers = buildLayeredImage {
    name = "untagged-layers";
    contents = bashInteractive;
  };
  untaggedStream = streamLayeredImage {
    name = "untagged-stream";
    contents = bashInteractive;
  };

  # With a registry in the name.
  prefixed = buildImage {
    name = "registry.example.org/image";
    tag = "latest";
    config.Cmd = [ "${hello}/bin/hello" ];
  };
  prefixedLayers = buildLayeredImage {
    name = "registry.example.org/layers";
    tag = "latest";
    config.Cmd = [ "${hello}/bin/hello" ];
  };

  # Not compressed, or with zstd, which Docker knows since version 23.
  plain = buildImage {
    name = "plain";
    tag = "latest";
    compressor = "none";
    config.Cmd = [ "${hello}/bin/hello" ];
  };
  zstandard = buildLayeredImage {
    name = "zstandard";
    tag = "latest";
    compressor = "zstd";
    config.Cmd = [ "${hello}/bin/hello" ];
  };

  # Another owner for the files outside of the store.
  owned = buildImage {
    name = "owned";
    tag = "latest";
    copyToRoot = [ busybox ];
    uid = 1000;
    gid = 100;
    extraCommands = "mkdir -p home/user";
    config.User = "1000:100";
    config.Env = [ "PATH=/bin" ];
  };

  # --- Base images

  # Later layers cover earlier ones, in this order.
  order =
    let
      step =
        number: base: files:
        buildImage {
          name = "order-${toString number}";
          tag = "latest";
          fromImage = base;
          copyToRoot = if number == 3 then [ coreutils ] else null;
          config.Env = [ "PATH=/bin" ];
          extraCommands = ''
            mkdir -p steps
            for file in ${toString files}; do echo ${toString number} > steps/$file; done
          '';
        };
    in
    step 3 (step 2 (step 1 null [ 1 2 3 ]) [ 2 3 ]) [ 3 ];

  # Env is inherited; what the child says counts.
  environment = buildImage {
    name = "parent";
    tag = "latest";
    config.Env = [ "FROM_PARENT=yes" "WHO=parent" ];
    config.Labels.kind = "parent";
  };
  environmentChild = buildImage {
    name = "child";
    tag = "latest";
    fromImage = environment;
    copyToRoot = [ coreutils ];
    config.Env = [ "FROM_CHILD=yes" "WHO=child" "PATH=/bin" ];
  };
  environmentLayered = buildLayeredImage {
    name = "child-layered";
    tag = "latest";
    fromImage = environment;
    contents = [ coreutils ];
    config.Env = [ "FROM_CHILD=yes" "WHO=child" "PATH=/bin" ];
  };
  # Everything is inherited where that is asked for.
  inherited = buildImage {
    name = "inherited";
    tag = "latest";
    fromImage = shell;
    inheritConfig = true;
    config.Env = [ "PATH=/bin" ];
  };
  # One of several images of an archive.
  chosen = buildImage {
    name = "chosen";
    tag = "latest";
    fromImage = merged;
    fromImageName = "service";
    fromImageTag = "latest";
    config.Cmd = [ "/bin/redis-server" "--version" ];
  };

  # --- Layers

  layered = buildLayeredImage {
    name = "layered";
    tag = "latest";
    contents = [ hello bash coreutils ];
    extraCommands = ''echo "(extra)" > extra'';
    config.Cmd = [ "${hello}/bin/hello" ];
  };
  # The same program: all layers but the topmost one are the same, too.
  layeredAgain = buildLayeredImage {
    name = "layered-again";
    tag = "latest";
    config.Cmd = [ "${hello}/bin/hello" ];
  };
  layeredOnTop = buildImage {
    name = "layered-on-top";
    tag = "latest";
    fromImage = layered;
    extraCommands = "mkdir -m 777 output";
    config = {
      Env = pathTo coreutils;
      WorkingDir = "/output";
      Cmd = [ "${bash}/bin/bash" "-c" "echo hello > foo; cat foo" ];
    };
  };
  layeredOnTopLayered = buildLayeredImage {
    name = "layered-on-top-layered";
    tag = "latest";
    fromImage = layered;
    extraCommands = "mkdir -m 777 output";
    config = {
      Env = pathTo coreutils;
      WorkingDir = "/output";
      Cmd = [ "${bash}/bin/bash" "-c" "echo hello > foo; cat foo" ];
    };
  };
  # As few layers as possible: the store in one, the links in another.
  twoLayers = buildLayeredImage {
    name = "two-layers";
    tag = "latest";
    contents = [ bash hello ];
    maxLayers = 2;
    config.Cmd = [ "hello" ];
    config.Env = [ "PATH=/bin" ];
  };
  bulk = buildLayeredImage {
    name = "bulk";
    tag = "latest";
    contents = [ coreutils hello ];
    maxLayers = 2;
    config.Env = [ "PATH=/bin" ];
  };
  bulkOnBase = buildLayeredImage {
    name = "bulk-on-base";
    tag = "latest";
    fromImage = twoLayers;
    contents = [ coreutils hello ];
    maxLayers = 4;
    config.Env = [ "PATH=/bin" ];
  };
  # Layers cut on purpose: hello, what only it needs, and all else.
  pipeline = buildLayeredImage {
    name = "pipeline";
    tag = "latest";
    contents = [ hello coreutils ];
    config.Cmd = [ "/bin/hello" ];
    layeringPipeline = [
      [ "split_paths" [ hello ] ]
      [ "over" "rest" [ "pipe" [ [ "popularity_contest" ] [ "limit_layers" 3 ] ] ] ]
    ];
  };

  # No store in the image: for hosts that mount theirs.
  noStore = buildLayeredImage {
    name = "no-store";
    tag = "latest";
    contents = [ hello ];
    includeStorePaths = false;
    config.Cmd = [ "/bin/hello" ];
  };
  # No store either, and it runs: a static program is copied.
  noStoreStatic = buildLayeredImage {
    name = "no-store-static";
    tag = "latest";
    extraCommands = "cp -r ${busybox}/* .";
    config.Cmd = [ "/bin/busybox" "echo" "static" ];
    includeStorePaths = false;
  };

  # Links of the store to the store, and files of scripts, come along.
  storeLink = buildLayeredImage {
    name = "store-link";
    tag = "latest";
    contents = [
      bash
      (pkgs.runCommand "link" { } "ln -s ${pkgs.writeTextDir "dir/target" "Content doesn't matter.\n"} $out")
    ];
    config.Env = [ "PATH=/bin" ];
  };
  filesInStore = buildLayeredImageWithNixDb {
    name = "files-in-store";
    tag = "latest";
    contents = [
      coreutils
      (pkgs.writeShellScriptBin "script" ''
        cat ${pkgs.writeText "file" "some data\n"}
      '')
    ];
    config.Cmd = [ "script" ];
    config.Env = [ "PATH=/bin" ];
  };
  # The paths are known to a Nix in the image.
  database = buildImageWithNixDb {
    name = "database";
    tag = "latest";
    copyToRoot = [ coreutils bash ];
    config.Env = [ "PATH=/bin" ];
  };

  # --- Users and owners

  user = buildLayeredImage {
    name = "user";
    tag = "latest";
    contents = [ bash coreutils ] ++ accounts "somebody" 999;
    config.User = "somebody";
    config.Env = [ "PATH=/bin" ];
  };
  # The store belongs to somebody, so that Nix works without root.
  ownedStore = buildLayeredImage {
    name = "owned-store";
    tag = "latest";
    contents = [ busybox ];
    uid = 1000;
    gid = 1000;
    uname = "user";
    gname = "user";
    config.Env = [ "PATH=/bin" ];
  };
  # chown and the like without being root, with any program.
  fakeRoot = buildLayeredImage {
    name = "fake-root";
    tag = "latest";
    contents = [ busybox ];
    fakeRootCommands = ''
      mkdir -p home/jane
      chown 1000:100 home/jane
      ${busybox}/bin/busybox mkdir -p srv
      ${busybox}/bin/busybox chown 1001 srv
    '';
    config.Env = [ "PATH=/bin" ];
  };
  # The same with the image as /, where account tools work.
  fakeChroot = buildLayeredImage {
    name = "fake-chroot";
    tag = "latest";
    contents = [ busybox ];
    fakeRootCommands = ''
      ${dockerTools.shadowSetup}
      groupadd -r hello
      useradd -r -g hello hello
      mkdir /data
      chown hello:hello /data
    '';
    enableFakechroot = true;
    config.Env = [ "PATH=/bin" ];
    config.User = "hello";
  };
  accountsAsRoot = buildImage {
    name = "accounts";
    tag = "latest";
    copyToRoot = [ busybox ];
    runAsRoot = ''
      #!${pkgs.stdenv.shell}
      ${dockerTools.shadowSetup}
      groupadd --system web
      useradd --system --gid web web
    '';
    config.User = "web";
    config.Env = [ "PATH=/bin" ];
  };

  # Files that programs take for granted.
  usual = buildLayeredImage {
    name = "usual";
    tag = "latest";
    contents = [ dockerTools.usrBinEnv dockerTools.binSh dockerTools.caCertificates dockerTools.fakeNss ];
    config.Cmd = [ (pkgs.writeScript "usual" "#!/usr/bin/env sh\n[ -s /etc/ssl/certs/ca-certificates.crt ] && echo usual\n") ];
  };

  # --- Other forms

  merged = dockerTools.mergeImages [ shell service ];
  mergedUntagged = dockerTools.mergeImages [ untagged service ];
  # Different owners and compressions beside one another.
  mergedKinds = dockerTools.mergeImages [ plain fakeRoot zstandard ];

  onRoot = streamLayeredImage {
    name = "on-root";
    tag = "latest";
    contents = [
      (pkgs.buildEnv {
        name = "on-root";
        paths = [ hello ];
      })
    ];
    config.Cmd = [ "hello" ];
    config.Env = [ "PATH=/bin" ];
  };
  onRootNoStore = onRoot.override { includeStorePaths = false; };

  exported = dockerTools.exportImage {
    name = "shell.tar";
    fromImage = shell;
  };

  # An image for another processor, of files that it alone can run.
  arm = buildImage {
    name = "arm";
    tag = "latest";
    architecture = "arm64";
    copyToRoot = [ armProgram ];
    config.Cmd = [ "/bin/hello" ];
  };

  # --- Environments of derivations

  nixShell = buildNixShellImage {
    tag = "latest";
    drv = pkgs.runCommand "greeting" {
      nativeBuildInputs = [ hello ];
      text = "some text\n";
      passAsFile = [ "text" ];
      shellHook = "echo hooked";
    } "hello > $out; cat $textPath >> $out";
    run = "buildDerivation && cat $out";
  };
  nixShellHome = streamNixShellImage {
    name = "home";
    tag = "latest";
    drv = pkgs.runCommand "structured" {
      __structuredAttrs = true;
      words = [ "a b" "c" ];
    } "printf '<%s>' \"\${words[@]}\" > $out";
    uid = 0;
    gid = 0;
    homeDirectory = "/root";
    run = "buildDerivation && cat $out && echo && echo $HOME";
  };
}
// (
  if remote == null then
    { }
  else
    rec {
      # From a registry, and something on top of it.
      pulled = dockerTools.pullImage remote;
      onTopOfPulled = buildImage {
        name = "on-top-of-pulled";
        tag = "latest";
        fromImage = pulled;
        copyToRoot = [ hello ];
        config.Cmd = [ "/bin/hello" ];
      };
    }
)
