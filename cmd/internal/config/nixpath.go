package config

import "strings"

// pathEdit replaces the search path or adds to it.
type pathEdit struct {
	replace, fromFlags bool
	entries            []string
}

func (s *Settings) editPath(v string, replace bool) error {
	s.NixPath = append(s.NixPath, pathEdit{replace, s.fromFlags, strings.Fields(v)})
	return nil
}

// NixPath is what the settings make of the search path def. NIX_PATH, where it
// is given, replaces what comes before the command line.
func (s *Settings) SearchPath(def []string, env string, given bool) []string {
	path := def
	edit := func(fromFlags bool) {
		for _, e := range s.NixPath {
			if e.fromFlags != fromFlags {
				continue
			}
			if e.replace {
				path = nil
			}
			path = append(path, e.entries...)
		}
	}
	edit(false)
	if given {
		path = splitNixPath(env)
	}
	edit(true)
	return path
}

// splitNixPath splits at colons that do not belong to a URL, as Nix does
// (EvalSettings::parseNixPath), and at white space, as any list among the settings.
func splitNixPath(s string) []string {
	var out []string
	for s != "" {
		i := 0
		for i < len(s) && (s[i] != ':' || strings.HasPrefix(s[i:], "://") || isChannel(s[:i])) {
			i++
		}
		out = append(out, strings.Fields(s[:i])...)
		s = strings.TrimPrefix(s[i:], ":")
	}
	return out
}

func isChannel(before string) bool {
	return before == "channel" || before == "flake" || strings.HasSuffix(before, "=channel") || strings.HasSuffix(before, "=flake")
}
