// Package instantiate turns values into store objects: derivations from
// attribute sets (derivationStrict), sources from paths (path, filterSource and
// every path that becomes a string with a context), and texts (toFile).
//
// A [State] belongs to one evaluation. It remembers what it has added, so that
// each source is read once and each derivation is hashed once, and works the
// same on a store that writes nothing. The paths, and the bytes of the .drv
// files, are those of C++ Nix.
package instantiate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"gonix/derivation"
	"gonix/derivation/fetch/flakeref"
	"gonix/derivation/nar"
	"gonix/derivation/nixhash"
	"gonix/derivation/store"
	"gonix/derivation/storepath"
	"gonix/eval/value"
	"gonix/parser/source"
)

// Store is what evaluation needs of a store.
type Store interface {
	store.Adder
	store.Store
}

// Fetcher brings files and trees from elsewhere into the store.
type Fetcher interface {
	// FetchFile adds the file at a URL to the store by the SHA-256 of its
	// content, which it returns.
	FetchFile(ctx context.Context, url, name string) (path storepath.Path, hash nixhash.Hash, err error)
	// FetchTree adds the tree that an input names.
	FetchTree(ctx context.Context, in flakeref.Input) (flakeref.Tree, error)
}

// Options is what a State works with. Only Store is required.
type Options struct {
	Store Store
	// Files reads sources by their logical paths: those below /nix/store are
	// store objects wherever they are kept. nil means this machine's files.
	Files nar.FileSystem
	// Fetcher serves the fetch builtins; nil refuses them.
	Fetcher Fetcher
	// Closures serves fetchClosure; nil refuses it.
	Closures Closures
	// Realise builds what a path depends on before it is read; nil does
	// nothing.
	Realise func(th *value.Thread, pos source.Pos, ctx *value.Context) error
	// Warn prints a warning; nil drops it.
	Warn func(msg string)
	// MayCopy returns an error if the file or tree at a path may not be copied
	// to the store; nil lets all be.
	MayCopy func(file string) error
	// CheckURI returns an error if what is at an address may not be fetched;
	// nil lets all be.
	CheckURI func(uri string) error
	// What Nix calls experimental features.
	Flakes, FetchTree, FetchClosure, VerifiedFetches, DynamicDerivations bool
	// Feature reports whether the user has turned on one that may be missing
	// here; nil says no.
	Feature func(name string) bool
	// Pure refuses what is not determined by the expression.
	Pure bool
}

// State is what one evaluation has added to its store. It is not safe for
// concurrent use.
type State struct {
	// ctx is the context of the whole evaluation: builtins are called by the
	// evaluator, which has none to pass.
	ctx     context.Context
	opt     Options
	sources map[string]storepath.Path // copies by the path that was copied
	objects map[storepath.Path]*object
	trees   map[string]flakeref.Tree // by the attributes of the input
	unused  []*derivation.Derivation // written ones, to be filled again
}

// object is what is remembered of a derivation or text.
type object struct {
	refs    []storepath.Path
	outputs []string                // derivations only, sorted
	modulo  map[string]nixhash.Hash // derivations only
}

var _ value.Paths = (*State)(nil)

// New returns a State without anything in it. ctx ends reading and writing of
// all that it does.
func New(ctx context.Context, opt Options) *State {
	if opt.Files == nil {
		opt.Files = nar.OS{}
	}
	if opt.MayCopy == nil {
		opt.MayCopy = func(string) error { return nil }
	}
	if opt.CheckURI == nil {
		opt.CheckURI = func(string) error { return nil }
	}
	if opt.Feature == nil {
		opt.Feature = func(string) bool { return false }
	}
	if opt.Warn == nil {
		opt.Warn = func(string) {}
	}
	return &State{
		ctx:     ctx,
		opt:     opt,
		sources: map[string]storepath.Path{},
		objects: map[storepath.Path]*object{},
		trees:   map[string]flakeref.Tree{},
	}
}

