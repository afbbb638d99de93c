let f = n: 10 / n; in f 0
