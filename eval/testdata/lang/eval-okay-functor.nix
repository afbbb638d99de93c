let
  add = { __functor = self: x: x + self.n; n = 10; };
  nested = { __functor = self: add; };
  counter = { __functor = self: a: b: [ a b self.k ]; k = "k"; };
in
[ (add 1) (map add [ 1 2 ]) (nested 3) (counter 1 2) ((counter 1) 2) ((add // { n = 20; }) 1) ]
