x: y: rec {
  a.b.c = 1;
  a.b.d = 2;
  a = { e = 3; inherit x; };
  a.f = rec { g = 1; };
  a.f.h = g;
  inherit x;
  inherit (y) p "q r" ${"s"};
  "t u".v = 1;
  ${x}.w = 2;
  ${"lit"} = 3;
  "${x}y" = 4;
  or = 5;
  "if" = 6;
  m = { inherit (x) one; };
  m = { inherit (y) two; inherit (x) three; };
  old = let { body = 1; };
  new = let z = 1; inherit y; in z;
  empty = { };
}
