# What is the same set or list is «repeated»; what is made anew is not, even if
# its parts are all literals.
let
  set = x: { a = 1; };
  list = x: [ 1 "two" ];
  nested = x: { a = { b = null; }; l = [ { } ]; };
  one = set 0;
  items = list 0;
in
{
  sets = [ (set 1) (set 2) ];
  lists = [ (list 1) (list 2) ];
  nested = [ (nested 1) (nested 2) (nested 3).a ];
  mapped = map (x: { b = 1; }) [ 1 2 ];
  defaults = let f = { a ? { x = 1; } }: a; in [ (f { }) (f { }) ];
  folded = builtins.foldl' (all: x: { inherit all; this = list x; }) { } [ 1 2 ];
  updated = set 1 // { b = set 2; c = set 3; };
  same = [ one one items items ];
  empty = let e = { }; n = [ ]; in [ e e n n ];
}
