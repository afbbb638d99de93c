let
  get = s: s.value;
  wrap = v: { value = builtins.head v; };
  use = x: 1 + get (wrap x);
in
{ result = use [ ]; }
