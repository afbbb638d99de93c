# The function has no place before it is called for the first time.
builtins.mapAttrs (name: name + "1") { a.b = 1; }
