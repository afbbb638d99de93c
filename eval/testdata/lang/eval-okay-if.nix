let sign = n: if n < 0 then "-" else if n == 0 then "0" else "+"; in map sign [ (-5) 0 5 ]
