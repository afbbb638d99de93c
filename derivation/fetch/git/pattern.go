package git

import (
	"path"
	"strings"
)

// pattern is a path pattern of gitattributes(5), which are those of
// gitignore(5) without negation.
type pattern struct {
	parts    []string
	anchored bool // it has a slash, and so stands for a whole path
	onlyDir  bool // it ends with a slash
}

func newPattern(text string) pattern {
	var p pattern
	text, p.onlyDir = strings.CutSuffix(text, "/")
	rest := strings.TrimPrefix(text, "/")
	p.anchored = strings.Contains(text, "/")
	p.parts = strings.Split(rest, "/")
	return p
}

// match reports whether the path, relative to the folder of the pattern, is
// meant.
func (p pattern) match(name string, isDir bool) bool {
	if p.onlyDir && !isDir {
		return false
	}
	if !p.anchored {
		return matchPart(p.parts[0], path.Base(name))
	}
	return matchParts(p.parts, strings.Split(name, "/"))
}

func matchParts(pattern, name []string) bool {
	for len(pattern) > 0 {
		if pattern[0] == "**" {
			if len(pattern) == 1 {
				return len(name) > 0
			}
			for i := range name {
				if matchParts(pattern[1:], name[i:]) {
					return true
				}
			}
			return false
		}
		if len(name) == 0 || !matchPart(pattern[0], name[0]) {
			return false
		}
		pattern, name = pattern[1:], name[1:]
	}
	return len(name) == 0
}

// matchPart matches one name; a malformed pattern matches itself alone.
func matchPart(pattern, name string) bool {
	// Git writes the complement of a bracket as ! too.
	ok, err := path.Match(strings.ReplaceAll(pattern, "[!", "[^"), name)
	if err != nil {
		return pattern == name
	}
	return ok
}
