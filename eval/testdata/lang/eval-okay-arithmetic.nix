# Integers wrap never, floats mix in, comparison chains through builtins.
{
  sum = 1 + 2 * 3 - 4 / 2;
  negative = -(3 - 10);
  truncated = [ (7 / 2) (-7 / 2) (7 / -2) ];
  floats = [ (7 / 2.0) (1 + 0.5) (0.1 + 0.2) (1.0e10 * 1.0e10) 1.0e-7 123456789.0 ];
  order = [ (1 < 2) (2 <= 2) (3 > 4) (3 >= 4) (1 < 1.5) (2.0 == 2) ];
  strings = [ ("a" < "b") ("ab" < "a") ("" < "a") ];
  lists = [ ([ 1 2 ] < [ 1 3 ]) ([ 1 ] < [ 1 0 ]) ([ ] < [ ]) ];
  largest = 9223372036854775807 - 1 + 1;
  smallest = -9223372036854775807 - 1;
}
