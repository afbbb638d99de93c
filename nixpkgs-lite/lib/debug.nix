# Look at values while they are evaluated.
{ lib }:
rec {
  traceIf = condition: message: x: if condition then builtins.trace message x else x;
  traceValFn = f: x: builtins.trace (f x) x;
  traceVal = traceValFn lib.id;
  traceSeq = x: y: builtins.trace (builtins.deepSeq x x) y;
  traceValSeq = x: traceSeq x x;
  # The names and values of cases { expr, expected } that do not agree.
  runTests =
    tests:
    lib.concatLists (
      lib.mapAttrsToList (
        name: t: lib.optional (t.expr != t.expected) { inherit name; inherit (t) expected; result = t.expr; }
      ) tests
    );
}