// Builtins returns the builtins that work on s.
func (s *State) Builtins() []*value.Builtin {
	all := []*value.Builtin{
		{Name: "derivationStrict", Params: []string{"attrs"}, Fn: s.derivationStrict,
			Doc: "Instantiate the derivation that attrs describes; return its drvPath and the paths of its outputs."},
		{Name: "placeholder", Params: []string{"output"}, Fn: placeholder,
			Doc: "Return text that stands for the path of the named output inside the derivation itself."},
		{Name: "toFile", Params: []string{"name", "text"}, Fn: s.toFile,
			Doc: "Put text into the store as a file called name; return its path."},
		{Name: "path", Params: []string{"attrs"}, Fn: s.path,
			Doc: "Copy attrs.path to the store, as attrs say: name, filter, recursive, sha256."},
		{Name: "filterSource", Params: []string{"filter", "path"}, Fn: s.filterSource,
			Doc: "Copy path to the store without the files for which filter, called with path and type, is false."},
		{Name: "storePath", Params: []string{"path"}, Fn: s.storePath,
			Doc: "Make a string that depends on the valid store path that path lies in."},
		{Name: "fetchurl", Params: []string{"url"}, Fn: s.fetchurl,
			Doc: "Fetch a file during evaluation; return its store path."},
		{Name: "fetchTarball", Params: []string{"url"}, Fn: s.fetchTarball,
			Doc: "Fetch and unpack an archive during evaluation; return its store path."},
		{Name: "fetchGit", Params: []string{"args"}, Fn: s.fetchGit,
			Doc: "Fetch a commit or the work tree of a git repository during evaluation; return its store path and what is known of it."},
		{Name: "fetchMercurial", Params: []string{"args"}, Fn: s.fetchMercurial,
			Doc: "Refuse to fetch a Mercurial repository, which nothing here can read, once the argument is checked."},
		{Name: "parseFlakeRef", Params: []string{"flake-ref"}, Fn: s.parseFlakeRef,
			Doc: "Return the attributes of a flake reference in its URL-like form."},
		{Name: "flakeRefToString", Params: []string{"attrs"}, Fn: s.flakeRefToString,
			Doc: "Return the URL-like form of a flake reference that is given as attributes."},
	}
	if s.opt.FetchTree {
		all = append(all, &value.Builtin{Name: "fetchTree", Params: []string{"input"}, Fn: s.fetchTree,
			Doc: "Fetch the file or tree that a set or a flake reference names; return its store path and what is known of it."})
	}
	if s.opt.FetchClosure {
		all = append(all, &value.Builtin{Name: "fetchClosure", Params: []string{"args"}, Fn: s.fetchClosure,
			Doc: "Fetch fromPath and all that it refers to from the binary cache fromStore; return its store path, or with toPath that of a content-addressed copy."})
	}
	if s.opt.DynamicDerivations {
		all = append(all, &value.Builtin{Name: "outputOf", Params: []string{"derivation-reference", "output-name"}, Fn: s.outputOf,
			Doc: "Return the path of an output of the derivation that a string refers to."})
	}
	return all
}

// isValid reports whether the store has p.
func (s *State) isValid(p storepath.Path) (bool, error) {
	_, err := s.opt.Store.Info(s.ctx, p)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// Derivation reads the derivation at drv from the store.
func (s *State) Derivation(drv storepath.Path) (*derivation.Derivation, error) {
	f, err := s.opt.Files.Open(drv.String())
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(f)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", drv, err)
	}
	return derivation.Parse(strings.TrimSuffix(drv.Name(), storepath.DrvSuffix), text)
}

// known returns what is remembered of the derivation at drv, reading it if
// another evaluation made it.
func (s *State) known(drv storepath.Path) (*object, error) {
	if o, ok := s.objects[drv]; ok {
		if o == nil {
			return nil, fmt.Errorf("derivation '%s' depends on itself", drv)
		}
		return o, nil
	}
	s.objects[drv] = nil // until it is complete: a cycle
	o, err := s.load(drv)
	if err != nil {
		delete(s.objects, drv)
		return nil, fmt.Errorf("read derivation '%s': %w", drv, err)
	}
	s.objects[drv] = o
	return o, nil
}

func (s *State) load(drv storepath.Path) (*object, error) {
	d, err := s.Derivation(drv)
	if err != nil {
		return nil, err
	}
	modulo, err := d.HashModulo(s.modulo, false)
	if err != nil {
		return nil, err
	}
	return &object{refs: d.References(), outputs: d.OutputNames(), modulo: modulo}, nil
}

// modulo is the derivation.Resolver over what s remembers.
func (s *State) modulo(drv storepath.Path) (map[string]nixhash.Hash, error) {
	o, err := s.known(drv)
	if err != nil {
		return nil, err
	}
	return o.modulo, nil
}

var _ derivation.Resolver = (*State)(nil).modulo

// ReadOnly returns a Store that writes nothing and computes the paths of what
// it is asked to add. It knows the objects of s, or none if s is nil.
func ReadOnly(s store.Store) Store { return readOnly{inner: s} }

type readOnly struct {
	store.Computing
	inner store.Store
}

func (r readOnly) Info(ctx context.Context, p storepath.Path) (*store.Info, error) {
	if r.inner == nil {
		return nil, fmt.Errorf("path '%s' is not valid: %w", p, store.ErrNotFound)
	}
	return r.inner.Info(ctx, p)
}
