let base = ./lib; name = "value"; in
{
  relative = baseNameOf ./lib/value.nix;
  plus = baseNameOf (base + "/value.nix");
  plusPath = ./lib + ./x == /. + (toString ./lib + toString ./x);
  interpolated = import ./lib/${name}.nix;
  interpolated2 = ./lib/${"a"}/../${"b"}.nix == ./lib/b.nix;
  type = builtins.typeOf (base + "x");
  string = builtins.typeOf ("" + toString base);
  canonical = [ (/a/./b/../c) (/a + "/../b") (/. + "x") ];
  compare = /a/b < /a/c;
  dir = dirOf /a/b/c;
}
