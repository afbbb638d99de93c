let f = a: a: b: a: [ a b ]; in [ (f 1 2 3 4) ((f 1) 2 3 4) ((f 1 2 3) 4) ]
