let
  a = 1;
  b = 2;
  src = { c = 3; d = { e = 4; }; };
  inherit (src) c;
  inherit (src.d) e;
in
{
  inherit a b c e;
  rec1 = rec { inherit a; b = a + 1; inherit (src) d; f = d.e; };
  outer = rec { x = a; inherit b; };
  let1 = let inherit (rec { x = y; y = 5; }) x y; in [ x y ];
  set = { inherit (src) c d; inherit (src.d) e; inherit ({ z = a; }) z; };
  self = let s = { inherit (s.inner) v; inner = { v = 9; }; }; in s.v;
  quoted = { inherit (src) "c"; };
}
