let s = { a.b = null; l = [ ]; }; in
[ (s ? a) (s ? a.b) (s ? a.b.c) (s ? x.y) (1 ? a) (s.l ? a) (!s ? z) ({ a = throw "never"; } ? a) ]
