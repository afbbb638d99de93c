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
  # What images are for unless they say so.
  defaultArchitecture ? "amd64",
  defaultVariant ? "",
}:
let
  # Snippets run with the programs of a build; nothing of them gets into an
  # image but what a snippet itself puts there.
  needsShell = text: text != null && text != "";
  compressors = [ "gz" "zstd" "none" ];

  # Docker loads no image with more.
  mostLayers = 125;

  # The hash part of an output.
  hashOf = drv: lib.head (lib.splitString "-" (baseNameOf (builtins.unsafeDiscardStringContext drv.outPath)));

  # What is said of files, as store paths: one, or lists of them.
  storePaths = given: map (x: "${x}") (lib.filter (x: x != null) (lib.flatten given));

  # An image to read: a file, not a program that writes one.
  archiveOf =
    image:
    if image.isExe or false then
      throw "dockerTools: ${image.name} is a program that writes an image when it runs: take one of buildLayeredImage to build on"
    else
      "${image}";

  # A derivation of the attributes that rattrs gives, which overrideAttrs changes
  # as it does those of a package; passthru follows from them and the derivation.
  make =
    passthruOf: rattrs:
    let
      attrs = lib.fix rattrs;
      built = derivation (removeAttrs attrs [ "meta" "passthru" ]);
      passthru = attrs.passthru or { } // passthruOf attrs built;
    in
    built
    // passthru
    // {
      inherit passthru;
      meta = attrs.meta or { };
      overrideAttrs =
        change:
        make passthruOf (
          lib.extends (
            final: prev:
            let
              given = if lib.isFunction change then change prev else change;
            in
            if lib.isFunction given then change final prev else given
          ) rattrs
        );
    };

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
  # Arguments are those that nixpkgs' buildImage takes. The function has a name of its
  # own for the error about one that is misspelt.
  buildImage =
    let
      buildImage =
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
          architecture ? defaultArchitecture,
          variant ? defaultVariant,
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
          snippets = needsShell extraCommands || needsShell runAsRoot;
          baseName = lib.strings.sanitizeDerivationName (baseNameOf name);
          image = make passthruOf (
            _:
            {
              name = "docker-image-${baseName}.tar";
              __structuredAttrs = true;
              system = "builtin";
              builder = "builtin:docker-image";

              imageName = lib.toLower name;
              imageTag = tag;
              fromImage = if fromImage == null then null else archiveOf fromImage;
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
                meta
                passthru
                ;
              os = "linux";
              contents = storePaths (if copyToRoot != null then copyToRoot else contents);
              extraCommands = if extraCommands == null then "" else extraCommands;
              runAsRoot = if needsShell runAsRoot then runAsRoot else null;
              shell = if snippets then "${bootstrap.shell}/bin/bash" else null;
              path = if snippets then "${bootstrap.tools}/bin" else null;
            }
            // lib.optionalAttrs (variant != "") { inherit variant; }
            // lib.optionalAttrs inheritConfig { inherit inheritConfig; }
          );
          passthruOf = attrs: built: {
            buildArgs = args;
            layer = topLayer (attrs // { compressor = "none"; imageTag = "layer"; });
            inherit (attrs) imageName;
            imageTag = if attrs.imageTag != null then attrs.imageTag else hashOf built;
          };
          # The one layer that this adds, as a folder with layer.tar.
          topLayer =
            attrs:
            let
              archive = derivation (removeAttrs attrs [ "meta" "passthru" ]);
            in
            runCommand "docker-layer-${baseName}" { } ''
              mkdir $out
              tar -xOf ${archive} manifest.json > manifest
              last=$(grep -o '"Layers":.*' manifest | grep -o 'blobs/[a-z0-9/]*' | tail -n 1)
              tar -xOf ${archive} "$last" > $out/layer.tar
              printf 1.0 > $out/VERSION
            '';
        in
        if copyToRoot != null && contents != null then
          throw "dockerTools.buildImage: ${name}: contents is the old name of copyToRoot: give one of them"
        else if !lib.elem compressor compressors then
          throw "dockerTools.buildImage: ${name}: compressor is one of ${lib.concatStringsSep ", " compressors}, not ${compressor}"
        else
          image;
    in
    lib.makeOverridable buildImage;

  # A layer a store path, the largest first; contents are links into the store.
  # Arguments are those of nixpkgs' streamLayeredImage.
  layeredImage =
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
      architecture ? defaultArchitecture,
      variant ? defaultVariant,
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
          fromImage = if fromImage == null then null else archiveOf fromImage;
          contents = storePaths contents;
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
            extraCommands
            fakeRootCommands
            enableFakechroot
            includeStorePaths
            includeNixDB
            ;
          os = "linux";
          maxLayers = if maxLayers > mostLayers then mostLayers else maxLayers;
          shell = if snippets then "${bootstrap.shell}/bin/bash" else null;
          path = if snippets then "${bootstrap.tools}/bin" else null;
        }
        // lib.optionalAttrs (variant != "") { inherit variant; }
        // lib.optionalAttrs (absentPaths != [ ]) { inherit absentPaths; }
        // lib.optionalAttrs pipelined {
          layeringPipeline = if lib.isList layeringPipeline then layeringPipeline else "${layeringPipeline}";
        };
      pipelined = layeringPipeline != null && layeringPipeline != "auto";
      conf = writeText "${baseNameOf name}-conf.json" (builtins.toJSON spec);
      # What the image is called follows from all that is said of it.
      imageTag = if tag != null then tag else hashOf conf;
    in
    if !lib.elem compressor compressors then
      throw "dockerTools: ${name}: compressor is one of ${lib.concatStringsSep ", " compressors}, not ${compressor}"
    else if maxLayers < 2 && !pipelined then
      throw "dockerTools: ${name}: maxLayers must be greater than 1, not ${toString maxLayers}"
    else
      {
        inherit conf compressor;
        attrs = spec // {
          __structuredAttrs = true;
          system = "builtin";
          builder = "builtin:docker-image";
          inherit imageTag meta passthru;
        };
      };

  buildLayeredImage = lib.makeOverridable (
    { name, ... }@args:
    let
      layered = layeredImage args;
    in
    make
      (attrs: _: {
        inherit (layered) conf;
        inherit (attrs) imageName imageTag;
        stream = streamLayeredImage (removeAttrs args [ "compressor" "meta" ]);
      })
      (
        _:
        layered.attrs
        // {
          name = "${lib.strings.sanitizeDerivationName (baseNameOf name)}.tar.gz";
          inherit (layered) compressor;
        }
      )
  );

  # A program that writes the image to standard output, for `docker load`; the
  # files come from the store when it runs, so the image takes no room there. It
  # is static and finds the store by where it lies itself.
  streamLayeredImage = lib.makeOverridable (
    { name, ... }@args:
    let
      layered = layeredImage args;
    in
    make
      (attrs: _: {
        inherit (layered) conf;
        inherit (attrs) imageName imageTag;
        isExe = true;
      })
      (
        _:
        layered.attrs
        // {
          name = "stream-${lib.strings.sanitizeDerivationName (baseNameOf name)}";
          compressor = "none";
          streamer = "${streamer}/bin/stream-image";
        }
      )
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
      outputHash ? null,
      outputHashAlgo ? null,
      os ? "linux",
      arch ? defaultArchitecture,
      variant ? defaultVariant,
      finalImageName ? imageName,
      finalImageTag ? imageTag,
      # false for plain HTTP and certificates that cannot be checked.
      tlsVerify ? true,
      name ? builtins.replaceStrings [ "/" ":" ] [ "-" "-" ] "docker-image-${finalImageName}-${finalImageTag}.tar",
    }:
    let
      hashes = lib.filter (h: h.outputHash != null) [
        { outputHash = if hash == "" then lib.fakeHash else hash; }
        { outputHash = sha256; outputHashAlgo = "sha256"; }
        ({ inherit outputHash; } // lib.optionalAttrs (outputHashAlgo != null) { inherit outputHashAlgo; })
      ];
    in
    if lib.length hashes != 1 then
      throw "dockerTools.pullImage: ${imageName}: give hash or sha256, one of them"
    else
      make
        (_: _: {
          inherit imageName;
          imageTag = finalImageTag;
        })
        (
          _:
          {
            inherit name os arch finalImageName finalImageTag tlsVerify;
            __structuredAttrs = true;
            system = "builtin";
            builder = "builtin:docker-pull";
            imageReference = if imageDigest != null then "${imageName}@${imageDigest}" else "${imageName}:${imageTag}";
            outputHashMode = "flat";
            preferLocalBuild = true;
          }
          // lib.optionalAttrs (variant != "") { inherit variant; }
          // lib.head hashes
        );

  # One archive with several images.
  mergeImages =
    images:
    make (_: _: { }) (_: {
      name = "merge-docker-images.tar.gz";
      __structuredAttrs = true;
      system = "builtin";
      builder = "builtin:docker-merge";
      images = map archiveOf images;
    });

  # The files of an image as a tar, all layers in one.
  exportImage =
    {
      fromImage,
      name ? fromImage.name or (throw "dockerTools.exportImage: give name, as fromImage is a file without one"),
      fromImageName ? null,
      fromImageTag ? null,
      architecture ? defaultArchitecture,
      diskSize ? 1024,
    }:
    make (_: _: { }) (_: {
      inherit name fromImageName fromImageTag architecture;
      __structuredAttrs = true;
      system = "builtin";
      builder = "builtin:docker-export";
      fromImage = archiveOf fromImage;
    });

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
