# Loops through with, let, if and assert stay within the limit of calls.
let
  loop = n: if n == 0 then "done" else let m = n - 1; in with { k = m; }; assert k >= 0; loop k;
in
loop 3000
