# Images of containers. The Nix side only says what is wanted: the builder
# `builtin:docker-image` puts layers and archive together.
{
  lib,
  bootstrap,
  runCommand,
  stdenvMusl,
  writeShellScriptBin,
  writeText,
  bash,
  bashInteractive,
  coreutils,
  fakeNss,
  shadow,
  cacert,
}:
let
  system = bootstrap.busybox.system;

  # Snippets run with the programs of a build; nothing of them gets into an
  # image but what a snippet itself puts there.
  needsShell = text: text != null && text != "";
  compressors = [ "gz" "zstd" "none" ];

  streamer = stdenvMusl.mkDerivation {
    name = "stream-image";
    src = ./stream.c;
    dontUnpack = true;
    buildPhase = ''
      runHook preBuild
      gcc -O2 -Wall -Wextra -Werror $src -o stream-image
      runHook postBuild
    '';
    installPhase = ''
      runHook preInstall
      install -D stream-image $out/bin/stream-image
      runHook postInstall
    '';
  };
in
rec {
  # Arguments are those that nixpkgs' buildImage takes.
  buildImage = lib.makeOverridable (
    {
      name,
      tag ? null,
      # An archive of images, and which of those in it.
      fromImage ? null,
      fromImageName ? null,
      fromImageTag ? null,
      # All settings of the base instead of only its environment.
      inheritConfig ? false,
      # Copied into / as they are; the closure comes along below /nix/store.
      copyToRoot ? null,
      contents ? null,
      keepContentsDirlinks ? false,
      config ? null,
      architecture ? "amd64",
      # Run in the new layer's folder.
      extraCommands ? "",
      # Run with the image as /, as its root user.
      runAsRoot ? null,
      uid ? 0,
      gid ? 0,
      created ? "1970-01-01T00:00:01Z",
      compressor ? "gz",
      includeNixDB ? false,
      # A virtual machine was needed once: nothing to set any more.
      diskSize ? 1024,
      buildVMMemorySize ? 512,
      meta ? { },
      passthru ? { },
    }@args:
    let
      both = copyToRoot != null && contents != null;
      roots = if copyToRoot != null then copyToRoot else contents;
      snippets = needsShell extraCommands || needsShell runAsRoot;
      archive = derivation attrs;
      attrs =
        {
          name = "docker-image-${lib.strings.sanitizeDerivationName (baseNameOf name)}.tar";
          __structuredAttrs = true;
          system = "builtin";
          builder = "builtin:docker-image";

          imageName = lib.toLower name;
          imageTag = tag;
          fromImage = if fromImage == null then null else "${fromImage}";
          inherit
            fromImageName
            fromImageTag
            keepContentsDirlinks
            config
            architecture
            uid
            gid
            created
            compressor
            includeNixDB
            ;
          os = "linux";
          contents = map (x: "${x}") (if roots == null then [ ] else lib.toList roots);
          extraCommands = if extraCommands == null then "" else extraCommands;
          runAsRoot = if needsShell runAsRoot then runAsRoot else null;
          shell = if snippets then "${bootstrap.shell}/bin/bash" else null;
          path = if snippets then "${bootstrap.tools}/bin" else null;
        }
        // lib.optionalAttrs inheritConfig { inherit inheritConfig; };
      # The one layer that this adds, as a folder with layer.tar.
      layer = runCommand "docker-layer-${lib.strings.sanitizeDerivationName (baseNameOf name)}" { } ''
        mkdir $out
        tar -xOf ${derivation (attrs // { compressor = "none"; imageTag = "layer"; })} manifest.json > manifest
        last=$(grep -o '"Layers":.*' manifest | grep -o 'blobs/[a-z0-9/]*' | tail -n 1)
        tar -xOf ${derivation (attrs // { compressor = "none"; imageTag = "layer"; })} "$last" > $out/layer.tar
        printf 1.0 > $out/VERSION
      '';
      image =
        archive
        // passthru
        // {
          inherit meta layer;
          buildArgs = args;
          imageName = lib.toLower name;
          imageTag =
            if tag != null then
              tag
            else
              lib.head (lib.splitString "-" (baseNameOf (builtins.unsafeDiscardStringContext archive.outPath)));
          passthru = passthru // {
            buildArgs = args;
            inherit layer;
            inherit (image) imageName imageTag;
          };
        };
    in
    if both then
      throw "dockerTools.buildImage: ${name}: contents is the old name of copyToRoot: give one of them"
    else if !lib.elem compressor compressors then
      throw "dockerTools.buildImage: ${name}: compressor is one of ${lib.concatStringsSep ", " compressors}, not ${compressor}"
    else
      image
  );

  # A layer a store path, the largest first; contents are links into the store.
  # Arguments are those of nixpkgs' streamLayeredImage.
  layeredSpec =
    {
      name,
      tag ? null,
      fromImage ? null,
      fromImageName ? null,
      fromImageTag ? null,
      inheritConfig ? false,
      # Linked in /; the closure comes along below /nix/store.
      contents ? [ ],
      config ? { },
      architecture ? "amd64",
      created ? "1970-01-01T00:00:01Z",
      # Time and owners of the files of the store.
      mtime ? "1970-01-01T00:00:01Z",
      uid ? 0,
      gid ? 0,
      uname ? "root",
      gname ? "root",
      maxLayers ? 100,
      # Run in the topmost layer's folder.
      extraCommands ? "",
      # The same, and owners are kept; or with that folder as /.
      fakeRootCommands ? "",
      enableFakechroot ? false,
      includeStorePaths ? true,
      includeNixDB ? false,
      compressor ? "gz",
      # Steps that cut layers, in place of size-first and maxLayers: see
      # dockertools/layer. A list, or a file with it as JSON.
      layeringPipeline ? null,
      meta ? { },
      passthru ? { },
      # Says more about layers in nixpkgs; here the log always does.
      debug ? false,
      # Store paths that config names although the image is not to have them.
      absentPaths ? [ ],
    }:
    let
      snippets = needsShell extraCommands || needsShell fakeRootCommands;
      spec =
        {
          layered = true;
          layerStrategy = "size-first";
          imageName = lib.toLower name;
          fromImage = if fromImage == null then null else "${fromImage}";
          contents = map (x: "${x}") (lib.toList contents);
          inherit
            fromImageName
            fromImageTag
            inheritConfig
            config
            architecture
            created
            mtime
            uid
            gid
            uname
            gname
            maxLayers
            extraCommands
            fakeRootCommands
            enableFakechroot
            includeStorePaths
            includeNixDB
            ;
          os = "linux";
          shell = if snippets then "${bootstrap.shell}/bin/bash" else null;
          path = if snippets then "${bootstrap.tools}/bin" else null;
        }
        // lib.optionalAttrs (absentPaths != [ ]) { inherit absentPaths; }
        // lib.optionalAttrs pipelined {
          layeringPipeline = if lib.isList layeringPipeline then layeringPipeline else "${layeringPipeline}";
        };
      pipelined = layeringPipeline != null && layeringPipeline != "auto";
      conf = writeText "${baseNameOf name}-conf.json" (builtins.toJSON spec);
      # What the image is called follows from all that is said of it.
      imageTag =
        if tag != null then
          tag
        else
          lib.head (lib.splitString "-" (baseNameOf (builtins.unsafeDiscardStringContext conf.outPath)));
    in
    if !lib.elem compressor compressors then
      throw "dockerTools: ${name}: compressor is one of ${lib.concatStringsSep ", " compressors}, not ${compressor}"
    else if maxLayers < 2 then
      throw "dockerTools: ${name}: maxLayers must be greater than 1, not ${toString maxLayers}"
    else if maxLayers > 125 then
      throw "dockerTools: ${name}: maxLayers is at most 125, not ${toString maxLayers}: Docker loads no image with more"
    else
      {
        inherit conf imageTag meta passthru compressor;
        inherit (spec) imageName;
        attrs = spec // {
          __structuredAttrs = true;
          system = "builtin";
          builder = "builtin:docker-image";
          inherit imageTag;
        };
      };

  buildLayeredImage = lib.makeOverridable (
    { name, ... }@args:
    let
      layered = layeredSpec args;
      archive = derivation (
        layered.attrs
        // {
          name = "${lib.strings.sanitizeDerivationName (baseNameOf name)}.tar.gz";
          inherit (layered) compressor;
        }
      );
    in
    archive
    // layered.passthru
    // {
      inherit (layered) meta imageName imageTag conf;
      passthru = layered.passthru // {
        inherit (layered) imageName imageTag conf;
      };
    }
  );

  # A program that writes the image to standard output, for `docker load`; the
  # files come from the store when it runs, so the image takes no room there. It
  # is static and finds the store by where it lies itself.
  streamLayeredImage = lib.makeOverridable (
    { name, ... }@args:
    let
      layered = layeredSpec args;
      program = derivation (
        layered.attrs
        // {
          name = "stream-${lib.strings.sanitizeDerivationName (baseNameOf name)}";
          compressor = "none";
          streamer = "${streamer}/bin/stream-image";
        }
      );
    in
    program
    // layered.passthru
    // {
      inherit (layered) meta imageName imageTag conf;
      isExe = true;
      passthru = layered.passthru // {
        inherit (layered) imageName imageTag conf;
        isExe = true;
      };
    }
  );

  # The environment of a derivation, as nix-shell has it; see nix-shell.nix.
  streamNixShellImage = nixShellImage "streamNixShellImage" (args: streamLayeredImage (removeAttrs args [ "compressor" ]));
  buildNixShellImage = nixShellImage "buildNixShellImage" buildLayeredImage;
  nixShellImage =
    function: makeImage:
    import ./nix-shell.nix {
      inherit
        lib
        writeShellScriptBin
        writeText
        bashInteractive
        binSh
        cacert
        fakeNss
        usrBinEnv
        makeImage
        function
        ;
    };

  # The same with a database of the store paths for Nix.
  buildImageWithNixDb = args: buildImage (args // { includeNixDB = true; });
  buildLayeredImageWithNixDb = args: buildLayeredImage (args // { includeNixDB = true; });

  # An image of a registry, as the archive that nixpkgs' pullImage makes of it: by
  # digest, or as files of 2016 do, by tag. The hash is of the archive.
  pullImage =
    {
      imageName,
      imageDigest ? null,
      imageTag ? "latest",
      hash ? null,
      sha256 ? null,
      os ? "linux",
      arch ? "amd64",
      finalImageName ? imageName,
      finalImageTag ? imageTag,
      # false for plain HTTP and certificates that cannot be checked.
      tlsVerify ? true,
      name ? builtins.replaceStrings [ "/" ":" ] [ "-" "-" ] "docker-image-${finalImageName}-${finalImageTag}.tar",
    }:
    if (hash == null) == (sha256 == null) then
      throw "dockerTools.pullImage: ${imageName}: give hash or sha256, one of them"
    else
      derivation (
        {
          inherit name os arch finalImageName finalImageTag tlsVerify;
          __structuredAttrs = true;
          system = "builtin";
          builder = "builtin:docker-pull";
          imageReference = if imageDigest != null then "${imageName}@${imageDigest}" else "${imageName}:${imageTag}";
          outputHashMode = "flat";
          preferLocalBuild = true;
        }
        // (
          if hash != null then
            { outputHash = hash; }
          else
            {
              outputHash = sha256;
              outputHashAlgo = "sha256";
            }
        )
      )
      // {
        inherit imageName;
        imageTag = finalImageTag;
      };

  # One archive with several images.
  mergeImages =
    images:
    derivation {
      name = "merge-docker-images.tar.gz";
      __structuredAttrs = true;
      system = "builtin";
      builder = "builtin:docker-merge";
      images = map (x: "${x}") images;
    };

  # The files of an image as a tar, all layers in one.
  exportImage =
    {
      fromImage,
      name ? fromImage.name,
      fromImageName ? null,
      fromImageTag ? null,
      architecture ? "amd64",
      diskSize ? 1024,
    }:
    derivation {
      inherit name fromImageName fromImageTag architecture;
      __structuredAttrs = true;
      system = "builtin";
      builder = "builtin:docker-export";
      fromImage = "${fromImage}";
    };

  # For runAsRoot: the files that useradd and groupadd expect, and the two on PATH.
  shadowSetup = ''
    export PATH=${shadow}/bin:$PATH
    # Days since 1970 in /etc/shadow: always the first one.
    export SOURCE_DATE_EPOCH=86400
    mkdir -p /etc/pam.d
    if [ ! -f /etc/passwd ]; then
      echo "root:x:0:0:root:/root:/bin/sh" > /etc/passwd
      echo "root:!:1::::::" > /etc/shadow
    fi
    if [ ! -f /etc/group ]; then
      echo "root:x:0:" > /etc/group
      echo "root:x::" > /etc/gshadow
    fi
    if [ ! -f /etc/pam.d/other ]; then
      for kind in account auth password session; do
        echo "$kind required pam_permit.so"
      done > /etc/pam.d/other
    fi
    [ -f /etc/login.defs ] || : > /etc/login.defs
    chmod 640 /etc/shadow /etc/gshadow
    # What the programs keep aside is of no use in an image.
    trap 'rm -f /etc/passwd- /etc/group- /etc/shadow- /etc/gshadow- /etc/subuid- /etc/subgid- /etc/.pwd.lock' EXIT
  '';

  # Accounts for an image without any; override adds lines.
  inherit fakeNss;

  # Places that scripts take for granted.
  binSh = runCommand "bin-sh" { } ''
    mkdir -p $out/bin
    ln -s ${bashInteractive}/bin/bash $out/bin/sh
  '';
  usrBinEnv = runCommand "usr-bin-env" { } ''
    mkdir -p $out/usr/bin
    ln -s ${coreutils}/bin/env $out/usr/bin/env
  '';
  caCertificates = runCommand "ca-certificates" { } ''
    mkdir -p $out/etc/ssl/certs $out/etc/pki/tls/certs
    ln -s ${cacert}/etc/ssl/certs/ca-bundle.crt $out/etc/ssl/certs/ca-bundle.crt
    ln -s ${cacert}/etc/ssl/certs/ca-bundle.crt $out/etc/ssl/certs/ca-certificates.crt
    ln -s ${cacert}/etc/ssl/certs/ca-bundle.crt $out/etc/pki/tls/certs/ca-bundle.crt
  '';
}
