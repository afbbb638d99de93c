# Derivations and values whose paths C++ Nix and this evaluator must agree on.
# `go test -update` has C++ Nix write testdata/golden from it.
let
  base = { system = "x86_64-linux"; builder = "/bin/sh"; };
  drv = name: attrs: derivation (base // { inherit name; } // attrs);
  dep = drv "dep" { outputs = [ "out" "dev" ]; note = note2; src = ./src; };
  note = builtins.toFile "note" "first\n";
  note2 = builtins.toFile "note2" "see ${note}\n";
  fod = drv "fod" {
    outputHash = "0mdqa9w1p6cmli6976v4wi0sw9r4p5prkj7lzfd1877wk11c9c73";
    outputHashAlgo = "sha256";
    dep = dep;
  };
  fixed = outputHashMode: outputHashAlgo: outputHash:
    drv "fixed-${outputHashAlgo}" { inherit outputHash outputHashAlgo outputHashMode; };
  structured = name: attrs: drv name ({ __structuredAttrs = true; } // attrs);
  sha256 = {
    base16 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    base32 = "0mdqa9w1p6cmli6976v4wi0sw9r4p5prkj7lzfd1877wk11c9c73";
    base64 = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
    sri = "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
  };
  sha512 = {
    base16 = "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e";
    sri = "sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==";
  };
  md5 = "d41d8cd98f00b204e9800998ecf8427e";
  sha1 = "da39a3ee5e6b4b0d3255bfef95601890afd80709";
  fetchurl = import <nix/fetchurl.nix>;
  noTxt = path: type: let n = builtins.stringLength path; in builtins.substring (n - 4) 4 path != ".txt";
  notDir = path: type: type != "directory";
  # derivation itself needs a list of outputs; derivationStrict splits text.
  derivationStrictly = name: attrs:
    let s = builtins.derivationStrict (base // { inherit name; } // attrs);
    in { type = "derivation"; inherit name; inherit (s) drvPath; outPath = s.out; outputName = "out"; };
  discard = builtins.unsafeDiscardStringContext;
in
{
  drvs = rec {
    inherit dep fod;
    simple = drv "simple" { };
    args = drv "args" { args = [ "-e" ./builder.sh "two words" 3 true null [ "a" "b" ] fod "\"\\\n\t\r" ]; };
    scalars = drv "scalars" {
      t = true; f = false; n = null; i = -42; x = 2.5; big = 1.0e20; small = 1.0e-7; e = "";
      l = [ ]; l2 = [ 1 [ 2 [ ] 3 ] [ [ ] ] "x" ]; l3 = [ [ ] [ ] ];
    };
    sets = drv "sets" {
      a = { outPath = "/o"; };
      b = { __toString = self: "s${self.x}"; x = "1"; outPath = "/no"; };
      c = { outPath = ./src; };
      d = { outPath = { outPath = dep; }; };
    };
    escapes = drv "escapes" { "a b" = "x"; "é" = "ü\n"; quote = "\"'\\$\${x}"; "" = "empty name"; lines = "a\r\n\tb"; };
    odd-names = drv "a+b-c._?=1" { };
    dot-name-inside = drv "a.tar.gz" { outputs = [ "out" "x.y" ]; };
    long-name = drv (builtins.concatStringsSep "" (builtins.genList (i: "abcdefghij") 20)) { };
    outputs3 = drv "outputs3" { outputs = [ "out" "lib" "dev" ]; };
    outputs-order = drv "outputs-order" { outputs = [ "man" "bin" "out" ]; };
    outputs-no-out = drv "outputs-no-out" { outputs = [ "bin" "doc" ]; };
    outputs-text = derivationStrictly "outputs-text" { outputs = "out\tdev\n doc "; };
    out-attr = drv "out-attr" { out = "overwritten"; dev = "kept"; };
    builder-path = drv "builder-path" { builder = ./builder.sh; };
    builder-drv = drv "builder-drv" { builder = "${dep.dev}/bin/x"; system = "weird system"; };
    output-use = drv "output-use" { a = dep.dev; b = dep; c = dep.out.dev; d = "${dep}/x ${dep.dev}/y"; all = dep.all; };
    through-fixed = drv "through-fixed" { inherit fod; };
    deep = drv "deep" { graph = dep.drvPath; };
    deep-two = drv "deep-two" { graph = through-fixed.drvPath; also = dep.dev; };
    not-deep = drv "not-deep" { d = builtins.unsafeDiscardOutputDependency dep.drvPath; };
    discarded = drv "discarded" { d = discard dep.outPath; };
    sources = drv "sources" { src = ./src; file = ./src/plain.txt; script = "${./src/run.sh}"; link = ./src/link; inside = "${./src}/dir"; via = ./via/inner.txt; };
    strings-of-paths = drv "strings-of-paths" { p = toString ./src == toString ./src; n = baseNameOf ./src; };
    to-file = drv "to-file" { inherit note note2; };
    path-fn = drv "path-fn" { src = builtins.path { path = ./src; name = "renamed"; filter = noTxt; }; };
    refs-graph = drv "refs-graph" { exportReferencesGraph = [ "g1" dep "g2" fod.drvPath ]; };
    refs-checks = drv "refs-checks" {
      allowedReferences = [ dep "out" ]; disallowedReferences = [ dep.dev ];
      allowedRequisites = [ ]; disallowedRequisites = [ fod ];
    };
    pass-as-file = drv "pass-as-file" { passAsFile = [ "text" "more" ]; text = "long\n"; more = "${dep}"; };
    impure-vars = drv "impure-vars" {
      impureEnvVars = [ "http_proxy" "https_proxy" ]; preferLocalBuild = true; allowSubstitutes = false;
      requiredSystemFeatures = [ "kvm" ]; __darwinAllowLocalNetworking = false;
    };
    placeholders = drv "placeholders" { outputs = [ "out" "dev" ]; a = placeholder "out"; b = "x${placeholder "dev"}y"; };
    ignore-nulls = drv "ignore-nulls" { __ignoreNulls = true; gone = null; kept = ""; outputHashAlgo = null; };
    keep-nulls = drv "keep-nulls" { __ignoreNulls = false; there = null; };
    null-args = drv "null-args" { __ignoreNulls = true; args = null; };
    ca-off = drv "ca-off" { __contentAddressed = false; __impure = false; };
    json-plain = drv "json-plain" { __json = "{\"a\":1}"; };
    structured-off = drv "structured-off" { __structuredAttrs = false; x = [ 1 2 ]; };

    f-md5 = fixed "flat" "md5" md5;
    f-md5-r = fixed "recursive" "md5" md5;
    f-sha1 = fixed "flat" "sha1" sha1;
    f-sha1-r = fixed "recursive" "sha1" sha1;
    f-sha256-16 = fixed "flat" "sha256" sha256.base16;
    f-sha256-32 = fixed "flat" "sha256" sha256.base32;
    f-sha256-64 = fixed "flat" "sha256" sha256.base64;
    f-sha256-sri = fixed "flat" "sha256" sha256.sri;
    f-sha256-colon = fixed "flat" "sha256" "sha256:${sha256.base32}";
    f-sha256-r = fixed "recursive" "sha256" sha256.base32;
    f-sha512 = fixed "flat" "sha512" sha512.base16;
    f-sha512-r = fixed "recursive" "sha512" sha512.sri;
    f-upper = fixed "flat" "sha256" "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855";
    f-sri-only = drv "sri-only" { outputHash = sha512.sri; };
    f-sri-null = drv "sri-null" { __ignoreNulls = true; outputHash = sha256.sri; outputHashAlgo = null; outputHashMode = "recursive"; };
    f-empty = drv "empty" { outputHash = ""; outputHashAlgo = "sha256"; };
    f-mode-only = drv "mode-only" { outputHashMode = "recursive"; outputHashAlgo = "sha256"; };
    f-fetchurl = drv "f.tar.gz" {
      builder = "builtin:fetchurl"; system = "builtin"; url = "https://example.org/f.tar.gz"; urls = [ "https://example.org/f.tar.gz" ];
      executable = false; unpack = false; preferLocalBuild = true; outputHash = sha256.sri; outputHashMode = "flat";
      impureEnvVars = [ "http_proxy" ];
    };
    n-url = fetchurl { url = "https://example.org/a/f-1.tar.gz"; hash = sha256.sri; };
    n-sha256 = fetchurl { url = "https://example.org/f"; sha256 = sha256.base32; name = "other"; };
    n-sha512 = fetchurl { url = "https://example.org/f"; sha512 = sha512.base16; system = "ignored"; };
    n-md5 = fetchurl { url = "https://example.org/f"; inherit md5; executable = true; };
    n-unpack = fetchurl { url = "https://example.org/f.nar.xz"; inherit sha1; unpack = true; };

    s-simple = structured "s-simple" { };
    # Whole floats are left out: older C++ Nix writes 1.0 as 1, today's as 1.0.
    s-values = structured "s-values" {
      t = true; n = null; i = -1; x = 0.1; z = 1.0e30; w = 1.5e-9; l = [ ]; o = { }; deepset.a.b.c = [ [ { } ] ];
      "é \"key\"" = "é\n\t\\\"\b/"; "" = 1; Z = 1; a = 2; _ = 3;
    };
    s-paths = structured "s-paths" { src = ./src; list = [ ./src/plain.txt dep dep.dev ]; set = { inherit fod; s = "${dep}"; }; str = { __toString = x: "via ${dep}"; }; };
    s-outputs = structured "s-outputs" { outputs = [ "out" "dev" "bin" ]; args = [ "-c" "x" ]; };
    s-fixed = structured "s-fixed" { outputHash = sha256.sri; outputHashMode = "recursive"; outputHashAlgo = "sha256"; };
    s-nulls = structured "s-nulls" { __ignoreNulls = true; gone = null; kept = [ null ]; };
    s-graph = structured "s-graph" { exportReferencesGraph.g1 = [ dep fod ]; exportReferencesGraph.g2 = dep.drvPath; };
    s-checks = structured "s-checks" { outputChecks.out = { allowedReferences = [ "out" dep ]; maxSize = 1000; }; };
    s-builder = structured "s-builder" { builder = "${dep}/bin/sh"; };
  };
  values = {
    note = note;
    note2 = note2;
    source = "${./src}";
    plain = "${./src/plain.txt}";
    filtered = builtins.filterSource noTxt ./src;
    flatter = builtins.filterSource notDir ./src;
    filterArgs = builtins.filterSource (p: t: builtins.elem [ (baseNameOf p) t ] [ [ "dir" "directory" ] [ "inner.txt" "regular" ] [ "link" "symlink" ] ]) ./src;
    pathDefault = builtins.path { path = ./src; };
    pathName = builtins.path { path = ./src; name = "x.y"; };
    pathFlat = builtins.path { path = ./src/plain.txt; recursive = false; };
    pathFlatSha = builtins.path { path = ./src/plain.txt; recursive = false; sha256 = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"; };
    pathString = builtins.path { path = toString ./src; };
    placeholder = placeholder "dev";
    depOut = dep.outPath;
    outNames = map (o: o.outputName) dep.all;
    names = builtins.attrNames dep;
    devNames = builtins.attrNames dep.dev;
    devOut = dep.dev.dev.out.outPath;
    types = map (o: o.type) dep.all;
    drvAttrs = builtins.attrNames dep.drvAttrs;
    noOut = (drv "no-out" { outputs = [ "lib" "bin" ]; }).outPath;
    contexts = map (s: builtins.getContext s) [ dep.outPath dep.drvPath note2 "${./src/plain.txt}${dep.dev}" (builtins.filterSource noTxt ./src) ];
    strict = builtins.derivationStrict { name = "strict"; system = "s"; builder = "b"; outputs = [ "out" "dev" ]; };
    fixedOut = (drv "fixed" { outputHash = md5; outputHashAlgo = "md5"; }).outPath;
  };
}
