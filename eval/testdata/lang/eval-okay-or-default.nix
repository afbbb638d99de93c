let
  s = { a.b = 1; n = null; };
in
[ (s.a.b or 2) (s.a.c or 2) (s.x.y.z or 3) (s.n.deep or 4) ((1).a or 5) (s.a.${"b"} or 6) (s.x or s.y or 7) ({ or = 8; }).or ]
