let
  x = y + 1;
  y = z * 2;
  z = let x = 5; in x;
  even = n: if n == 0 then true else odd (n - 1);
  odd = n: if n == 0 then false else even (n - 1);
  old = let { body = inner + 1; inner = 41; };
in
[ x y z (even 10) (odd 7) old ]
