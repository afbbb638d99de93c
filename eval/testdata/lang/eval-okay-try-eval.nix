let try = e: builtins.tryEval e; in
{
  thrown = try (throw "x");
  failed = try (assert 1 == 2; 3);
  fine = try 4;
  lazy = (try { a = throw "later"; }).success;
  again = let bad = throw "kept"; in [ (try bad).success (try bad).success ];
}
