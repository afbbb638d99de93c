package instantiate

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"gonix/derivation/nar"
	"gonix/derivation/nixhash"
	"gonix/derivation/store"
	"gonix/derivation/storepath"
	"gonix/eval/value"
	"gonix/parser/source"
)

// CopyToStore adds the tree at file under its own name, once per evaluation.
func (s *State) CopyToStore(_ *value.Thread, file string) (string, error) {
	p, ok := s.sources[file]
	if !ok {
		if err := s.opt.MayCopy(file); err != nil {
			return "", err
		}
		real, err := s.resolve(file, false)
		if err != nil {
			return "", err
		}
		p, err = s.opt.Store.AddTree(s.ctx, baseName(file), nar.Tree{FS: s.opt.Files, Root: real}, store.Ingestion{})
		if err != nil {
			return "", err
		}
		s.addSource(file, p)
	}
	return p.String(), nil
}

// addSource remembers a source; file is "" if it is not simply the copy of one.
func (s *State) addSource(file string, p storepath.Path) {
	if file != "" {
		s.sources[file] = p
	}
	if _, ok := s.objects[p]; !ok {
		s.objects[p] = &object{}
	}
}

func (s *State) isSource(p storepath.Path) bool {
	o, ok := s.objects[p]
	return ok && o != nil && o.modulo == nil
}

func baseName(file string) string {
	if file == "/" {
		return "source"
	}
	return path.Base(file)
}

// missing is the path of a file that is not there.
type missing string

func (m missing) Error() string { return "path '" + value.Path(m).Show() + "' does not exist" }

func (m missing) Unwrap() error { return fs.ErrNotExist }

// maxLinks bounds how many symbolic links one path may lead through.
const maxLinks = 1024

// begin splits a path into what needs no look, which is the store's directory,
// and the rest: the store may lie elsewhere, and this machine have no /nix.
func begin(file string) (done, rest string) {
	file = path.Clean(file)
	if inside, ok := strings.CutPrefix(file, storepath.Dir+"/"); ok {
		return storepath.Dir, inside
	}
	return "", strings.TrimPrefix(file, "/")
}

// resolve follows the symbolic links in the directories on the way to file,
// and file itself if last is set. Files takes paths as they are.
func (s *State) resolve(file string, last bool) (string, error) {
	done, rest := begin(file)
	for links := 0; rest != ""; {
		name, more, _ := strings.Cut(rest, "/")
		next := done + "/" + name
		info, err := s.opt.Files.Lstat(next)
		if err != nil {
			if errors.Is(err, fs.ErrNotExist) {
				return "", missing(file)
			}
			return "", err
		}
		link := info.Mode().Type() == fs.ModeSymlink
		if more != "" && !link && !info.IsDir() {
			return "", missing(file)
		}
		if !link || more == "" && !last {
			done, rest = next, more
			continue
		}
		if links++; links > maxLinks {
			return "", fmt.Errorf("infinite symlink recursion in path '%s'", file)
		}
		target, err := s.opt.Files.Readlink(next)
		if err != nil {
			return "", err
		}
		if !strings.HasPrefix(target, "/") {
			target = done + "/" + target
		}
		done, rest = begin(target + "/" + more)
	}
	if done == "" {
		return "/", nil
	}
	return done, nil
}

// job is what builtins.path and builtins.filterSource have in common.
type job struct {
	name     string
	path     value.Path
	ctx      *value.Context
	filter   value.Value // nil takes all
	flat     bool
	expected nixhash.Hash
}

// path is builtins.path.
func (s *State) path(th *value.Thread, pos source.Pos, args []value.Value) (value.Value, error) {
	attrs, err := th.Attrs(args[0], pos, "while evaluating the argument passed to 'builtins.path'")
	if err != nil {
		return nil, err
	}
	var j job
	given := false
	for _, a := range attrs.Sorted(th.Symbols) {
		switch name := th.Symbols.Name(a.Sym); name {
		case "path":
			j.path, j.ctx, err = th.CoercePath(a.Val, a.Pos, "while evaluating the 'path' attribute passed to 'builtins.path'")
			given = true
		case "name":
			j.name, err = th.StringNoCtx(a.Val, a.Pos, "while evaluating the `name` attribute passed to builtins.path")
		case "filter":
			j.filter, err = th.Function(a.Val, a.Pos, "while evaluating the `filter` parameter passed to builtins.path")
		case "recursive":
			var recursive bool
			recursive, err = th.Bool(a.Val, a.Pos, "while evaluating the `recursive` attribute passed to builtins.path")
			j.flat = !recursive
		case "sha256":
			j.expected, err = s.sha256(th, a, "while evaluating the `sha256` attribute passed to builtins.path")
		default:
			err = th.Errorf(a.Pos, value.EvalError, "unsupported argument '%s' to 'builtins.path'", name)
		}
		if err != nil {
			return nil, err
		}
	}
	if !given {
		return nil, th.Errorf(pos, value.EvalError, "missing required 'path' attribute in the first argument to 'builtins.path'")
	}
	if j.name == "" {
		j.name = baseName(string(j.path))
	}
	return s.addPath(th, pos, j)
}

