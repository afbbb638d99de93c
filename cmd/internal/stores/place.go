// Package stores finds and opens the stores that words as after --store name, and
// the store paths that arguments name.
package stores

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"syscall"

	"gonix/cmd/internal/process"
	"gonix/derivation/store"
	"gonix/derivation/storepath"
)

// Place is where a store lies: what the parameters of Nix's local stores say.
type Place struct {
	root    string // physical directory above the rest; "" if the directories stand alone
	Logical string // what paths begin with
	dir     string // physical directory of the objects; "" follows from root
	state   string
	// readOnly says that the store must not be changed.
	readOnly bool
	log      string
	own      bool // in the user's data directory, as nobody named a place
}

// Word is the store that is asked for: by --store, else by NIX_REMOTE
// where that names a kind of store that there is here (a daemon of Nix is none).
func Word(w *process.World, flag string) string {
	if flag != "" {
		return flag
	}
	remote := w.Getenv("NIX_REMOTE")
	if remote == "dummy://" || remote == "local" || strings.HasPrefix(remote, "local?") || strings.HasPrefix(remote, "/") {
		return remote
	}
	return ""
}

// Locate reads --store and the environment: a folder, or local with
// parameters (root, store, real, state, log, read-only); by default the store that
// NIX_STORE_DIR and its like describe, or one in the user's data directory.
func Locate(w *process.World, flag string) (Place, error) {
	word := Word(w, flag)
	name, query, _ := strings.Cut(word, "?")
	params, err := url.ParseQuery(query)
	if err != nil {
		return Place{}, fmt.Errorf("'--store %s': %w", word, err)
	}
	p := Place{
		root:     params.Get("root"),
		Logical:  cmp.Or(params.Get("store"), w.Getenv("NIX_STORE_DIR"), storepath.DefaultDir),
		dir:      params.Get("real"),
		state:    params.Get("state"),
		readOnly: params.Get("read-only") == "true",
		log:      params.Get("log"),
	}
	switch {
	case strings.Contains(name, "://") && !strings.HasPrefix(name, "local://"):
		return Place{}, fmt.Errorf("'--store %s': only a folder of this machine can be the store that is built in", word)
	case name == "" || name == "auto":
		if w.Getenv("NIX_STORE_DIR") != "" {
			break
		}
		if p.root, err = dataStore(w); err != nil {
			return Place{}, err
		}
		p.own = true
	case name == "local" || name == "local://":
	default:
		p.root = strings.TrimPrefix(name, "local://")
	}
	if p.root != "" {
		p.root = w.Abs(p.root)
		return p, nil
	}
	// Without a root all directories are where Nix has them.
	p.root = "/"
	p.dir = cmp.Or(p.dir, p.Logical)
	p.state = cmp.Or(p.state, w.Getenv("NIX_STATE_DIR"))
	p.log = cmp.Or(p.log, w.Getenv("NIX_LOG_DIR"))
	return p, nil
}

// dataStore is the root of the store that is the user's own.
func dataStore(w *process.World) (string, error) {
	if data := w.Getenv("XDG_DATA_HOME"); filepath.IsAbs(data) {
		return filepath.Join(data, "gonix"), nil
	}
	home := w.Home()
	if home == "" {
		return "", errors.New("where to keep the store? There is no XDG_DATA_HOME, no HOME, and no home of this user; name a folder with --store")
	}
	return filepath.Join(home, ".local", "share", "gonix"), nil
}

// Root is the directory above the store, "/" if nothing is.
func (p Place) Root() string { return p.root }

// Open opens the store at p, which also decides what paths begin with.
func (p Place) Open(opts store.Options) (*store.Local, error) {
	if err := storepath.UseDir(p.Logical); err != nil {
		return nil, err
	}
	opts.ReadOnly = opts.ReadOnly || p.readOnly
	opts.Dir, opts.StateDir, opts.LogDir = p.dir, p.state, p.log
	st, err := store.Open(p.root, opts)
	if p.own && (errors.Is(err, store.ErrReadOnly) || errors.Is(err, syscall.ENOTDIR)) {
		err = fmt.Errorf("%w\nName another folder with '--store DIR', or by XDG_DATA_HOME.", err)
	}
	return st, err
}

// RealFile is where the store at p keeps a file, without opening it.
func (p Place) RealFile(logical string) string {
	rest, ok := strings.CutPrefix(logical, p.Logical)
	if !ok || rest != "" && rest[0] != '/' {
		return logical
	}
	return cmp.Or(p.dir, filepath.Join(p.root, storepath.DefaultDir)) + rest
}
