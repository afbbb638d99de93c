{
  file = import ./lib/value.nix;
  directory = import ./lib;
  twice = (import ./lib).n + (import ./lib/default.nix).n;
  string = import (toString ./lib/value.nix);
  scoped = scopedImport { scopedName = 7; true = "shadowed"; } ./lib/scoped.nix;
}
