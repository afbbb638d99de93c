# Lists of pending values, and a builtin that calls back.
builtins.foldl' (a: b: a + b) 0 (map (x: x * 2) (builtins.genList (x: x) 30000))
