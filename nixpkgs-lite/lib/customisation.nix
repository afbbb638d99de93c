# Overriding: packages that remember how they were called, and package sets.
{ lib }:
rec {
  # The package again, from changed derivation attributes. Works below
  # mkDerivation, on what the derivation really got.
  overrideDerivation =
    drv: f:
    let
      again = lib.extendDerivation (builtins.seq drv.drvPath true) (
        (drv.passthru or { })
        // {
          meta = drv.meta or { };
          passthru = drv.passthru or { };
          overrideDerivation = overrideDerivation again;
        }
      ) (derivation (drv.drvAttrs // f drv));
    in
    again;

  # drv and each of its outputs with the given attributes, once condition holds.
  extendDerivation =
    condition: passthru: drv:
    let
      outputs = drv.outputs or [ "out" ];
      common = drv // lib.listToAttrs outputsList // { all = map (o: o.value) outputsList; } // passthru;
      outputsList = map (name: {
        inherit name;
        value =
          common
          // {
            inherit (drv.${name}) type outputName;
            outputSpecified = true;
            drvPath = assert condition; drv.${name}.drvPath;
            outPath = assert condition; drv.${name}.outPath;
          };
      }) outputs;
    in
    common
    // {
      drvPath = assert condition; drv.drvPath;
      outPath = assert condition; drv.outPath;
    };

  # f's result with `override`, which calls f again with other arguments.
  makeOverridable =
    f:
    lib.setFunctionArgs (
      args:
      let
        result = f args;
        again = changes: makeOverridable f (args // (if lib.isFunction changes then changes args else changes));
        through = change: makeOverridable (lib.setFunctionArgs (a: change (f a)) (lib.functionArgs f)) args;
      in
      if builtins.isAttrs result then
        result
        // {
          override = lib.setFunctionArgs again (lib.functionArgs f);
          overrideDerivation = change: through (x: overrideDerivation x change);
        }
        // lib.optionalAttrs (result ? overrideAttrs) {
          overrideAttrs = change: through (x: x.overrideAttrs change);
        }
      else if lib.isFunction result then
        lib.setFunctionArgs result (lib.functionArgs result) // { override = again; }
      else
        result
    ) (lib.functionArgs f);

  # Call a function (or the file that holds it) with what it asks for by name.
  callPackageWith =
    autoArgs: fn: args:
    let
      f = if lib.isFunction fn then fn else import fn;
      wanted = lib.functionArgs f;
      found = builtins.intersectAttrs wanted autoArgs;
      missing = builtins.filter (n: !(wanted.${n} || found ? ${n} || args ? ${n})) (builtins.attrNames wanted);
      where = if lib.isFunction fn then "a function" else toString fn;
    in
    if missing == [ ] then
      makeOverridable f (found // args)
    else
      throw "callPackage: ${where} wants ${
        lib.concatMapStringsSep ", " (n: "'${n}'") missing
      }, which the package set does not have${
        lib.concatStrings (
          map (
            n:
            let
              near = lib.take 3 (
                builtins.filter (c: lib.commonPrefixLength c n >= lib.max 2 (builtins.stringLength n - 2)) (builtins.attrNames autoArgs)
              );
            in
            lib.optionalString (near != [ ]) "; near '${n}': ${lib.concatStringsSep ", " near}"
          ) missing
        )
      }";

  # As callPackageWith, for a function that gives a set of packages.
  callPackagesWith =
    autoArgs: fn: args:
    let
      f = if lib.isFunction fn then fn else import fn;
      given = builtins.intersectAttrs (lib.functionArgs f) autoArgs // args;
    in
    builtins.mapAttrs (name: _: makeOverridable (a: (f a).${name}) given) (f given);

  # A set of packages that call one another.
  makeScope =
    newScope: f:
    let
      self = f self // {
        newScope = scope: newScope (self // scope);
        callPackage = self.newScope { };
        overrideScope = overlay: makeScope newScope (lib.extends overlay f);
        packages = f;
      };
    in
    self;

  hydraJob = drv: drv;
  dontDistribute = drv: lib.addMetaAttrs { hydraPlatforms = [ ]; } drv;
}
