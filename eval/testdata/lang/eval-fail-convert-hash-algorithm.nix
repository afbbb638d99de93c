# The algorithm is looked at before the notation.
builtins.convertHash { hash = "x"; hashAlgo = "y"; toHashFormat = throw "z"; }
