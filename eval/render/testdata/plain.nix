let
  shared = { x = 1; };
in {
  int = 1;
  none = null;
  text = "a\"b\\c\n\r\t\b é";
  list = [ 1 (1 + 1) { } [ ] true ];
  set = { b = 1; a = 2; "" = 3; };
  package = { outPath = "/nix/store/x"; rest = throw "unused"; };
  string = { __toString = self: "s" + self.t; t = "t"; };
  inherit shared;
  again = shared;
}
