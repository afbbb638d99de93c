# Small derivations: a command, a text, a script, links.
{ lib, pkgs }:
let
  inherit (pkgs) stdenv stdenvNoCC runtimeShell;

  runWith =
    env:
    {
      name,
      derivationArgs ? { },
      runLocal ? false,
    }:
    buildCommand:
    env.mkDerivation (
      {
        inherit name buildCommand;
        passAsFile = [ "buildCommand" ] ++ derivationArgs.passAsFile or [ ];
        enableParallelBuilding = true;
      }
      // lib.optionalAttrs runLocal {
        preferLocalBuild = true;
        allowSubstitutes = false;
      }
      // removeAttrs derivationArgs [ "passAsFile" ]
    );
in
rec {
  # name, environment, shell commands that make $out.
  runCommand =
    name: derivationArgs:
    runWith stdenvNoCC { inherit name derivationArgs; };
  runCommandLocal =
    name: derivationArgs:
    runWith stdenvNoCC {
      inherit name derivationArgs;
      runLocal = true;
    };
  # With the C compiler; what comes out may refer to it.
  runCommandCC =
    name: derivationArgs:
    runWith stdenv {
      inherit name;
      derivationArgs = derivationArgs // {
        allowToolchainReferences = true;
      };
    };
  runCommandWith =
    { stdenv ? stdenvNoCC, runLocal ? false, derivationArgs ? { }, name }: runWith stdenv { inherit name derivationArgs runLocal; };

  # A text as a file: $out itself, or $out/destination.
  writeTextFile =
    {
      name,
      text,
      executable ? false,
      destination ? "",
      checkPhase ? "",
      meta ? { },
      passthru ? { },
      allowSubstitutes ? false,
      preferLocalBuild ? true,
      derivationArgs ? { },
    }:
    runCommand name
      (
        {
          inherit
            text
            executable
            checkPhase
            allowSubstitutes
            preferLocalBuild
            ;
          inherit destination;
          passAsFile = [ "text" ] ++ derivationArgs.passAsFile or [ ];
          meta = lib.optionalAttrs (executable && lib.hasPrefix "/bin/" destination) {
            mainProgram = lib.removePrefix "/bin/" destination;
          } // meta;
          inherit passthru;
        }
        // removeAttrs derivationArgs [ "passAsFile" ]
      )
      ''
        target=$out$destination
        mkdir -p "$(dirname "$target")"
        if [ -e "$textPath" ]; then
          mv "$textPath" "$target"
        else
          printf %s "$text" > "$target"
        fi
        if [ -n "$executable" ]; then
          chmod +x "$target"
        fi
        eval "$checkPhase"
      '';

  writeText = name: text: writeTextFile { inherit name text; };
  # path is relative to the output.
  writeTextDir =
    path: text:
    writeTextFile {
      inherit text;
      name = baseNameOf path;
      destination = "/${path}";
    };
  writeScript =
    name: text:
    writeTextFile {
      inherit name text;
      executable = true;
    };
  writeScriptBin =
    name: text:
    writeTextFile {
      inherit name text;
      executable = true;
      destination = "/bin/${name}";
    };

  # Shell scripts get their first line, and are read once by a shell.
  shellScript =
    args:
    writeTextFile (
      {
        executable = true;
        checkPhase = ''
          $SHELL -n "$target"
        '';
      }
      // args
      // {
        text = ''
          #!${runtimeShell}
          ${args.text}
        '';
      }
    );
  writeShellScript = name: text: shellScript { inherit name text; };
  writeShellScriptBin =
    name: text:
    shellScript {
      inherit name text;
      destination = "/bin/${name}";
    };
  writeShellApplication =
    {
      name,
      text,
      runtimeInputs ? [ ],
      runtimeEnv ? { },
      bashOptions ? [ "errexit" "nounset" "pipefail" ],
      meta ? { },
      ...
    }:
    shellScript {
      inherit name meta;
      destination = "/bin/${name}";
      text =
        lib.concatMapStrings (o: "set -o ${o}\n") bashOptions
        + lib.concatStrings (lib.mapAttrsToList (n: v: "${lib.toShellVar n v}\nexport ${n}\n") runtimeEnv)
        + lib.optionalString (runtimeInputs != [ ]) ''
          export PATH="${lib.makeBinPath runtimeInputs}:$PATH"
        ''
        + text;
    };

  concatTextFile =
    {
      name,
      files,
      executable ? false,
      destination ? "",
    }:
    runCommandLocal name { inherit files executable destination; } ''
      target=$out$destination
      mkdir -p "$(dirname "$target")"
      cat $files > "$target"
      if [ -n "$executable" ]; then
        chmod +x "$target"
      fi
    '';
  concatText = name: files: concatTextFile { inherit name files; };
  concatScript =
    name: files:
    concatTextFile {
      inherit name files;
      executable = true;
    };

  # Real folders, with a link to each file of the paths; the first one wins.
  symlinkJoin =
    {
      name ? "${pname}-${version}",
      pname ? throw "symlinkJoin: give name, or pname and version",
      version ? throw "symlinkJoin: give name, or pname and version",
      paths,
      stripPrefix ? "",
      preferLocalBuild ? true,
      allowSubstitutes ? false,
      postBuild ? "",
      failOnMissing ? stripPrefix == "",
      ...
    }@args:
    runCommand name
      (
        removeAttrs args [ "name" "pname" "version" "postBuild" "stripPrefix" "failOnMissing" ]
        // {
          inherit preferLocalBuild allowSubstitutes paths;
          passAsFile = [ "paths" ];
        }
      )
      ''
        mkdir -p $out
        for path in $(cat $pathsPath); do
          path=$path${stripPrefix}
          ${lib.optionalString (!failOnMissing) ''[ -d "$path" ] || continue''}
          cd "$path"
          find . -mindepth 1 -type d -printf '%P\0' | (cd $out && xargs -0 -r mkdir -p --)
          while IFS= read -r -d "" file; do
            if [ ! -e "$out/$file" ] && [ ! -L "$out/$file" ]; then
              ln -s "$path/$file" "$out/$file"
            fi
          done < <(find . ! -type d -printf '%P\0')
        done
        cd $out
        ${postBuild}
      '';

  # entries: { "where/in/out" = target; } or [ { name, path } ].
  linkFarm =
    name: entries:
    let
      list = if lib.isAttrs entries then lib.attrsToList entries else map (e: lib.nameValuePair e.name e.path) entries;
      # Of entries with the same name the last one counts.
      byName = lib.listToAttrs (lib.reverseList list);
    in
    runCommandLocal name { passthru.entries = byName; } (
      ''
        mkdir -p $out
        cd $out
      ''
      + lib.concatStrings (
        lib.mapAttrsToList (n: target: ''
          mkdir -p -- ${lib.escapeShellArg (dirOf n)}
          ln -s -- ${lib.escapeShellArg "${target}"} ${lib.escapeShellArg n}
        '') byName
      )
    );
  linkFarmFromDrvs = name: drvs: linkFarm name (map (d: { inherit (d) name; path = d; }) drvs);

  copyPathToStore = path: builtins.path { inherit path; };
  emptyFile = runCommandLocal "empty-file" { } "touch $out";
  emptyDirectory = runCommandLocal "empty-directory" { } "mkdir $out";
  # Only the programs of a package.
  onlyBin =
    pkg:
    runCommandLocal "${pkg.name}-only-bin" { } ''
      mkdir -p $out
      ln -s ${lib.getBin pkg}/bin $out/bin
    '';
  # A source with patches applied, as a folder.
  applyPatches =
    {
      src,
      name ? "${src.name or (baseNameOf src)}-patched",
      patches ? [ ],
      ...
    }@args:
    stdenvNoCC.mkDerivation (
      args
      // {
        inherit name;
        dontConfigure = true;
        dontBuild = true;
        dontFixup = true;
        installPhase = "cp -R . $out";
      }
    );
  srcOnly =
    { src, name ? "source", ... }@args: applyPatches (args // { inherit name; });
  # A script that is sourced by packages that have it among their inputs.
  makeSetupHook =
    { name, substitutions ? { }, propagatedBuildInputs ? [ ], meta ? { } }:
    script:
    runCommand name ({ inherit propagatedBuildInputs meta; } // substitutions) ''
      mkdir -p $out/nix-support
      substituteAll ${script} $out/nix-support/setup-hook
      outputDev=out
      writeNixSupport
    '';
  requireFile =
    { name ? baseNameOf url, url ? "", sha256 ? null, hash ? null, message ? null, hashMode ? "flat" }:
    derivation (
      {
        inherit name;
        inherit (stdenvNoCC) system;
        outputHashMode = hashMode;
        builder = "${pkgs.bootstrap.shell}/bin/bash";
        args = [ "-c" ''echo "$message" >&2; exit 1'' ];
        message = if message != null then message else "get ${name} from ${url} and add it to the store: nix-store --add-fixed sha256 ${name}";
        preferLocalBuild = true;
      }
      // (if hash != null then { outputHash = hash; outputHashAlgo = null; } else { outputHash = sha256; outputHashAlgo = "sha256"; })
    );
}
