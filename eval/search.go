package eval

import (
	"errors"
	"fmt"
	"path"
	"strings"

	"gonix/eval/builtin"
	"gonix/eval/value"
	"gonix/parser/source"
)

// FindFile implements [builtin.Host].
func (s *State) FindFile(_ *value.Thread, pos source.Pos, entries []builtin.SearchEntry, name string) (value.Path, error) {
	for _, e := range entries {
		rest, ok := matchPrefix(e.Prefix, name)
		if !ok {
			continue
		}
		if _, flake := strings.CutPrefix(e.Path, flakeEntry); !flake && !isURL(e.Path) {
			if err := s.mayRead(s.entryPath(e.Path), false); err != nil {
				return "", err
			}
		}
		dir, err := s.place(e.Path)
		if err != nil {
			return "", err
		}
		if dir == "" {
			continue
		}
		if p, ok := s.exists(path.Join(dir, path.Clean("/"+rest))); ok {
			return value.Path(p), nil
		}
	}
	if rest, ok := strings.CutPrefix(name, "nix/"); ok {
		return value.Path(path.Join(value.CoreDir, path.Clean("/"+rest))), nil
	}
	format := "file '%s' was not found in the Nix search path (add it using $NIX_PATH or -I)"
	if s.opt.Settings.Pure {
		format = "cannot look up '<%s>' in pure evaluation mode (use '--impure' to override)"
	}
	return "", &value.Error{Kind: value.NotFoundError, Pos: pos, Msg: fmt.Sprintf(format, name)}
}

// Find returns the path of <name>.
func (s *State) Find(name string) (string, error) {
	p, err := s.FindFile(s.th, source.NoPos, s.opt.SearchPath, name)
	return string(p), err
}

// Lookup returns the absolute path of a file argument of the command line:
// <name> is looked up, a URL is downloaded, a flake is fetched, all else is
// relative to the current directory.
func (s *State) Lookup(arg string) (string, error) {
	if ref, ok := strings.CutPrefix(arg, flakeEntry); ok {
		return s.flake(ref)
	}
	if isURL(arg) {
		if s.opt.Download == nil {
			return "", fmt.Errorf("download %s: not possible here", arg)
		}
		return s.opt.Download(channelURL(arg))
	}
	if len(arg) > 2 && strings.HasPrefix(arg, "<") && strings.HasSuffix(arg, ">") {
		return s.Find(arg[1 : len(arg)-1])
	}
	return s.entryPath(arg), nil
}

// matchPrefix returns what of name is below an entry with the given prefix.
func matchPrefix(prefix, name string) (rest string, ok bool) {
	if prefix == "" || prefix == name {
		return strings.TrimPrefix(name, prefix), true
	}
	return strings.CutPrefix(name, prefix+"/")
}

// exists resolves the symbolic links of p and reports whether it is there.
func (s *State) exists(p string) (string, bool) {
	real, err := s.files.Resolve(p, true)
	if err != nil {
		return "", false
	}
	if _, err := s.files.Lstat(real); err != nil {
		return "", false
	}
	return real, true
}

// entryPath is the absolute form of a file name as it is written.
func (s *State) entryPath(p string) string {
	if !strings.HasPrefix(p, "/") {
		p = s.opt.Cwd + "/" + p
	}
	return path.Clean(p)
}

// flakeEntry begins an entry of the search path that is a flake reference.
const flakeEntry = "flake:"

// flake fetches the tree of a flake.
func (s *State) flake(ref string) (string, error) {
	if s.opt.Flake == nil {
		return "", fmt.Errorf("fetch %s: not possible here", ref)
	}
	return s.opt.Flake(ref)
}

// place returns where an entry of the search path is, or "" if nowhere; it
// warns once. What is wrong with a flake is an error, as in Nix.
func (s *State) place(entry string) (string, error) {
	if p, ok := s.entries[entry]; ok {
		return p, nil
	}
	if ref, ok := strings.CutPrefix(entry, flakeEntry); ok {
		p, err := s.flake(ref)
		if err != nil {
			return "", err
		}
		s.entries[entry] = p
		return p, nil
	}
	p := s.findPlace(entry)
	s.entries[entry] = p
	return p, nil
}

func (s *State) findPlace(entry string) string {
	if isURL(entry) {
		err := errors.New("not possible here")
		if s.opt.Download != nil {
			var p string
			if p, err = s.opt.Download(channelURL(entry)); err == nil {
				return p
			}
		}
		fmt.Fprintf(s.opt.Trace, "warning: Nix search path entry '%s' cannot be downloaded, ignoring: %v\n", entry, err)
		return ""
	}
	p := s.entryPath(entry)
	// A symbolic link allows nothing but itself.
	if real, ok := s.exists(p); ok && (!s.guarded() || s.access(real) != noAccess) {
		return p
	}
	fmt.Fprintf(s.opt.Trace, "warning: Nix search path entry '%s' does not exist, ignoring\n", entry)
	return ""
}

// isURL reports whether an entry has to be downloaded (Nix: isPseudoUrl).
func isURL(s string) bool {
	if strings.HasPrefix(s, "channel:") {
		return true
	}
	scheme, _, ok := strings.Cut(s, "://")
	if !ok {
		return false
	}
	switch scheme {
	case "http", "https", "file", "channel", "git", "s3", "ssh":
		return true
	}
	return false
}

// channelURL spells out channel:name.
func channelURL(s string) string {
	if name, ok := strings.CutPrefix(s, "channel:"); ok {
		return "https://channels.nixos.org/" + name + "/nixexprs.tar.xz"
	}
	return s
}
