package eval

import (
	"strings"

	"gonix/eval/code"
)

// derivationFile names the text of derivation.
const derivationFile = code.InternalFile

// derivationText defines the global function derivation: what derivationStrict
// returns, dressed up as a package. Each output is the attributes given, the
// attributes all, drvAttrs and one per output, and what is the output's own:
// drvPath, outPath, outputName and type. The result is the first output.
//
// Everything begins at the line and column where it begins in Nix, which traces,
// XML and unsafeGetAttrPos show.
func derivationText() string {
	const above = 29 // lines of comments in Nix
	return strings.Repeat("\n", above) + `drvAttrs@{
  outputs ? [ "out" ],
  ...
}:

let

  strict = derivationStrict drvAttrs;

  shared =
    drvAttrs
    // (builtins.listToAttrs packages)
    // {
      all = map (p: p.value) packages;
      inherit drvAttrs;
    };

  package = outputName: {
    name = outputName;
    value = shared // {
      outPath = builtins.getAttr outputName strict;
      drvPath = strict.drvPath;
      type = "derivation";
      inherit outputName;
    };
  };

  packages    = map package outputs;

in
(builtins.head packages).value
`
}

// importedText makes a package of what importing a derivation's file yields:
// its drvPath, name, outputs and the path of each output.
const importedText = `
args@{ drvPath, name, outputs, ... }:
let
  shared = builtins.listToAttrs packages // {
    inherit drvPath name;
    all = map (p: p.value) packages;
    type = "derivation";
  };
  packages = map
    (outputName: {
      name = outputName;
      value = shared // {
        inherit outputName;
        outPath = builtins.getAttr outputName args;
      };
    })
    outputs;
in
(builtins.head packages).value
`
