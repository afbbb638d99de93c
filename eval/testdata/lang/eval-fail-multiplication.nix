builtins.mul true 1
