package cli

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"

	"gonix/derivation/store"
	"gonix/derivation/storepath"
)

// place is where a store lies: what the parameters of Nix's local stores say.
type place struct {
	root    string // physical directory above the rest; "" if the directories stand alone
	logical string // what paths begin with
	dir     string // physical directory of the objects; "" follows from root
	state   string
	log     string
}

// storeWord is the store that is asked for: by --store, else by NIX_REMOTE
// where that names a kind of store that there is here (a daemon of Nix is none).
func storeWord(w *world, flag string) string {
	if flag != "" {
		return flag
	}
	remote := w.getenv("NIX_REMOTE")
	if remote == "dummy://" || remote == "local" || strings.HasPrefix(remote, "local?") || strings.HasPrefix(remote, "/") {
		return remote
	}
	return ""
}

// storePlace reads --store and the environment: a folder, or local with
// parameters (root, store, real, state, log); by default the store that
// NIX_STORE_DIR and its like describe, or one in the user's data directory.
func storePlace(w *world, flag string) (place, error) {
	word := storeWord(w, flag)
	name, query, _ := strings.Cut(word, "?")
	params, err := url.ParseQuery(query)
	if err != nil {
		return place{}, fmt.Errorf("'--store %s': %w", word, err)
	}
	p := place{
		root:    params.Get("root"),
		logical: cmp.Or(params.Get("store"), w.getenv("NIX_STORE_DIR"), storepath.DefaultDir),
		dir:     params.Get("real"),
		state:   params.Get("state"),
		log:     params.Get("log"),
	}
	switch {
	case strings.Contains(name, "://") && !strings.HasPrefix(name, "local://"):
		return place{}, fmt.Errorf("'--store %s': only a folder of this machine can be the store that is built in", word)
	case name == "" || name == "auto":
		if w.getenv("NIX_STORE_DIR") != "" {
			break
		}
		if p.root, err = dataStore(w); err != nil {
			return place{}, err
		}
	case name == "local" || name == "local://":
	default:
		p.root = strings.TrimPrefix(name, "local://")
	}
	if p.root != "" {
		p.root = w.abs(p.root)
		return p, nil
	}
	// Without a root all directories are where Nix has them.
	p.root = "/"
	p.dir = cmp.Or(p.dir, p.logical)
	p.state = cmp.Or(p.state, w.getenv("NIX_STATE_DIR"))
	p.log = cmp.Or(p.log, w.getenv("NIX_LOG_DIR"))
	return p, nil
}

// dataStore is the root of the store that is the user's own.
func dataStore(w *world) (string, error) {
	if data := w.getenv("XDG_DATA_HOME"); filepath.IsAbs(data) {
		return filepath.Join(data, "gonix"), nil
	}
	home := w.getenv("HOME")
	if home == "" {
		return "", errors.New("where to keep the store? Neither XDG_DATA_HOME nor HOME is set; name a folder with --store")
	}
	return filepath.Join(home, ".local", "share", "gonix"), nil
}

// open opens the store at p, which also decides what paths begin with.
func (p place) open(opts store.Options) (*store.Local, error) {
	if err := storepath.UseDir(p.logical); err != nil {
		return nil, err
	}
	opts.Dir, opts.StateDir, opts.LogDir = p.dir, p.state, p.log
	return store.Open(p.root, opts)
}

// realFile is where the store at p keeps a file, without opening it.
func (p place) realFile(logical string) string {
	rest, ok := strings.CutPrefix(logical, p.logical)
	if !ok || rest != "" && rest[0] != '/' {
		return logical
	}
	return cmp.Or(p.dir, filepath.Join(p.root, storepath.DefaultDir)) + rest
}
