let
  name = "dyn";
  set = { a = 1; ${name} = 2; "${name}-${name}" = 3; ${null} = 4; b.${name}.c = 5; "with space" = 6; };
in
set // { names = builtins.attrNames set; deep = set.b.${name}.c; has = set ? b.${"dyn"}.c; hasNot = set ? ${"no"}; }
