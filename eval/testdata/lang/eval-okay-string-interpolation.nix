let
  n = 5;
  set = { outPath = "/out"; };
  str = { __toString = self: "I am ${self.name}"; name = "S"; };
in
[ "${"a"}" "a${"b"}c${"d"}" "${toString n}" "${set}" "${str}" "${{ outPath = str; }}" "$${n}" "\${n}" "${"nested ${"twice ${"thrice"}"}"}" ("${set}" + "/x") (set + "/y") (str + "!") ]