// sha256 reads the hash in an attribute.
func (s *State) sha256(th *value.Thread, a value.Attr, why string) (nixhash.Hash, error) {
	text, err := th.StringNoCtx(a.Val, a.Pos, why)
	if err != nil {
		return nixhash.Hash{}, err
	}
	h, err := s.parseHash(text, nixhash.SHA256)
	if err != nil {
		return nixhash.Hash{}, th.Errorf(a.Pos, value.EvalError, "%v", err)
	}
	return h, nil
}

// filterSource is builtins.filterSource.
func (s *State) filterSource(th *value.Thread, pos source.Pos, args []value.Value) (value.Value, error) {
	p, ctx, err := th.CoercePath(args[1], pos, "while evaluating the second argument (the path to filter) passed to 'builtins.filterSource'")
	if err != nil {
		return nil, err
	}
	f, err := th.Function(args[0], pos, "while evaluating the first argument passed to builtins.filterSource")
	if err != nil {
		return nil, err
	}
	return s.addPath(th, pos, job{name: baseName(string(p)), path: p, ctx: ctx, filter: f})
}

func (s *State) addPath(th *value.Thread, pos source.Pos, j job) (value.Value, error) {
	p, err := s.addTree(th, pos, j)
	if err != nil {
		return nil, value.WithFrame(err, pos, "while adding path '%s'", string(j.path))
	}
	return opaque(p.String(), p), nil
}

func (s *State) addTree(th *value.Thread, pos source.Pos, j job) (storepath.Path, error) {
	if s.opt.Realise != nil && j.ctx != nil {
		if err := s.opt.Realise(th, pos, j.ctx); err != nil {
			return storepath.Path{}, err
		}
	}
	refs, err := s.inherited(j)
	if err != nil {
		return storepath.Path{}, err
	}
	var want storepath.Path
	if !j.expected.IsZero() {
		want, err = storepath.FixedOutput(j.name, !j.flat, j.expected, refs, false)
		if err != nil {
			return storepath.Path{}, err
		}
		if valid, err := s.isValid(want); err != nil || valid {
			return want, err
		}
	}
	if err := s.opt.MayCopy(string(j.path)); err != nil {
		return storepath.Path{}, err
	}
	root, err := s.resolve(string(j.path), true)
	if err != nil {
		return storepath.Path{}, err
	}
	tree := nar.Tree{FS: s.opt.Files, Root: root}
	if j.filter != nil {
		tree.Filter = func(file, typ string) (bool, error) {
			v, err := th.Apply(pos, j.filter, value.NewString(value.Path(file).Text()), value.NewString(typ))
			if err != nil {
				return false, err
			}
			return th.Bool(v, pos, "while evaluating the return value of the path filter function")
		}
	}
	p, err := s.opt.Store.AddTree(s.ctx, j.name, tree, store.Ingestion{Flat: j.flat, References: refs})
	if err != nil {
		return storepath.Path{}, err
	}
	if !want.IsZero() && p != want {
		return storepath.Path{}, th.Errorf(pos, value.EvalError, "store path mismatch in (possibly filtered) path added from '%s'", string(j.path))
	}
	s.addSource("", p)
	s.objects[p].refs = refs
	return p, nil
}

// inherited are the references of a copy: what the object refers to that holds the path, if it is known to
// depend on one: whatever is copied from there may do so, too.
func (s *State) inherited(j job) ([]storepath.Path, error) {
	if j.ctx == nil || len(j.ctx.Elems()) == 0 {
		return nil, nil
	}
	p, _, err := storepath.Split(string(j.path))
	if err != nil {
		return nil, nil
	}
	info, err := s.opt.Store.Info(s.ctx, p)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return info.References, nil
}

// opaque is text that depends on p itself.
func opaque(text string, p storepath.Path) *value.String {
	return &value.String{S: text, Ctx: value.NewContext(value.ContextElem{Kind: value.Opaque, Path: p.String()})}
}
