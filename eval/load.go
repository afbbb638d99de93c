package eval

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"sort"
	"strings"

	"gonix/derivation"
	"gonix/derivation/storepath"
	"gonix/eval/code"
	"gonix/eval/resolve"
	"gonix/eval/symbol"
	"gonix/eval/value"
	"gonix/parser/ast"
	"gonix/parser/source"
)

// compile makes a program of a text. base is what its relative paths are
// relative to; scope names the slots of the frame around it, if there is one.
func (s *State) compile(name, text, base string, scope []symbol.Symbol) (code.Node, error) {
	tree, err := s.parse(name, text, base)
	if err != nil {
		return nil, err
	}
	return s.resolve(tree, scope)
}

// resolve makes a program of a tree.
func (s *State) resolve(tree *ast.File, scope []symbol.Symbol) (code.Node, error) {
	return resolve.File(tree, resolve.Env{Symbols: s.th.Symbols, Globals: s.globals, Scope: scope, Count: &s.th.Stats.Exprs})
}

// evalText evaluates a text of this package.
func (s *State) evalText(name, text string) (value.Value, error) {
	n, err := s.compile(name, text, "/", nil)
	if err != nil {
		return nil, err
	}
	return n.Eval(s.th, nil)
}

// Expression returns a text as a value that is not evaluated yet; errors of
// syntax and undefined variables are reported at once. name is what messages
// call the text («string», «stdin»), base what relative paths are relative to.
func (s *State) Expression(text, base, name string) (value.Value, error) {
	n, err := s.compile(name, text, base, nil)
	if err != nil {
		return nil, err
	}
	return s.th.NewThunk(n, nil), nil
}

// EvalString evaluates a text; see [State.Expression].
func (s *State) EvalString(text, base, name string) (value.Value, error) {
	v, err := s.Expression(text, base, name)
	if err != nil {
		return nil, err
	}
	return s.th.Force(v, source.NoPos)
}

// EvalFile evaluates the file at an absolute path, or default.nix in the
// directory there.
func (s *State) EvalFile(file string) (value.Value, error) {
	real, err := s.programPath(path.Clean(file))
	if err != nil {
		return nil, err
	}
	n, err := s.compileFile(real, nil)
	if err != nil {
		return nil, err
	}
	return n.Eval(s.th, nil)
}

func (s *State) compileFile(file string, scope []symbol.Symbol) (code.Node, error) {
	tree := s.parsedAhead(file)
	if tree == nil {
		text, err := s.programText(file)
		if err != nil {
			return nil, err
		}
		if tree, err = s.parse(value.Path(file).Show(), text, path.Dir(file)); err != nil {
			return nil, err
		}
	}
	return s.resolve(tree, scope)
}

func (s *State) programText(file string) (string, error) {
	if err := s.mayRead(file, true); err != nil {
		return "", err
	}
	text, err := s.files.ReadText(file)
	if err != nil {
		return "", missingPath(file, err)
	}
	return text, nil
}

// missingPath is Nix's message for a file that is not there.
func missingPath(file string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return &value.Error{Kind: value.IOError, Msg: fmt.Sprintf("path '%s' does not exist", value.Path(file).Show())}
	}
	return value.AsError(err)
}

// programPath follows the symbolic links at file itself, so that paths in the
// program are relative to where it really lies, and adds default.nix to a
// directory (Nix: resolveExprPath).
func (s *State) programPath(file string) (string, error) {
	if p, ok := s.resolved[file]; ok {
		return p, nil
	}
	if err := s.mayRead(file, true); err != nil {
		return "", err
	}
	p := file
	for links := 0; ; links++ {
		if links > maxLinks {
			return "", fmt.Errorf("too many symbolic links encountered while traversing the path '%s'", file)
		}
		real, err := s.files.Resolve(p, false)
		if err != nil {
			return "", missingPath(p, err)
		}
		info, err := s.files.Lstat(real)
		if err != nil {
			return "", missingPath(p, err)
		}
		if info.Mode().Type() != fs.ModeSymlink {
			break
		}
		target, err := s.files.Readlink(real)
		if err != nil {
			return "", err
		}
		if !strings.HasPrefix(target, "/") {
			target = path.Dir(p) + "/" + target
		}
		p = path.Clean(target)
	}
	real, err := s.files.Resolve(p, true)
	if err != nil {
		return "", missingPath(p, err)
	}
	if info, err := s.files.Lstat(real); err == nil && info.IsDir() {
		p = path.Join(p, "default.nix")
	}
	s.resolved[file] = p
	return p, nil
}

