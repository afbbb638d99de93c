builtins.seq 1 (let { a = 1; })
