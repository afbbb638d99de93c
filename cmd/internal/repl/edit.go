package repl

import (
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"gonix/eval/value"
	"gonix/parser/source"
)

// spot is a line of a file; 0 is none in particular.
type spot struct {
	file string
	line int
}

// edit opens where something is defined in the editor, then loads everything
// again.
func (r *session) edit(arg string) error {
	at, err := r.spotOf(arg)
	if err != nil {
		return err
	}
	file, remove, err := r.editable(at.file)
	if err != nil {
		return err
	}
	copied := remove != nil
	if copied {
		defer remove()
	}
	editor := strings.Fields(r.World.Getenv("EDITOR"))
	if len(editor) == 0 {
		editor = []string{"cat"}
	}
	cmd := exec.CommandContext(r.ctx, editor[0], editorArgs(editor, file, at.line)...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr, cmd.Dir = r.World.Stdin, r.World.Stdout, r.World.Stderr, r.World.Cwd
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("run the editor '%s': %w", editor[0], err)
	}
	if copied {
		return nil // nothing can have changed
	}
	r.state.ForgetFiles()
	return r.loadAll()
}

// editorArgs tells an editor which line to show, if it is one that takes that
// (Nix: editorFor).
func editorArgs(editor []string, file string, line int) []string {
	args := editor[1:len(editor):len(editor)]
	name := filepath.Base(editor[0])
	for _, known := range []string{"emacs", "nano", "vim", "vi", "kak"} {
		if line > 0 && (strings.Contains(name, known) && known != "vi" || name == known) {
			return append(args, "+"+strconv.Itoa(line), file)
		}
	}
	return append(args, file)
}

// editable returns where this machine keeps a file that expressions see, or a
// copy of it, to be removed after use, if it is none of this machine's.
func (r *session) editable(file string) (real string, remove func(), err error) {
	files := r.state.Files()
	if real = files.Local(file); real != "" {
		if _, err := os.Stat(real); err != nil {
			return "", nil, err
		}
		return real, nil, nil
	}
	text, err := files.ReadFile(file)
	if err != nil {
		return "", nil, err
	}
	dir, err := os.MkdirTemp("", "gonix-edit-")
	if err != nil {
		return "", nil, err
	}
	remove = func() { os.RemoveAll(dir) }
	real = filepath.Join(dir, path.Base(file))
	if err := os.WriteFile(real, text, 0o400); err != nil {
		remove()
		return "", nil, err
	}
	return real, remove, nil
}

// spotOf finds where something is defined: a path or a string is the file
// itself, a package says so in meta.position, a function and a selected
// attribute stand somewhere.
func (r *session) spotOf(arg string) (spot, error) {
	v, err := r.forced(arg)
	if err != nil {
		return spot{}, err
	}
	th := r.state.Thread()
	switch v := v.(type) {
	case value.Path, *value.String:
		p, _, err := th.CoercePath(v, source.NoPos, "while evaluating the filename to edit")
		if err != nil {
			return spot{}, err
		}
		return spot{r.program(string(p)), 0}, nil
	case *value.Closure:
		return r.shown(v.Fn.Pos())
	case *value.Attrs:
		if at, ok, err := r.packageSpot(v); ok || err != nil {
			return at, err
		}
	}
	attr, ok, err := r.state.SelectionIn(r.vars, arg, r.World.Cwd, "«string»")
	if err == nil && ok {
		if at, err := r.shown(attr.Pos); err == nil {
			return at, nil
		}
	}
	if set, ok := v.(*value.Attrs); ok {
		if at, err := r.shown(set.Pos()); err == nil {
			return at, nil
		}
	}
	return spot{}, fmt.Errorf("package '%s' has no source location information", arg)
}

// program is the file that a folder's expression stands in.
func (r *session) program(file string) string {
	if info, err := r.state.Files().Lstat(file); err == nil && info.IsDir() {
		return path.Join(file, "default.nix")
	}
	return file
}

// packageSpot reads meta.position, which is FILE:LINE; ok says whether it is
// there.
func (r *session) packageSpot(set *value.Attrs) (at spot, ok bool, err error) {
	th := r.state.Thread()
	for _, name := range []string{"meta", "position"} {
		a, ok := set.Get(r.state.Symbols().Intern(name))
		if !ok {
			return spot{}, false, nil
		}
		v, err := th.Force(a.Val, a.Pos)
		if err != nil {
			return spot{}, false, err
		}
		if name == "meta" {
			if set, ok = v.(*value.Attrs); !ok {
				return spot{}, false, nil
			}
			continue
		}
		s, err := th.Coerce(v, a.Pos, value.CoerceOptions{}, "while evaluating the 'meta.position' attribute of a derivation")
		if err != nil {
			return spot{}, false, err
		}
		i := strings.LastIndexByte(s.S, ':')
		line, err := strconv.Atoi(s.S[i+1:])
		if i < 0 || err != nil {
			return spot{}, false, fmt.Errorf("cannot parse 'meta.position' attribute '%s'", s.S)
		}
		at = spot{s.S[:i], line}
	}
	return at, true, nil
}

// shown is the spot of a place, if that is in a file.
func (r *session) shown(pos source.Pos) (spot, error) {
	p, ok := r.state.Thread().Sources.Position(pos)
	if !ok || !strings.HasPrefix(p.File.Name, "/") {
		return spot{}, fmt.Errorf("'%s' cannot be shown in an editor", r.state.Thread().ShowPos(pos))
	}
	return spot{p.File.Name, p.Line}, nil
}
