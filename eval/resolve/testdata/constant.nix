[ ]

{ }

[ 1 2.5 "a" /b null ]

{ a = 1; b = "c"; }

{ a = { b = 1; }; }

[ [ 1 ] ]

[ (x: x) ]

''
  indented
''

./a/../b

~/file
