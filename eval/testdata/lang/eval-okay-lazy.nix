let
  boom = throw "evaluated";
  cyclic = { self = cyclic; n = 1; };
in
{
  list = builtins.length [ boom boom ];
  attrs = ({ a = boom; b = 2; }).b;
  arg = (x: 3) boom;
  formals = ({ a ? boom, b }: b) { b = 4; };
  let1 = let x = boom; in 5;
  and = false && boom;
  or = true || boom;
  implies = false -> boom;
  default = { a = 6; }.a or boom;
  cycle = cyclic.self.self.self.n;
  with1 = with boom; 7;
}
