# The environment of a derivation as an image: what nix-shell shows of it, in a
# container. The image has everything that the derivation is built with, and
# `buildDerivation`, which builds it there.
{
  lib,
  writeShellScriptBin,
  writeText,
  bashInteractive,
  binSh,
  cacert,
  fakeNss,
  usrBinEnv,
  # Makes the image: streamLayeredImage or buildLayeredImage.
  makeImage,
  function,
}:
{
  drv,
  name ? drv.name + "-env",
  tag ? null,
  # Who the container runs as.
  uid ? 1000,
  gid ? 1000,
  homeDirectory ? "/build",
  shell ? "${bashInteractive}/bin/bash",
  # Run in the environment before it ends: by an interactive shell or not.
  command ? null,
  run ? null,
  compressor ? "gz",
}:
let
  inherit (drv) drvAttrs;
  # Where Nix builds in its sandbox.
  buildDir = "/build";
  structured = drvAttrs.__structuredAttrs or false;

  # Outputs have names but are not built: they are what the container builds.
  outputNames = drv.outputs or [ "out" ];
  outputs = lib.genAttrs outputNames (o: builtins.unsafeDiscardStringContext drv.${o}.outPath);
  final = builtins.replaceStrings (map builtins.placeholder outputNames) (map (o: outputs.${o}) outputNames);

  # A value as a builder finds it in its environment.
  text =
    value:
    final (
      if builtins.isPath value then
        "${value}"
      else if builtins.isList value then
        toString (map text value)
      else
        toString value
    );

  # Nothing of how the builder is called is in its environment.
  attributes = removeAttrs drvAttrs [ "args" "outputs" ];
  plain =
    lib.mapAttrs' (
      n: value:
      if lib.elem n (drvAttrs.passAsFile or [ ]) then
        lib.nameValuePair "${n}Path" (writeText "pass-as-text-${n}" (text value))
      else
        lib.nameValuePair n (text value)
    ) attributes
    // lib.optionalAttrs (drvAttrs ? outputs) { outputs = toString drvAttrs.outputs; };

  # The same for structured attributes: two files.
  values = attributes // {
    inherit outputs;
  };
  word = value: lib.escapeShellArg (text value);
  isSimple = value: !(lib.isList value || lib.isAttrs value && !(value ? outPath) || lib.isFloat value);
  declaration =
    n: value:
    if builtins.match "[A-Za-z_][A-Za-z0-9_]*" n == null then
      ""
    else if isSimple value then
      "declare ${n}=${if value == true then "1" else word value}\n"
    else if lib.isList value && lib.all isSimple value then
      "declare -a ${n}=(${lib.concatMapStringsSep " " word value})\n"
    else if lib.isAttrs value && lib.all isSimple (lib.attrValues value) then
      "declare -A ${n}=(${lib.concatStringsSep " " (lib.mapAttrsToList (k: v: "[${lib.escapeShellArg k}]=${word v}") value)})\n"
    else
      "";
  structuredFiles = {
    NIX_ATTRS_JSON_FILE = writeText "attrs.json" (final (builtins.toJSON values));
    NIX_ATTRS_SH_FILE = writeText "attrs.sh" (lib.concatStrings (lib.mapAttrsToList declaration values));
  };

  buildDerivation = writeShellScriptBin "buildDerivation" ''
    exec ${lib.escapeShellArgs (map text ([ drvAttrs.builder ] ++ drvAttrs.args or [ ]))}
  '';
  path = "${dirOf shell}:${buildDerivation}/bin";

  rcfile = writeText "nix-shell-rc" ''
    unset PATH
    dontAddDisableDepTrack=1
    ${lib.optionalString structured ''. "$NIX_ATTRS_SH_FILE"''}
    if [ -e "$stdenv/setup" ]; then . "$stdenv/setup"; fi
    PATH=${path}:"$PATH"
    SHELL=${lib.escapeShellArg shell}
    BASH=${lib.escapeShellArg shell}
    set +e
    if [ -n "$PS1" ] && [ -z "$NIX_SHELL_PRESERVE_PROMPT" ]; then
      PS1='\n\[\033[1;32m\][nix-shell:\w]\$\[\033[0m\] '
    fi
    if [ "$(type -t runHook)" = function ]; then
      runHook shellHook
    fi
    unset NIX_ENFORCE_PURITY
    shopt -u nullglob
    shopt -s execfail
    ${lib.optionalString (command != null) command}
    ${lib.optionalString (run != null) run}
    ${lib.optionalString (command != null || run != null) "exit"}
  '';

  environment = {
    SSL_CERT_FILE = "${cacert}/etc/ssl/certs/ca-bundle.crt";
    NIX_SSL_CERT_FILE = "${cacert}/etc/ssl/certs/ca-bundle.crt";
    PATH = path;
    HOME = homeDirectory;
    NIX_STORE = builtins.storeDir;
    NIX_BUILD_CORES = "1";
  }
  // (if structured then structuredFiles // { stdenv = text (drvAttrs.stdenv or ""); } else plain)
  // outputs
  // {
    NIX_BUILD_TOP = buildDir;
    TMPDIR = buildDir;
    TEMPDIR = buildDir;
    TMP = buildDir;
    TEMP = buildDir;
    PWD = buildDir;
    TERM = "xterm-256color";
  };
in
if command != null && run != null then
  throw "dockerTools.${function}: ${name}: give command or run, not both"
else
  makeImage {
    inherit name tag compressor;
    contents = [
      binSh
      usrBinEnv
      (fakeNss.override {
        extraPasswdLines = [ "nixbld:x:${toString uid}:${toString gid}:Build user:${homeDirectory}:/noshell" ];
        extraGroupLines = [ "nixbld:!:${toString gid}:" ];
      })
    ];
    # What is built goes into the store, which the user owns, as where Nix was
    # installed by one user for himself: it works there, too.
    fakeRootCommands = ''
      mkdir -p .${builtins.storeDir} ./nix/var/nix ./etc/nix .${buildDir}
      chown -R ${toString uid}:${toString gid} ./nix ./etc/nix .${buildDir}
    '';
    # The outputs are named, but not there.
    absentPaths = lib.attrValues outputs;
    config = {
      User = "${toString uid}:${toString gid}";
      Cmd = if run == null then [ shell "--rcfile" rcfile ] else [ shell rcfile ];
      WorkingDir = buildDir;
      Env = lib.mapAttrsToList (n: value: "${n}=${value}") environment;
    };
  }
