# Each call has variables of its own, and partial applications share none.
let
  pair = a: b: c: [ a b c ];
  one = pair 1;
  two = one 2;
  adders = builtins.genList (n: m: n + m) 3;
in
[ (two 3) (two 4) (one 5 6) (map (f: f 10) adders) (pair 7 8 9) (map (pair 1 2) [ 3 4 ]) ]
