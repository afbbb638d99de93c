package value

import "strings"

// CoreDir is where the files of <nix/…> lie, to be read and copied as all others.
const CoreDir = "/__corepkgs__"

// Show is the path as messages and results show it: /a, or <nix/a>.
func (p Path) Show() string {
	if inner := p.core(); inner != "" {
		return "<nix" + inner + ">"
	}
	return string(p)
}

// Text is the path as a string of the language. As in Nix that of <nix/a> is
// /a, which names it no longer.
func (p Path) Text() string {
	if inner := p.core(); inner != "" {
		return inner
	}
	return string(p)
}

// core is where a path of <nix/…> leads there, and empty for all others.
func (p Path) core() string {
	switch inner, ok := strings.CutPrefix(string(p), CoreDir); {
	case !ok:
		return ""
	case inner == "":
		return "/"
	case inner[0] != '/':
		return ""
	default:
		return inner
	}
}
