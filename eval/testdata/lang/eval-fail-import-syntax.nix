import ./lib/syntax.nix
