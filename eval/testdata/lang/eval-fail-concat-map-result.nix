builtins.concatMap (x: 1) [ "a" ]
