let
  f = { a, b ? a + 1, c ? b + 1, ... }@args: [ a b c (builtins.attrNames args) ];
  g = args@{ x ? args.y or "none" }: x;
  h = { }: "empty";
in
[
  (f { a = 1; })
  (f { a = 1; b = 10; z = 5; })
  (g { })
  (g { x = "given"; })
  (h { })
  (builtins.functionArgs f)
  (builtins.functionArgs (x: x))
]
