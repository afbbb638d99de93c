# What mapAttrs makes has no place of its own.
builtins.unsafeGetAttrPos "a" (builtins.mapAttrs (_: v: v) { a = 1; })
