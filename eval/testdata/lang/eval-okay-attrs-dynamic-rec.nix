let n = "k"; in rec { a = 1; ${n} = a + 1; "${n}${n}" = { inherit a; }; b = a; }
