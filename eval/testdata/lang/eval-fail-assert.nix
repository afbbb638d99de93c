let check = v: assert v.n > 3; v; in check { n = 2; }