// Import implements [builtin.Host].
func (s *State) Import(th *value.Thread, pos source.Pos, file value.Path) (value.Value, error) {
	if v, ok, err := s.importDerivation(string(file)); ok || err != nil {
		return v, err
	}
	real, err := s.programPath(string(file))
	if err != nil {
		return nil, err
	}
	v, ok := s.imports[real]
	if !ok {
		v = th.Lazy(source.NoPos, func(th *value.Thread) (value.Value, error) {
			n, err := s.compileFile(real, nil)
			if err != nil {
				return nil, err
			}
			v, err := n.Eval(th, nil)
			if err != nil {
				return nil, value.WithFrame(err, source.NoPos, "while evaluating the file '%s':", value.Path(real).Show())
			}
			return v, nil
		})
		s.imports[real] = v
		s.imported = append(s.imported, real)
	}
	return th.Force(v, pos)
}

// ScopedImport implements [builtin.Host].
func (s *State) ScopedImport(th *value.Thread, pos source.Pos, scope *value.Attrs, file value.Path) (value.Value, error) {
	if v, ok, err := s.importDerivation(string(file)); ok || err != nil {
		return v, err
	}
	real, err := s.programPath(string(file))
	if err != nil {
		return nil, err
	}
	names, frame := s.scopeFrame(scope)
	n, err := s.compileFile(real, names)
	if err != nil {
		return nil, err
	}
	return n.Eval(th, frame)
}

// importDerivation makes a package of the derivation at file, if one is there.
func (s *State) importDerivation(file string) (v value.Value, ok bool, err error) {
	if !strings.HasSuffix(file, storepath.DrvSuffix) || path.Dir(file) != storepath.Dir {
		return nil, false, nil
	}
	p, err := storepath.Parse(file)
	if err != nil {
		return nil, false, nil
	}
	text, err := s.files.ReadFile(file)
	if err != nil {
		return nil, false, nil // Import reports it
	}
	d, err := derivation.Parse(strings.TrimSuffix(p.Name(), storepath.DrvSuffix), text)
	if err != nil {
		return nil, false, fmt.Errorf("read derivation '%s': %w", file, err)
	}
	if s.fromDrv == nil {
		if s.fromDrv, err = s.evalText("<nix/imported-drv-to-derivation.nix>", importedText); err != nil {
			return nil, false, err
		}
	}
	v, err = s.th.Apply(source.NoPos, s.fromDrv, s.derivationAttrs(file, d))
	return v, true, err
}

func (s *State) derivationAttrs(file string, d *derivation.Derivation) *value.Attrs {
	outputs := make([]string, 0, len(d.Outputs))
	for name := range d.Outputs {
		outputs = append(outputs, name)
	}
	sort.Strings(outputs)
	b := value.NewBuilder(len(outputs) + 3)
	str := func(text string, e value.ContextElem) value.Value {
		return &value.String{S: text, Ctx: value.NewContext(e)}
	}
	b.Add(symbol.DrvPath, source.NoPos, str(file, value.ContextElem{Kind: value.DrvDeep, Path: file}))
	b.Add(symbol.Name, source.NoPos, value.NewString(d.Env["name"]))
	list := make([]value.Value, len(outputs))
	for i, name := range outputs {
		list[i] = value.NewString(name)
		elem := value.ContextElem{Kind: value.Built, Path: file, Output: name}
		b.Add(s.th.Symbols.Intern(name), source.NoPos, str(d.Outputs[name].Path.String(), elem))
	}
	b.Add(s.th.Symbols.Intern("outputs"), source.NoPos, value.NewList(list...))
	return b.Finish()
}
