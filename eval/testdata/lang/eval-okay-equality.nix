let
  f = x: x;
  s = { inherit f; };
  l = [ f ];
  id = x: x;
  drv = { type = "derivation"; outPath = "/x"; extra = throw "not compared"; };
in
{
  functions = f == f;
  sets = s == s;
  lists = l == l;
  sameElement = [ f ] == [ f ];
  otherHolder = [ f ] == [ (id f) ];
  inherited = { inherit f; } == { inherit f; };
  elem = builtins.elem f [ f ];
  numbers = [ (1 == 1.0) (1 == 2.0) ("1" == 1) ];
  nulls = null == null;
  mixed = [ ({ } == [ ]) (null == false) (./a == "a") ];
  size = [ 1 ] == [ 1 2 ];
  names = { a = 1; } == { b = 1; };
  derivations = drv == { type = "derivation"; outPath = "/x"; };
  path = [ (./a == ./a) (./a == ./b) ];
  nan = let n = 1.0e308 * 10 - 1.0e308 * 10; in [ (n == n) ([ n ] == [ n ]) ];
}
