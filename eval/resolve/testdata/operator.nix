1 - 2

-1

1 <= 2

a: b: [ (a < b) (a > b) (a <= b) (a >= b) (a * b) (a / b) (a + b) ]

let __sub = a: b: b; in 5 - 2

let __lessThan = a: b: true; in 1 >= 2

a: b: c: a // b // c

a: b: c: (a // b) // c

a: b: a && b || !a -> b

a: b: a == b && a != b

a: b: a ++ b ++ [ 1 ]

a: a.b.c or a.d

a: a.b.c

a: a.b or 1

a: a ? b.c && a ? ${a}

a: a."b c".${a.d}

builtins.map (x: x) [ 1 ]

map (x: x)

builtins.head

builtins.nothing

builtins.head or 1

[ builtins.head map (builtins.map builtins.head) ]

let builtins = { head = 1; }; in builtins.head

a: a 1 2 3

a: a 1

<nixpkgs/lib>

let __findFile = a: b: b; in <x>

x: "a${x}b${"c"}"

x: "${x}"

x: ./a/${x}/b

x: if x then 1 else assert x == 2; 3

__curPos

x: x 1 + (x 2 + (x 3 + (x 4 + (x 5 + (x 6 + (x 7 + x 8))))))
