# The operators are calls of names that a program may bind itself.
let
  __sub = a: b: "sub ${toString a} ${toString b}";
  __lessThan = a: b: a == 3;
  __mul = a: b: [ a b ];
  __div = a: b: { inherit a b; };
in
[ (5 - 2) (-7) (1 < 2) (3 < 2) (2 > 3) (2 <= 3) (2 >= 3) (2 * 3) (6 / 2) ]
