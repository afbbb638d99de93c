# Strings and paths as strings.
{ lib }:
let
  inherit (builtins)
    concatStringsSep
    genList
    head
    length
    match
    replaceStrings
    stringLength
    substring
    ;
in
rec {
  concatStrings = concatStringsSep "";
  concatMapStrings = f: list: concatStrings (map f list);
  concatImapStrings = f: list: concatStrings (lib.imap1 f list);
  concatMapStringsSep =
    sep: f: list:
    concatStringsSep sep (map f list);
  concatImapStringsSep =
    sep: f: list:
    concatStringsSep sep (lib.imap1 f list);
  concatMapAttrsStringSep =
    sep: f: set:
    concatStringsSep sep (lib.mapAttrsToList f set);
  concatLines = concatMapStrings (line: line + "\n");
  intersperse =
    sep: list:
    if length list < 2 then
      list
    else
      lib.tail (lib.concatMap (x: [ sep x ]) list);
  optionalString = condition: s: if condition then s else "";
  replicate = n: s: concatStrings (lib.lists.replicate n s);

  stringToCharacters = s: genList (n: substring n 1 s) (stringLength s);
  stringAsChars = f: s: concatMapStrings f (stringToCharacters s);
  hasPrefix = prefix: s: substring 0 (stringLength prefix) s == prefix;
  hasSuffix =
    suffix: s:
    let
      at = stringLength s - stringLength suffix;
    in
    at >= 0 && substring at (stringLength suffix) s == suffix;
  hasInfix = infix: s: replaceStrings [ infix ] [ "" ] s != s || infix == "";
  removePrefix =
    prefix: s: if hasPrefix prefix s then substring (stringLength prefix) (-1) s else s;
  removeSuffix =
    suffix: s:
    if hasSuffix suffix s then substring 0 (stringLength s - stringLength suffix) s else s;
  trim = trimWith { start = true; end = true; };
  trimWith =
    { start ? false, end ? false }:
    s:
    let
      from = if start then head (match "[ \t\r\n]*(.*)" s) else s;
      blank = match "(.*[^ \t\r\n])[ \t\r\n]*" from;
    in
    if !end then
      from
    else if blank == null then
      ""
    else
      head blank;
  splitString =
    sep: s:
    map (part: addContextFrom s part) (
      builtins.filter builtins.isString (builtins.split (escapeRegex (toString sep)) (toString s))
    );
  addContextFrom = from: s: substring 0 0 from + s;
  replaceChars = replaceStrings;
  replaceString = from: to: replaceStrings [ from ] [ to ];

  lowerChars = stringToCharacters "abcdefghijklmnopqrstuvwxyz";
  upperChars = stringToCharacters "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
  toLower = replaceStrings upperChars lowerChars;
  toUpper = replaceStrings lowerChars upperChars;
  toSentenceCase = s: toUpper (substring 0 1 s) + substring 1 (-1) s;

  escape = chars: replaceStrings chars (map (c: "\\" + c) chars);
  escapeRegex = escape (stringToCharacters "\\[{()^$?*+|.");
  # One word of a POSIX shell, quoted only where it has to be.
  escapeShellArg =
    arg:
    let
      s = toString arg;
    in
    if match "[[:alnum:],._+:@%/-]+" s != null then s else "'${replaceStrings [ "'" ] [ "'\\''" ] s}'";
  escapeShellArgs = concatMapStringsSep " " escapeShellArg;
  escapeNixString = s: escape [ "$" ] (builtins.toJSON s);
  escapeXML = replaceStrings [ "\"" "'" "<" ">" "&" ] [ "&quot;" "&apos;" "&lt;" "&gt;" "&amp;" ];
  isValidPosixName = name: match "[a-zA-Z_][a-zA-Z0-9_]*" name != null;
  # Assignments for a shell script: a list becomes an array, a set an associative one.
  toShellVar =
    name: value:
    lib.throwIfNot (isValidPosixName name) "toShellVar: '${name}' is not a name of a shell variable" (
      if builtins.isAttrs value && !isStringLike value then
        "declare -A ${name}=(${
          concatStringsSep " " (lib.mapAttrsToList (n: v: "[${escapeShellArg n}]=${escapeShellArg v}") value)
        })"
      else if builtins.isList value then
        "declare -a ${name}=(${escapeShellArgs value})"
      else
        "${name}=${escapeShellArg value}"
    );
  toShellVars = set: concatStringsSep "\n" (lib.mapAttrsToList toShellVar set);

  isStringLike = x: builtins.isString x || builtins.isPath x || x ? outPath || x ? __toString;
  isConvertibleWithToString =
    x:
    isStringLike x
    || builtins.elem (builtins.typeOf x) [ "null" "int" "float" "bool" ]
    || (builtins.isList x && lib.all isConvertibleWithToString x);
  # Whether x is a path at the top of the store.
  isStorePath =
    x:
    isStringLike x
    && (
      let
        s = toString x;
      in
      substring 0 1 s == "/" && dirOf s == builtins.storeDir
    );

  fixedWidthString =
    width: filler: s:
    let
      missing = width - stringLength s;
    in
    lib.throwIf (missing < 0) "fixedWidthString: '${s}' is longer than ${toString width}" (
      lib.strings.replicate missing filler + s
    );
  fixedWidthNumber = width: n: fixedWidthString width "0" (toString n);
  toIntBase10 =
    s:
    let
      digits = match "[[:space:]]*(-?)0*([0-9]+)[[:space:]]*" s;
    in
    if digits == null then
      throw "toInt: '${s}' is not a decimal number"
    else
      builtins.fromJSON (head digits + builtins.elemAt digits 1);
  toInt =
    s:
    if match "[[:space:]]*-?0[0-9]+[[:space:]]*" s != null then
      throw "toInt: '${s}' has a leading zero: use toIntBase10"
    else
      toIntBase10 s;
  floatToString = f: builtins.toJSON f;
  fileContents = file: removeSuffix "\n" (builtins.readFile file);

  makeSearchPath =
    dir: paths:
    concatStringsSep ":" (map (p: "${p}/${dir}") (builtins.filter (p: p != null) paths));
  makeSearchPathOutput =
    output: dir: pkgs:
    makeSearchPath dir (map (lib.getOutput output) pkgs);
  makeBinPath = makeSearchPathOutput "bin" "bin";
  makeLibraryPath = pkgs: makeSearchPath "lib" (map lib.getLib pkgs);
  makeIncludePath = makeSearchPathOutput "dev" "include";
  normalizePath = replaceStrings [ "//" ] [ "/" ];

  versionOlder = a: b: builtins.compareVersions b a == 1;
  versionAtLeast = a: b: !versionOlder a b;
  getName = x: if builtins.isString x then (builtins.parseDrvName x).name else x.pname or (builtins.parseDrvName x.name).name;
  getVersion = x: if builtins.isString x then (builtins.parseDrvName x).version else x.version or (builtins.parseDrvName x.name).version;
  nameFromURL =
    url: sep:
    let
      file = lib.last (splitString "/" url);
    in
    head (splitString sep file);
  # A name that a store path may have.
  sanitizeDerivationName =
    name:
    let
      s = builtins.unsafeDiscardStringContext (toString name);
      words = builtins.filter builtins.isString (builtins.split "[^[:alnum:]+._?=-]+" s);
      clean = head (match "\\.*(.*)" (concatStringsSep "-" words));
      end = stringLength clean - 211;
    in
    if clean == "" then "unknown" else if end > 0 then substring end (-1) clean else clean;

  enableFeature = on: name: "--${if on then "enable" else "disable"}-${name}";
  enableFeatureAs = on: name: value: enableFeature on name + optionalString on "=${value}";
  withFeature = on: name: "--${if on then "with" else "without"}-${name}";
  withFeatureAs = on: name: value: withFeature on name + optionalString on "=${value}";
  mesonBool = name: on: "-D${name}=${lib.boolToString on}";
  cmakeBool = name: on: "-D${name}:BOOL=${if on then "TRUE" else "FALSE"}";
  cmakeFeature = name: value: "-D${name}:STRING=${value}";
  commonPrefixLength =
    a: b:
    let
      end = lib.min (stringLength a) (stringLength b);
      go = n: if n < end && substring n 1 a == substring n 1 b then go (n + 1) else n;
    in
    go 0;
}
