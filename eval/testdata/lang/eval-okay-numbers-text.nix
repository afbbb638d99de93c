map toString [ 1 (-1) 1.5 1.0e20 0.1 (1 / 3.0) true false null [ 1 [ 2 [ ] 3 ] [ ] "x" ] ]
