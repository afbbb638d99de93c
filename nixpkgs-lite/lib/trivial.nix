# Functions on functions, numbers and single values.
{ lib }:
rec {
  id = x: x;
  const = x: _: x;
  pipe = builtins.foldl' (x: f: f x);
  flip =
    f: a: b:
    f b a;

  and = x: y: x && y;
  or = x: y: x || y;
  xor = x: y: x != y;
  boolToString = b: if b then "true" else "false";
  boolToYesNo = b: if b then "yes" else "no";

  min = x: y: if x < y then x else y;
  max = x: y: if x > y then x else y;
  # The remainder, with the sign of the dividend.
  mod = a: b: a - b * (a / b);
  # -1, 0 or 1, for the comparisons of sort and compareLists.
  compare =
    a: b:
    if a < b then
      -1
    else if a > b then
      1
    else
      0;

  mergeAttrs = x: y: x // y;
  mapNullable = f: x: if x == null then null else f x;
  defaultTo = default: x: if x == null then default else x;

  importJSON = path: builtins.fromJSON (builtins.readFile path);
  importTOML = path: builtins.fromTOML (builtins.readFile path);

  warn = message: builtins.trace "warning: ${message}";
  warnIf = condition: message: if condition then warn message else id;
  warnIfNot = condition: warnIf (!condition);
  throwIf = condition: message: if condition then throw message else id;
  throwIfNot = condition: throwIf (!condition);
  # x, or an error that names what of it is not among the valid ones.
  checkListOfEnum =
    message: valid: given: x:
    let
      unknown = lib.subtractLists valid given;
    in
    if unknown == [ ] then
      x
    else
      throw "${message}: ${lib.concatStringsSep ", " unknown} unexpected; valid ones: ${lib.concatStringsSep ", " valid}";

  # A set with __functor is a function too.
  isFunction = f: builtins.isFunction f || (f ? __functor && isFunction (f.__functor f));
  functionArgs =
    f: if f ? __functor then f.__functionArgs or (functionArgs (f.__functor f)) else builtins.functionArgs f;
  # f, which from now on says that it takes these arguments.
  setFunctionArgs = f: args: {
    __functor = _: f;
    __functionArgs = args;
  };
  toFunction = v: if isFunction v then v else _: v;

  toHexString = toBaseDigitsString 16;
  toBaseDigits =
    base: n:
    if n < base then [ n ] else toBaseDigits base (n / base) ++ [ (mod n base) ];
  toBaseDigitsString =
    base: n:
    lib.concatMapStrings (
      d: builtins.substring d 1 "0123456789ABCDEF"
    ) (toBaseDigits base n);

  # Hashes that no file has: for finding out the right one.
  fakeHash = "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
  fakeSha256 = "0000000000000000000000000000000000000000000000000000000000000000";

  inNixShell = false;
  version = "24.05-lite";
  release = "24.05";
}
