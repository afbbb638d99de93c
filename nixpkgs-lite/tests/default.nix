# Derivations whose paths are compared between evaluators: every package of the
# set, its variants, and what users build with it. Nothing here is built.
#
#   nix-instantiate -A all.NAME tests, or the list of names: tests/attrs.txt
{
  pkgs ? import ../. { system = "x86_64-linux"; },
}:
let
  inherit (pkgs) lib dockerTools;

  redisOf =
    name: sha256:
    pkgs.redis.overrideDerivation (_: {
      inherit name;
      src = pkgs.fetchurl {
        url = "http://download.redis.io/releases/${name}.tar.gz";
        inherit sha256;
      };
    });
in
rec {
  packages = {
    inherit (pkgs)
      bash
      bashInteractive
      busybox
      cacert
      coreutils
      gosu
      hello
      redis
      redis_6
      redis_7
      redis_8
      shadow
      stdenv
      stdenvCxx
      stdenvNoCC
      su-exec
      tzdata
      ;
    goPackages-gosu-bin = pkgs.goPackages.gosu.bin;
    glibc = pkgs.glibc.out;
    glibc-dev = pkgs.glibc.dev;
    glibc-bin = pkgs.glibc.bin;
    static-redis = pkgs.pkgsStatic.redis;
    static-su-exec = pkgs.pkgsStatic.su-exec;
  };

  overridden = {
    redis-3 = redisOf "redis-3.0.7" "b2a791c4ea3bb7268795c45c6321ea5abcc24457178373e6a6e3be6372737f23";
    redis-2 = redisOf "redis-2.8.23" "f3c79778f478a01237035b67edaaa19332e5624dfa849d66815a4328d3e95ace";
    attrs = pkgs.hello.overrideAttrs { doCheck = true; };
    attrs-prev = pkgs.hello.overrideAttrs (prev: { pname = prev.pname + "-x"; });
    attrs-final = pkgs.hello.overrideAttrs (final: prev: { greeting = final.version + prev.version; });
    arguments = pkgs.redis.override { stdenv = pkgs.stdenvCxx; };
    twice = (pkgs.redis.overrideAttrs { a = 1; }).overrideDerivation (old: { b = old.a + 1; });
    overlay =
      (pkgs.extend (_: prev: { hello = prev.hello.overrideAttrs { fromOverlay = true; }; })).hello;
  };

  support = {
    text = pkgs.writeText "text" "a text\n";
    dir = pkgs.writeTextDir "share/text" "a text\n";
    script = pkgs.writeScript "script" "#!/bin/sh\n";
    script-bin = pkgs.writeScriptBin "script" "#!/bin/sh\n";
    shell-script = pkgs.writeShellScript "shell-script" "echo shell";
    shell-script-bin = pkgs.writeShellScriptBin "shell-script" "echo shell";
    application = pkgs.writeShellApplication {
      name = "application";
      runtimeInputs = [ pkgs.hello ];
      text = "hello";
    };
    command = pkgs.runCommand "command" { input = pkgs.hello; } "ls $input > $out";
    join = pkgs.symlinkJoin {
      name = "join";
      paths = [ pkgs.hello pkgs.bash ];
    };
    env = pkgs.buildEnv {
      name = "env";
      paths = [ pkgs.hello pkgs.glibc ];
      pathsToLink = [ "/bin" "/lib" ];
    };
    farm = pkgs.linkFarm "farm" { "bin/greet" = "${pkgs.hello}/bin/hello"; };
    closure = pkgs.closureInfo { rootPaths = [ pkgs.hello ]; };
    references = pkgs.writeReferencesToFile pkgs.hello;
    environment = pkgs.mkShell {
      packages = [ pkgs.hello ];
      inputsFrom = [ pkgs.redis ];
      shellHook = "echo hooked";
    };
    container = pkgs.ociTools.buildContainer {
      args = [ "${pkgs.hello}/bin/hello" "--traditional" ];
      mounts."/data" = {
        type = "none";
        source = "/var/lib/data";
        options = [ "bind" ];
      };
    };
    zip = pkgs.fetchzip {
      url = "https://example.org/source.tar.gz";
      hash = lib.fakeHash;
    };
    program = pkgs.fetchurl {
      urls = [ "https://example.org/tool" "mirror://debian/tool" ];
      sha256 = lib.fakeSha256;
      executable = true;
    };
  };

  images = {
    small = dockerTools.buildImage {
      name = "Small";
      copyToRoot = pkgs.redis;
      config.Cmd = [ "redis-server" ];
    };
    full = dockerTools.buildImage {
      name = "full";
      tag = "1";
      fromImage = images.small;
      contents = [ pkgs.hello pkgs.bash ];
      runAsRoot = ''
        #!${pkgs.stdenv.shell}
        ${dockerTools.shadowSetup}
        groupadd -r hello
      '';
      extraCommands = "mkdir data";
      config = {
        Entrypoint = [ (pkgs.writeScript "entrypoint" "#!${pkgs.runtimeShell}\n") ];
        Env = [ "A=b" ];
        ExposedPorts."80/tcp" = { };
      };
      created = "now";
    };
    layered = dockerTools.buildLayeredImage {
      name = "quay.io/Layered";
      fromImage = images.small;
      contents = [ pkgs.hello pkgs.bash ];
      extraCommands = "mkdir data";
      fakeRootCommands = "chown 1000 data";
      enableFakechroot = true;
      config.Cmd = [ "${pkgs.hello}/bin/hello" ];
      uid = 1000;
      gname = "users";
      maxLayers = 120;
    };
    streamed = dockerTools.streamLayeredImage {
      name = "streamed";
      contents = pkgs.hello;
    };
    withDatabase = dockerTools.buildLayeredImageWithNixDb {
      name = "database";
      contents = pkgs.hello;
    };
    merged = dockerTools.mergeImages [ images.small images.layered ];
    pulled = dockerTools.pullImage {
      imageName = "nixos/nix";
      imageDigest = "sha256:85299d86263a3059cf19f419f9d286cc9f06d3c13146a8ebbb21b3437f598357";
      sha256 = "19fw0n3wmddahzr20mhdqv6jkjn1kanh6n2mrr08ai53dr8ph5n7";
      finalImageName = "nix";
      finalImageTag = "2.2.1";
    };
    pulledByTag = dockerTools.pullImage {
      imageName = "debian";
      hash = lib.fakeHash;
    };
    exported = dockerTools.exportImage { fromImage = images.small; };
    layer = images.small.layer;
    pipelined = dockerTools.buildLayeredImage {
      name = "pipelined";
      config.Cmd = [ "${pkgs.redis}/bin/redis-server" ];
      layeringPipeline = [
        [ "split_paths" [ pkgs.redis ] ]
        [ "over" "common" [ "pipe" [ [ "popularity_contest" ] [ "limit_layers" 3 ] ] ] ]
      ];
    };
    pipelinedByFile = dockerTools.buildLayeredImage {
      name = "pipelined";
      layeringPipeline = pkgs.writeText "pipeline.json" "[]";
    };
    shell = dockerTools.streamNixShellImage {
      drv = pkgs.hello;
      tag = "1";
    };
    structuredShell = dockerTools.buildNixShellImage {
      drv = pkgs.runCommand "structured" {
        __structuredAttrs = true;
        list = [ "a b" 1 ];
        set.x = "${placeholder "out"}/y";
      } "touch $out";
      run = "buildDerivation";
    };
    inherit (dockerTools)
      binSh
      caCertificates
      fakeNss
      usrBinEnv
      ;
  };

  all = packages // overridden // support // images;
  # One attribute path a line.
  names = lib.concatMapStrings (n: "all.${n}\n") (lib.attrNames all);
}
