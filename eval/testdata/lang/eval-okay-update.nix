let
  a = { x = 1; y = 2; };
  b = { y = 3; z = 4; };
  many = builtins.listToAttrs (map (n: { name = "k${toString n}"; value = n; }) (builtins.genList (n: n) 40));
  layered = builtins.foldl' (s: n: s // { ${"k${toString n}"} = -n; ${"new${toString n}"} = n; }) many (builtins.genList (n: n) 30);
in
{
  simple = a // b;
  chain = a // b // { x = 9; } // { };
  empty = { } // a;
  left = (a // b) // { y = { }; };
  shallow = { a.b = 1; } // { a.c = 2; };
  count = builtins.length (builtins.attrNames layered);
  some = [ layered.k0 layered.k29 layered.k30 layered.new29 ];
  sum = builtins.foldl' (s: n: s + layered.${n}) 0 (builtins.attrNames layered);
  equal = layered == builtins.mapAttrs (n: v: v) layered;
}
