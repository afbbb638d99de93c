# mkDerivation: from what a package says about itself to a derivation, and the
# ways to change it afterwards.
{
  lib,
  config,
  system,
  shell,
  stdenv,
  defaults,
  buildOnly,
}:
let
  # Said about a package, but no part of how it is built.
  notBuilt = [
    "meta"
    "passthru"
    "env"
    "pos"
    "realBuilder"
    "allowToolchainReferences"
    "checkInputs"
    "nativeCheckInputs"
    "installCheckInputs"
    "nativeInstallCheckInputs"
  ];

  inputs = list: map lib.getDev (lib.filter (x: x != null) (lib.flatten list));

  problemOf =
    meta:
    if (meta.broken or false) && !(config.allowBroken or false) then
      "is marked as broken (config.allowBroken = true builds it all the same)"
    else if (meta.license.free or true) == false && !(config.allowUnfree or false) then
      "has an unfree licence (config.allowUnfree = true accepts it)"
    else if meta ? platforms && !lib.elem system (lib.flatten meta.platforms) then
      "is not available on ${system}"
    else
      null;

  make =
    overrideAttrs: attrs:
    let
      name =
        if attrs ? name then
          attrs.name
        else if attrs ? pname then
          "${attrs.pname}-${attrs.version or (throw "mkDerivation: ${attrs.pname} has no version")}"
        else
          throw "mkDerivation: give either name, or pname and version";
      outputs = attrs.outputs or [ "out" ];
      doCheck = attrs.doCheck or false;
      doInstallCheck = attrs.doInstallCheck or false;
      forbidden = lib.optionals (!(attrs.allowToolchainReferences or false)) buildOnly;
      disallowed = attrs.disallowedReferences or [ ] ++ forbidden;

      drvAttrs =
        removeAttrs (defaults // attrs) notBuilt
        // (attrs.env or { })
        // {
          name = lib.strings.sanitizeDerivationName name;
          inherit system stdenv;
          builder = attrs.realBuilder or shell;
          args = attrs.args or [ "-e" (attrs.builder or ./builder.sh) ];
          # /bin/sh while this is built.
          sandboxShell = shell;
          nativeBuildInputs = inputs [
            (attrs.nativeBuildInputs or [ ])
            (lib.optionals doCheck (attrs.nativeCheckInputs or [ ]))
            (lib.optionals doInstallCheck (attrs.nativeInstallCheckInputs or [ ]))
          ];
          buildInputs = inputs [
            (attrs.buildInputs or [ ])
            (lib.optionals doCheck (attrs.checkInputs or [ ]))
            (lib.optionals doInstallCheck (attrs.installCheckInputs or [ ]))
          ];
          propagatedBuildInputs = inputs (attrs.propagatedBuildInputs or [ ]);
          propagatedNativeBuildInputs = inputs (attrs.propagatedNativeBuildInputs or [ ]);
          enableParallelBuilding = attrs.enableParallelBuilding or true;
          inherit doCheck doInstallCheck;
        }
        // lib.optionalAttrs (outputs != [ "out" ]) { inherit outputs; }
        // lib.optionalAttrs (disallowed != [ ]) (
          # Structured attributes have a place of their own for what is checked.
          if attrs.__structuredAttrs or false then
            {
              outputChecks = lib.genAttrs outputs (
                output: { disallowedReferences = disallowed; } // attrs.outputChecks.${output} or { }
              );
            }
          else
            { disallowedReferences = disallowed; }
        );

      meta =
        {
          inherit name;
          outputsToInstall = [ (if lib.elem "bin" outputs then "bin" else lib.head outputs) ];
          available = problem == null;
        }
        // attrs.meta or { };
      problem = problemOf (attrs.meta or { });
      usable = problem == null || throw "package ${name} ${problem}";

      passthru = attrs.passthru or { };
      drv = derivation drvAttrs;
      self = lib.extendDerivation usable (
        {
          inherit name meta passthru overrideAttrs;
          overrideDerivation = lib.overrideDerivation self;
        }
        // lib.optionalAttrs (attrs ? pname) { inherit (attrs) pname; }
        // lib.optionalAttrs (attrs ? version) { inherit (attrs) version; }
        // passthru
      ) drv;
    in
    self;

  # The attributes may depend on the final ones, which overrideAttrs changes.
  extensible =
    rattrs:
    let
      attrs = rattrs (attrs // { inherit finalPackage overrideAttrs; });
      overrideAttrs =
        change:
        let
          overlay = lib.toExtension change;
        in
        extensible (lib.extends overlay rattrs);
      finalPackage = make overrideAttrs attrs;
    in
    finalPackage;
in
fnOrAttrs: extensible (if lib.isFunction fnOrAttrs then fnOrAttrs else _: fnOrAttrs)
