let here = __curPos; in { inherit (here) line column; type = builtins.typeOf here.file; name = baseNameOf here.file; }
