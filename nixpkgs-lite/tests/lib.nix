# Cases of the function library: evaluates to the list of those that fail.
#
#   nix-instantiate --eval --strict tests/lib.nix      must print [ ]
let
  lib = import ../lib;
  case = expr: expected: { inherit expr expected; };
  throws = expr: case (builtins.tryEval (builtins.deepSeq expr expr)).success false;
  double = x: x * 2;
  extensible = lib.makeExtensible (self: { a = 1; b = self.a + 1; });
  called = lib.callPackageWith { x = 1; y = 2; } ({ x, y ? 5, z ? 3 }: { sum = x + y + z; }) { };
  drv = derivation {
    name = "d";
    system = "x";
    builder = "b";
  };
in
lib.debug.runTests {
  # fixed points
  fix = case (lib.fix (self: { a = 1; b = self.a; })).b 1;
  extend = case (extensible.extend (final: prev: { a = prev.a + 9; })).b 11;
  extendTwice = case ((extensible.extend (_: _: { a = 5; })).extend (_: p: { c = p.b; })).c 6;
  compose = case (lib.fix (lib.extends (lib.composeExtensions (_: _: { a = 2; }) (f: p: { b = f.a + p.a; })) (_: { a = 1; }))).b 4;
  composeMany = case (lib.fix (lib.extends (lib.composeManyExtensions [ (_: p: { n = p.n + 1; }) (_: p: { n = p.n * 10; }) ]) (_: { n = 1; }))).n 20;
  converge = case (lib.converge (x: x / 2) 16) 0;

  # functions and numbers
  pipe = case (lib.pipe 3 [ double (x: x + 1) ]) 7;
  functor = case (lib.isFunction { __functor = _: double; }) true;
  functorArgs = case (lib.functionArgs (lib.setFunctionArgs double { x = false; })) { x = false; };
  mod = case (lib.mod 7 3) 1;
  modNegative = case (lib.mod (-7) 3) (-1);
  hex = case (lib.toHexString 250) "FA";
  throwIf = throws (lib.throwIf true "no" 1);

  # lists
  foldrLazy = case (lib.foldr (x: _: x) 0 [ 1 (throw "not needed") ]) 1;
  foldl = case (lib.foldl (a: b: a + b) "" [ "a" "b" ]) "ab";
  flatten = case (lib.flatten [ 1 [ 2 [ 3 ] ] [ ] ]) [ 1 2 3 ];
  unique = case (lib.unique [ 1 2 1 3 2 ]) [ 1 2 3 ];
  take = case (lib.take 2 [ 1 ]) [ 1 ];
  drop = case (lib.drop 1 [ 1 2 3 ]) [ 2 3 ];
  sublist = case (lib.sublist 1 2 [ 1 2 3 4 ]) [ 2 3 ];
  last = case (lib.last [ 1 2 ]) 2;
  lastEmpty = throws (lib.last [ ]);
  init = case (lib.init [ 1 2 ]) [ 1 ];
  imap0 = case (lib.imap0 (i: x: "${x}${toString i}") [ "a" "b" ]) [ "a0" "b1" ];
  findFirst = case (lib.findFirst (x: x > 1) null [ 1 2 3 ]) 2;
  findSingle = case (map (lib.findSingle (x: x == 1) "none" "many") [ [ ] [ 1 ] [ 1 1 ] ]) [ "none" 1 "many" ];
  range = case (lib.range 2 1 ++ lib.range 1 3) [ 1 2 3 ];
  reverse = case (lib.reverseList [ 1 2 3 ]) [ 3 2 1 ];
  zipLists = case (lib.zipListsWith (a: b: a + b) [ 1 2 3 ] [ 10 20 ]) [ 11 22 ];
  naturalSort = case (lib.naturalSort [ "v10" "v9" "a" ]) [ "a" "v9" "v10" ];
  sortOn = case (lib.sortOn lib.stringLength [ "ccc" "a" "bb" ]) [ "a" "bb" "ccc" ];
  compareLists = case (lib.compareLists lib.compare [ 1 2 ] [ 1 3 ]) (-1);
  cartesian = case (lib.cartesianProduct { a = [ 1 2 ]; b = [ 3 ]; }) [ { a = 1; b = 3; } { a = 2; b = 3; } ];

  # attribute sets
  filterAttrs = case (lib.filterAttrs (n: v: n != "a" && v > 1) { a = 5; b = 1; c = 2; }) { c = 2; };
  mapAttrs' = case (lib.mapAttrs' (n: v: lib.nameValuePair "x${n}" (v + 1)) { a = 1; }) { xa = 2; };
  recursiveUpdate = case (lib.recursiveUpdate { a.b = 1; a.c = 2; } { a.b = 3; d = 4; }) { a = { b = 3; c = 2; }; d = 4; };
  attrByPath = case (map (p: lib.attrByPath p 0 { a.b = 1; }) [ [ "a" "b" ] [ "a" "c" ] [ "a" "b" "c" ] ]) [ 1 0 0 ];
  hasAttrByPath = case (map (p: lib.hasAttrByPath p { a.b = 1; }) [ [ "a" "b" ] [ "x" ] [ ] ]) [ true false true ];
  setAttrByPath = case (lib.setAttrByPath [ "a" "b" ] 1) { a.b = 1; };
  genAttrs = case (lib.genAttrs [ "a" ] (n: n + n)) { a = "aa"; };
  collect = case (lib.collect lib.isInt { a = 1; b.c = 2; b.d = "x"; }) [ 1 2 ];
  foldAttrs = case (lib.foldAttrs (a: b: a + b) 0 [ { x = 1; } { x = 2; y = 3; } ]) { x = 3; y = 3; };
  isDerivation = case (map lib.isDerivation [ drv { } 1 ]) [ true false false ];
  getOutput = case (map (o: lib.getOutput o { out = 1; dev = 2; }) [ "dev" "lib" ]) [ 2 1 ];
  concatMapAttrs = case (lib.concatMapAttrs (n: v: { ${n} = v; "${n}2" = v; }) { a = 1; }) { a = 1; a2 = 1; };

  # strings
  splitString = case (lib.splitString "." "a.b..c") [ "a" "b" "" "c" ];
  splitStringOne = case (lib.splitString "-" "abc") [ "abc" ];
  prefix = case [ (lib.hasPrefix "ab" "abc") (lib.removePrefix "ab" "abc") (lib.removePrefix "x" "abc") ] [ true "c" "abc" ];
  suffix = case [ (lib.hasSuffix "bc" "abc") (lib.removeSuffix "bc" "abc") (lib.hasSuffix "xabc" "abc") ] [ true "a" false ];
  infix = case [ (lib.hasInfix "b" "abc") (lib.hasInfix "x" "abc") ] [ true false ];
  trim = case (lib.trim " \n a b\t") "a b";
  trimBlank = case (lib.trim "  ") "";
  case_ = case (lib.toLower "AbC" + lib.toUpper "AbC") "abcABC";
  shellArg = case (map lib.escapeShellArg [ "a-b" "a b" "it's" "" ]) [ "a-b" "'a b'" "'it'\\''s'" "''" ];
  shellVars = case (lib.toShellVars { a = "x y"; b = [ 1 2 ]; }) "a='x y'\ndeclare -a b=(1 2)";
  makeBinPath = case (lib.makeBinPath [ "/a" "/b" ]) "/a/bin:/b/bin";
  versions = case [ (lib.versionOlder "1.9" "1.10") (lib.versionAtLeast "2" "2.1") (lib.versions.majorMinor "1.2.3") ] [ true false "1.2" ];
  toInt = case (map lib.toInt [ "7" " -3 " "0" ]) [ 7 (-3) 0 ];
  toIntBad = throws (lib.toInt "7a");
  toIntZero = throws (lib.toInt "07");
  fixedWidth = case (lib.fixedWidthNumber 4 42) "0042";
  derivationName = case (map lib.strings.sanitizeDerivationName [ "..a b/c" "" "ok-1.0" ]) [ "a-b-c" "unknown" "ok-1.0" ];
  features = case [ (lib.enableFeature false "x") (lib.withFeatureAs true "y" "z") ] [ "--disable-x" "--with-y=z" ];
  getName = case [ (lib.getName "foo-1.2") (lib.getVersion { name = "foo-1.2"; }) ] [ "foo" "1.2" ];

  # calling and overriding
  callPackage = case called.sum 6;
  override = case (called.override { z = 10; }).sum 13;
  overrideOld = case (called.override (old: { y = old.y + 1; })).sum 7;
  overrideTwice = case ((called.override { z = 10; }).override { x = 5; }).sum 17;
  callMissing = throws (lib.callPackageWith { } ({ absent }: { }) { });

  # texts of other formats
  ini = case (lib.generators.toINI { } { s = { a = 1; b = true; }; }) "[s]\na=1\nb=true\n";
  keyValue = case (lib.generators.toKeyValue { listsAsDuplicateKeys = true; } { a = [ 1 2 ]; }) "a=1\na=2\n";
  pretty = case (lib.generators.toPretty { multiline = false; } { a = [ 1 "x" ]; }) "{ a = [ 1 \"x\" ]; }";
}
