let x = y; y = x + 1; in x
