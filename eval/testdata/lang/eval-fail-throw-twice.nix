let bad = throw "once"; in builtins.seq (builtins.tryEval bad) bad
