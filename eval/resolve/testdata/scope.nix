let a = 1; b = a; in b

x: y: x

x: y: { z }: w@{ v ? x, ... }: [ x y z w v ]

x: x: x

let f = a: b: a; in f

let f = { a, b ? a }@all: all; in f 1

with { a = 1; }; a

let a = 1; in with { a = 2; }; a

x: with x; y: with y; [ z x ]

with { true = 1; }; [ true lazy ]

rec { b = 1; a = b; inherit (c) d; c = { d = a; }; }

let x = 1; in rec { inherit x; y = x; }

let inherit (s) a b; s = { a = 1; b = 2; }; in a

x: { inherit x; inherit (x) y z; }

x: { inherit (x.sub) y z; w = x; }

rec { a = 1; __overrides = { a = 2; }; }

x: { a = 1; ${x} = 2; "${x}b" = x; }

rec { a = 1; ${a} = a; }

let { x = 1; body = x; }

{ a.b = 1; a.c = x: x; }
