# Nix values as text of other formats.
{ lib }:
rec {
  mkValueStringDefault =
    _: v:
    if v == true then
      "true"
    else if v == false then
      "false"
    else if v == null then
      "null"
    else if builtins.isFloat v then
      lib.floatToString v
    else if lib.isConvertibleWithToString v && !builtins.isList v then
      toString v
    else
      throw "generators: a ${builtins.typeOf v} has no text of its own here";
  mkKeyValueDefault =
    {
      mkValueString ? mkValueStringDefault { },
    }:
    sep: k: v:
    "${lib.escape [ sep ] k}${sep}${mkValueString v}";
  toKeyValue =
    {
      mkKeyValue ? mkKeyValueDefault { } "=",
      listsAsDuplicateKeys ? false,
      indent ? "",
    }:
    set:
    lib.concatStrings (
      lib.flatten (
        lib.mapAttrsToList (
          k: v:
          map (one: indent + mkKeyValue k one + "\n") (if listsAsDuplicateKeys then lib.toList v else [ v ])
        ) set
      )
    );
  toINI =
    {
      mkSectionName ? lib.escape [ "[" "]" ],
      mkKeyValue ? mkKeyValueDefault { } "=",
      listsAsDuplicateKeys ? false,
    }:
    sections:
    lib.concatStringsSep "\n" (
      lib.mapAttrsToList (
        name: values: "[${mkSectionName name}]\n" + toKeyValue { inherit mkKeyValue listsAsDuplicateKeys; } values
      ) sections
    );
  toJSON = _: builtins.toJSON;
  toYAML = toJSON;
  # Nix text of a value; functions and derivations are named, not shown.
  toPretty =
    {
      multiline ? true,
      indent ? "",
      allowPrettyValues ? false,
    }:
    let
      go =
        indent: v:
        let
          inner = indent + "  ";
          open = if multiline then "\n${inner}" else " ";
          close = if multiline then "\n${indent}" else " ";
        in
        if builtins.isString v then
          lib.escapeNixString v
        else if builtins.isPath v then
          toString v
        else if builtins.isList v then
          if v == [ ] then "[ ]" else "[${open}${lib.concatMapStringsSep open (go inner) v}${close}]"
        else if lib.isFunction v then
          "<function>"
        else if builtins.isAttrs v then
          if allowPrettyValues && v ? __pretty && v ? val then
            v.__pretty v.val
          else if v == { } then
            "{ }"
          else if lib.isDerivation v then
            "<derivation ${v.name or "???"}>"
          else
            "{${open}${
              lib.concatStringsSep open (lib.mapAttrsToList (n: x: "${attrName n} = ${go inner x};") v)
            }${close}}"
        else if builtins.isFloat v then
          lib.floatToString v
        else if v == null then
          "null"
        else if builtins.isBool v then
          lib.boolToString v
        else
          toString v;
      attrName = n: if builtins.match "[a-zA-Z_][a-zA-Z0-9_'-]*" n != null then n else lib.escapeNixString n;
    in
    go indent;
}
