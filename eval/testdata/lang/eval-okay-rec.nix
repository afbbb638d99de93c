rec {
  a = b + 1;
  b = 1;
  nested = { inherit a; c = rec { d = b; b = 5; }; };
  fact = (let f = n: if n == 0 then 1 else n * f (n - 1); in f) 10;
  "quoted" = a;
  use = quoted;
}
