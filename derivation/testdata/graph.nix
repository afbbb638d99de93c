# A graph that has every kind of edge between derivations. `go test -update`
# instantiates it with C++ Nix and keeps the result in testdata/drv.
let
  system = "x86_64-linux";
  builder = "/bin/sh";
  empty = "0mdqa9w1p6cmli6976v4wi0sw9r4p5prkj7lzfd1877wk11c9c73";

  three = derivation {
    inherit system builder;
    name = "three";
    outputs = [ "out" "dev" "lib" ];
    args = [ "-c" "echo \"$out\" \\ \t > $dev\r\n" ];
    note = builtins.toFile "note+1.txt" "see ${builtins.toFile "other" "words"}\n";
  };
  # Two ways to the same content: users must not differ.
  fetch = from: derivation {
    inherit system from;
    name = "fetched";
    builder = "builtin:fetchurl";
    outputHash = empty;
    outputHashAlgo = "sha256";
  };
  user = input: derivation {
    inherit system builder input;
    name = "user";
    dev = three.dev;
  };
in
{
  inherit three;
  one = user (fetch "here");
  two = user (fetch three);
  tree = derivation {
    inherit system builder;
    name = "tree.tar?x=1";
    outputHash = "z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==";
    outputHashAlgo = "sha512";
    outputHashMode = "recursive";
  };
  joined = derivation {
    inherit system builder;
    name = "joined";
    a = user (fetch "here");
    b = user (fetch three);
    all = three.all;
    deep = (user (fetch "there")).drvPath;
    self = placeholder "out";
  };
  structured = derivation {
    inherit system builder three;
    name = "structured";
    __structuredAttrs = true;
    outputs = [ "bin" "out" ];
    list = [ 1 2.5 true null { quote = "\"\\\n"; } ];
  };
}
