assert 1 + 1 == 2; assert !(1 == 2) -> true; let x = assert true; 5; in x
