package git

import (
	"fmt"
	"path"
	"strings"

	"github.com/go-git/go-git/v5/config"
	"github.com/go-git/go-git/v5/plumbing/filemode"
)

// Submodule is a repository inside another (gitmodules(5)).
type Submodule struct {
	Path   string // in the repository
	URL    string // as it is written; see [Repository.SubmoduleURL]
	Branch string // "" if none is named; "." is that of the repository itself
	Rev    string // the commit that the repository asks for; not of work trees
}

// Submodules returns those of the tree of a commit.
func (t *Tree) Submodules() ([]Submodule, error) {
	text, err := t.readFile(".gitmodules")
	if err != nil {
		return nil, err
	}
	all, err := parseModules(text)
	if err != nil {
		return nil, err
	}
	var out []Submodule
	for _, m := range all {
		if e, err := t.entry(m.Path); err == nil && e.Mode == filemode.Submodule {
			m.Rev = e.Hash.String()
			out = append(out, m)
		}
	}
	return out, nil
}

// Submodules returns those that .gitmodules in the work tree names.
func (w *WorkTree) Submodules() ([]Submodule, error) {
	text, err := w.repo.workFile(".gitmodules")
	if err != nil {
		return nil, err
	}
	return parseModules(text)
}

func parseModules(text []byte) ([]Submodule, error) {
	m := config.NewModules()
	if err := m.Unmarshal(text); err != nil {
		return nil, fmt.Errorf("parsing .gitmodules file: %w", err)
	}
	var out []Submodule
	for _, s := range m.Submodules {
		if s.Path == "" {
			continue
		}
		clean := path.Clean("/" + s.Path)[1:]
		out = append(out, Submodule{Path: clean, URL: s.URL, Branch: s.Branch})
	}
	return out, nil
}

// SubmoduleURL is where a submodule is: an address that begins with ./ or ../
// is relative to where the repository itself was fetched from.
func (r *Repository) SubmoduleURL(url, origin string) string {
	if !strings.HasPrefix(url, "./") && !strings.HasPrefix(url, "../") {
		return url
	}
	if origin == "" {
		origin = r.dir
		if cfg, err := r.repo.Config(); err == nil {
			if remote, ok := cfg.Remotes["origin"]; ok && len(remote.URLs) > 0 {
				origin = remote.URLs[0]
			}
		}
	}
	origin = strings.TrimRight(origin, "/")
	for {
		switch {
		case strings.HasPrefix(url, "./"):
			url = url[2:]
		case strings.HasPrefix(url, "../"):
			url = url[3:]
			if i := strings.LastIndexAny(origin, "/:"); i > 0 {
				origin = origin[:i]
			}
		default:
			return origin + "/" + url
		}
	}
}
