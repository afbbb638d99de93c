package builtin

import (
	"bytes"
	"errors"
	"io/fs"
	"strings"

	"gonix/eval/symbol"
	"gonix/eval/value"
	"gonix/parser/source"
)

func fileTable(h Host) []*value.Builtin {
	f := files{h}
	return []*value.Builtin{
		{Name: "import", Params: []string{"path"}, Fn: f.importFile,
			Doc: "Return the value of the Nix file at path, or of its default.nix."},
		{Name: "scopedImport", Params: []string{"scope", "path"}, Fn: f.scopedImport,
			Doc: "Return the value of the Nix file at path with the attributes of scope as its outermost variables."},
		{Name: "pathExists", Params: []string{"path"}, Fn: f.pathExists,
			Doc: "Return whether there is something at path; a path that ends in a slash must be a directory."},
		{Name: "readFile", Params: []string{"path"}, Fn: f.readFile,
			Doc: "Return the text of a file; of one in the store, with the references that occur in it."},
		{Name: "readDir", Params: []string{"path"}, Fn: f.readDir,
			Doc: "Return the names in a directory, each with its type: regular, directory, symlink or unknown."},
		{Name: "readFileType", Params: []string{"p"}, Fn: f.readFileType,
			Doc: "Return what lies at p: regular, directory, symlink or unknown."},
		{Name: "findFile", Params: []string{"search-path", "lookup-path"}, Fn: f.findFile,
			Doc: "Return the first existing path for a name in a search path, a list of { path; prefix ? \"\"; }; <x> is findFile __nixPath \"x\"."},
		{Name: "toPath", Params: []string{"s"}, Fn: f.toPath,
			Doc: "Return the canonical form of an absolute path as a string; obsolete."},
		{Name: "getEnv", Params: []string{"s"}, Fn: f.getEnv,
			Doc: "Return the value of an environment variable, or \"\"; always \"\" in pure evaluation."},
	}
}

// files are the builtins that read the file system.
type files struct{ host Host }

// realisePath turns v into a path that can be read: what it depends on is
// built first.
func realisePath(h Host, th *value.Thread, pos source.Pos, v value.Value) (value.Path, error) {
	path, ctx, err := th.CoercePath(v, pos, "while realising the context of a path")
	if err != nil {
		return "", err
	}
	if ctx == nil {
		return path, nil
	}
	if err := h.Realise(th, pos, ctx); err != nil {
		return "", value.WithFrame(hostError(pos, err), source.NoPos, "while realising the context of path '%s'", string(path))
	}
	return path, nil
}

// hostError makes an error of the language of a host's error.
func hostError(pos source.Pos, err error) error {
	e := value.AsError(err)
	if e.Pos == source.NoPos && e.Cause != nil {
		e.Pos = pos
	}
	return e
}

// missing is Nix's message for a file that is not there.
func missing(th *value.Thread, pos source.Pos, path value.Path, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		e := th.Errorf(pos, value.IOError, "path '%s' does not exist", path.Show())
		e.Cause = err
		return e
	}
	return hostError(pos, err)
}

func (f files) importFile(th *value.Thread, pos source.Pos, args []value.Value) (value.Value, error) {
	path, err := realisePath(f.host, th, pos, args[0])
	if err != nil {
		return nil, err
	}
	v, err := f.host.Import(th, pos, path)
	if err != nil {
		return nil, missing(th, pos, path, err)
	}
	return th.Force(v, pos)
}

func (f files) scopedImport(th *value.Thread, pos source.Pos, args []value.Value) (value.Value, error) {
	path, err := realisePath(f.host, th, pos, args[1])
	if err != nil {
		return nil, err
	}
	scope, err := th.Attrs(args[0], pos, "while evaluating the first argument passed to builtins.scopedImport")
	if err != nil {
		return nil, err
	}
	v, err := f.host.ScopedImport(th, pos, scope, path)
	if err != nil {
		return nil, missing(th, pos, path, err)
	}
	return th.Force(v, pos)
}

func (f files) pathExists(th *value.Thread, pos source.Pos, args []value.Value) (value.Value, error) {
	v, err := th.Force(args[0], pos)
	if err != nil {
		return nil, err
	}
	s, ok := v.(*value.String)
	mustBeDir := ok && (strings.HasSuffix(s.S, "/") || strings.HasSuffix(s.S, "/."))
	path, err := realisePath(f.host, th, pos, v)
	if err != nil {
		return notRestricted(err)
	}
	stat := f.host.Lstat
	if mustBeDir {
		stat = f.host.Stat
	}
	typ, err := stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return value.Bool(false), nil
	case err != nil:
		return notRestricted(hostError(pos, err))
	}
	return value.Bool(!mustBeDir || typ == Directory), nil
}

// notRestricted makes false of the error that a path may not be read.
func notRestricted(err error) (value.Value, error) {
	if e, ok := errors.AsType[*value.Error](err); ok && e.Kind == value.Restricted {
		return value.Bool(false), nil
	}
	return nil, err
}

