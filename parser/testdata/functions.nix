[
  (x: x) ({ }: 1) ({ ... }: 1) ({ b, a }: a) ({ b ? 1, a, ... }: a) ({ a, }: a)
  (z@{ a }: z) ({ a, ... }@z: z) ({ }@z: z) (z@{ }: z)
  (x: y: { z }: x) (x: with x; assert y; if z then 1 else let a = 1; in a)
]
