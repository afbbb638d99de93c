let
  x = "lexical";
  outer = { x = "with"; y = "outer"; z = "outer"; };
  inner = { y = "inner"; };
in
[
  (with outer; x)
  (with outer; with inner; [ x y z ])
  (with outer; let y = "let"; in [ y z ])
  (with outer; (y: y) "arg")
  (with { true = 1; }; true)
  (with { a = 1; }; with { b = a + 1; }; a + b)
  (let s = with s; { p = 1; q = 2; }; in s.p)
  (rec { w = with { v = 3; }; v; }).w
]
