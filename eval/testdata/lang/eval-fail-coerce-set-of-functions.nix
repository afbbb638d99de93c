# A function in a set was not asked for.
{ f = x: x; g = [ (x: x) ]; h = map; } + 1
