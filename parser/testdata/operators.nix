# One line of the list for each rule of precedence.
a: b: c: f: [
  (a + b + c) (a - b - c) (a * b / c) (a ++ b ++ c) (a // b // c)
  (a -> b -> c) (a || b && c) (a && b || c) (a + b * c) (a * b + c)
  (a == b && c != a) (a < b == c) (a == b <= c) (a >= b) (a > b)
  (!a == b) (!a + b) (!a ? b) (a + !b + c) (a * !b == c) (!a // b)
  (-a + b) (-a ? b) (- a.b c) (-!a + b) (a - -b)
  (a ? b.c) (a ? b ? c) (a ? "b".${c}."d${f}")
  (a |> b |> c) (a <| b <| c) (a |> f b) (f <| a + b) (f a b c) ((f a) b) ((a - b) c)
  (a.b or c) (a.b or c.d or f) (f a.b or c a) (f or a) (map: map or [ ]) ((f a) or)
]
