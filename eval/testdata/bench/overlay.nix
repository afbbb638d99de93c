# A fixpoint of packages: defaults // arguments // extra, and an overlay that
# changes every fourth package.
let
  fix = f: let x = f x; in x;
  extends = g: f: self: let super = f self; in super // g self super;
  count = 3000;
  name = n: "pkg${toString n}";
  mk = args: {
    version = "1.0"; system = "any"; doCheck = true; outputs = [ "out" ]; meta = { };
    buildInputs = [ ]; patches = [ ]; flags = [ ];
  } // args // { drv = "${args.name}-${args.version or "1.0"}"; };
  packages = self: builtins.listToAttrs (builtins.genList
    (n: {
      name = name n;
      value = mk {
        name = name n;
        buildInputs = if n < 2 then [ ] else [ self.${name (n - 1)} self.${name (n / 2)} ];
      };
    })
    count);
  overlay = self: super: builtins.listToAttrs (builtins.genList
    (n: { name = name (4 * n); value = super.${name (4 * n)} // { version = "2.0"; patches = [ self.${name n}.drv ]; }; })
    (count / 4));
  all = fix (extends overlay packages);
in
builtins.foldl' (a: n: a + builtins.stringLength all.${n}.drv + builtins.length all.${n}.buildInputs) 0 (builtins.attrNames all)
