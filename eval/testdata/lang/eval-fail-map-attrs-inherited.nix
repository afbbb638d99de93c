# The call is where its result is needed.
{ inherit (builtins.mapAttrs (name: throw name) { a = 1; }) a; }
