# The old way to override what the attributes of a rec set see.
let
  s = rec { a = 1; b = a + 1; c = b; __overrides = { a = 10; d = 4; }; };
in
{ inherit (s) a b c d; }
