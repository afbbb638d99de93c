let
  shared = { x = 1; };
  list = [ 1 2 3 ];
in {
  int = 1;
  float = 1.5;
  whole = 2.0;
  big = 123456789.5;
  text = "a<b>\"&\n\t\${x}";
  path = /nonexistent;
  yes = true;
  none = null;
  "odd name" = { "1" = "" ; };
  set = { a = { b = { c = 1 + 1; }; }; };
  empty = { };
  computed = [ (1 + 1) [ 2 [ 3 ] ] "x" [ ] ];
  lambda = x: x;
  pattern = { z, a ? 1, ... }@args: a;
  closed = { a }: a;
  builtin = map;
  partial = builtins.add 1;
  known = builtins.add;
  constant = builtins.true;
  one = shared;
  two = shared;
  lists = [ list list ];
  package = { type = "derivation"; drvPath = "/nix/store/ngflbqh7n7q3xhnn1d92zwpqrsf8cgyr-a.drv"; outPath = "o"; extra = [ 1 ]; };
  samePackage = { type = "derivation"; drvPath = "/nix/store/ngflbqh7n7q3xhnn1d92zwpqrsf8cgyr-a.drv"; };
  strange = { type = "derivation"; };
}
