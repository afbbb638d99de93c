# Derivations that write down what their builder was given. C++ Nix and we must
# come to the same outputs.
let
  build = attrs: derivation ({ system = "x86_64-linux"; builder = "/bin/sh"; } // attrs);
  script = text: [ "-c" text ];
  source = builtins.toFile "source" "a text";
  dep = build { name = "dep"; args = script "echo ${source} > $out"; };
in
{
  plain = build {
    name = "plain";
    long = "it's a \"long\"\ntext";
    passAsFile = [ "long" ];
    exportReferencesGraph = [ "graph" dep "graph2" source ];
    number = 5;
    yes = true;
    list = [ "a" "b c" ];
    nothing = null;
    self = placeholder "out";
    args = script ''
      { env | sort; id; hostname; umask; pwd; cat .attr-*; cat graph graph2 /etc/hosts; cat /proc/self/personality 2>/dev/null; ulimit -c; echo "$0"; } > $out
    '';
  };

  attrs = build {
    name = "attrs";
    __structuredAttrs = true;
    outputs = [ "out" "dev" ];
    number = 5;
    fraction = 1.5;
    whole = 2.0;
    negative = -3;
    yes = true;
    no = false;
    nothing = null;
    text = "it's \"quoted\" é \t <&>\\ \n line";
    list = [ "a" "b c" 1 true null ];
    nested = [ [ "x" ] ];
    fractions = [ 1.5 ];
    set = { a = 1; "b c" = "d'e"; };
    deep = { a = { b = 1; }; };
    "bad-name" = "x";
    empty = [ ];
    emptySet = { };
    exportReferencesGraph = { graph = [ dep ]; one = source; };
    self = placeholder "dev";
    args = script ''
      out=${placeholder "out"}
      { env | sort | grep -v ^NIX_ATTRS; cat .attrs.json; echo; cat .attrs.sh; } > $out
      echo dev > ${placeholder "dev"}
    '';
  };

  modes = build {
    name = "modes";
    args = script ''
      mkdir $out; cd $out
      echo x > file; echo y > program; chmod 755 program; chmod 600 file
      chmod 4755 program; echo $? > suid
      ln -s file link; ln file hard; mkdir -p empty/dir; chmod 700 empty
    '';
  };
}
