# Long chains of pending values are not calls.
let
  step = acc: i: { v = acc.v + i; };
in
(builtins.foldl' step { v = 0; } (builtins.genList (i: i) 50000)).v