func (f files) readFile(th *value.Thread, pos source.Pos, args []value.Value) (value.Value, error) {
	path, err := realisePath(f.host, th, pos, args[0])
	if err != nil {
		return nil, err
	}
	data, err := f.host.ReadFile(path)
	if err != nil {
		return nil, missing(th, pos, path, err)
	}
	if bytes.IndexByte(data, 0) >= 0 {
		return nil, th.Errorf(pos, value.EvalError, "the contents of the file '%s' cannot be represented as a Nix string", string(path))
	}
	ctx, err := f.references(string(path), data)
	if err != nil {
		return nil, hostError(pos, err)
	}
	return &value.String{S: string(data), Ctx: ctx}, nil
}

// references is the context of a file in the store: those references of its
// store object that occur in the file itself.
func (f files) references(path string, data []byte) (*value.Context, error) {
	object, ok := f.host.StoreObject(path)
	if !ok {
		return nil, nil
	}
	refs, err := f.host.References(object)
	if err != nil {
		return nil, err
	}
	var elems []value.ContextElem
	for _, ref := range refs {
		if bytes.Contains(data, []byte(hashPart(ref))) {
			elems = append(elems, value.ContextElem{Kind: value.Opaque, Path: ref})
		}
	}
	return value.NewContext(elems...), nil
}

// hashPart is the part of a store path by which references are found.
func hashPart(storePath string) string {
	base := storePath[strings.LastIndexByte(storePath, '/')+1:]
	hash, _, _ := strings.Cut(base, "-")
	return hash
}

func (f files) readDir(th *value.Thread, pos source.Pos, args []value.Value) (value.Value, error) {
	path, err := realisePath(f.host, th, pos, args[0])
	if err != nil {
		return nil, err
	}
	entries, err := f.host.ReadDir(path)
	if err != nil {
		return nil, missing(th, pos, path, err)
	}
	b := value.NewBuilder(len(entries))
	for _, e := range entries {
		b.Add(th.Symbols.Intern(e.Name), source.NoPos, value.NewString(string(e.Type)))
	}
	return th.MakeSet(b), nil
}

func (f files) readFileType(th *value.Thread, pos source.Pos, args []value.Value) (value.Value, error) {
	path, err := realisePath(f.host, th, pos, args[0])
	if err != nil {
		return nil, err
	}
	typ, err := f.host.Lstat(path)
	if err != nil {
		return nil, missing(th, pos, path, err)
	}
	return value.NewString(string(typ)), nil
}

func (f files) findFile(th *value.Thread, pos source.Pos, args []value.Value) (value.Value, error) {
	list, err := th.List(args[0], pos, "while evaluating the first argument passed to builtins.findFile")
	if err != nil {
		return nil, err
	}
	entries := make([]SearchEntry, len(list.Elems))
	for i, e := range list.Elems {
		if entries[i], err = f.searchEntry(th, pos, e); err != nil {
			return nil, err
		}
	}
	name, err := th.StringNoCtx(args[1], pos, "while evaluating the second argument passed to builtins.findFile")
	if err != nil {
		return nil, err
	}
	path, err := f.host.FindFile(th, pos, entries, name)
	if err != nil {
		return nil, hostError(pos, err)
	}
	return path, nil
}

func (f files) searchEntry(th *value.Thread, pos source.Pos, v value.Value) (SearchEntry, error) {
	var entry SearchEntry
	set, err := th.Attrs(v, pos, "while evaluating an element of the list passed to builtins.findFile")
	if err != nil {
		return entry, err
	}
	if at, ok := set.Get(symbol.Prefix); ok {
		entry.Prefix, err = th.StringNoCtx(at.Val, pos, "while evaluating the `prefix` attribute of an element of the list passed to builtins.findFile")
		if err != nil {
			return entry, err
		}
	}
	at, err := attr(th, set, "path", "in an element of the __nixPath")
	if err != nil {
		return entry, err
	}
	path, err := th.Coerce(at.Val, pos, asIs, "while evaluating the `path` attribute of an element of the list passed to builtins.findFile")
	if err != nil {
		return entry, err
	}
	entry.Path = path.S
	if path.Ctx != nil {
		if err := f.host.Realise(th, pos, path.Ctx); err != nil {
			return entry, hostError(pos, err)
		}
	}
	return entry, nil
}

func (f files) toPath(th *value.Thread, pos source.Pos, args []value.Value) (value.Value, error) {
	path, ctx, err := th.CoercePath(args[0], pos, "while evaluating the first argument passed to builtins.toPath")
	if err != nil {
		return nil, err
	}
	return &value.String{S: string(path), Ctx: ctx}, nil
}

func (f files) getEnv(th *value.Thread, pos source.Pos, args []value.Value) (value.Value, error) {
	name, err := th.StringNoCtx(args[0], pos, "while evaluating the first argument passed to builtins.getEnv")
	if err != nil {
		return nil, err
	}
	return value.NewString(f.host.Getenv(name)), nil
}
