assert { a = [ 1 2 ]; } == { a = [ 1 3 ]; }; true
