package repl

import (
	"errors"
	"fmt"
	"strings"

	"gonix/eval/symbol"
	"gonix/eval/value"
	"gonix/parser/source"
)

// doc prints the documentation of a builtin, of a function, or of a selected
// attribute.
func (r *session) doc(arg string) error {
	if _, err := r.expression(arg); err != nil {
		return err
	}
	attr, selected, err := r.state.SelectionIn(r.vars, arg, r.World.Cwd, "«string»")
	if err != nil {
		return err
	}
	v, err := r.forced(arg)
	if err != nil {
		return err
	}
	text, ok, err := r.docOf(v)
	if err != nil {
		return err
	}
	if !ok {
		if !selected || attr.Pos == source.NoPos {
			return errors.New("value does not have documentation")
		}
		comment := r.state.Comment(attr.Pos)
		if comment == "" {
			comment = "No documentation found."
		}
		text = fmt.Sprintf("Attribute %s\n\n  … defined at %s\n\n%s",
			r.state.Symbols().Name(attr.Sym), r.state.Thread().ShowPos(attr.Pos), comment)
	}
	fmt.Fprintln(r.World.Stdout, strings.TrimSpace(text))
	return nil
}

// docOf describes a function, or a set that can be called like one.
func (r *session) docOf(v value.Value) (text string, ok bool, err error) {
	switch v := v.(type) {
	case *value.Builtin:
		if v.Doc == "" {
			return "", false, nil
		}
		synopsis := "builtins." + v.Name
		for _, p := range v.Params {
			synopsis += " " + p
		}
		return "Synopsis: " + synopsis + "\n\n" + v.Doc, true, nil
	case *value.Closure:
		text, pos := "Function ", v.Fn.Pos()
		if name := v.Fn.Name(); name != "" {
			text += name + "\n… "
		}
		return fmt.Sprintf("%sdefined at %s\n\n%s", text, r.state.Thread().ShowPos(pos), r.state.FunctionComment(pos)), true, nil
	case *value.Attrs:
		functor, ok := v.Get(symbol.Functor)
		if !ok {
			return "", false, nil
		}
		th := r.state.Thread()
		err := th.Enter(functor.Pos)
		if err != nil {
			return "", false, err
		}
		defer th.Leave()
		f, err := th.Apply(functor.Pos, functor.Val, v)
		if err != nil {
			return "", false, value.WithFrame(err, source.NoPos, "while partially calling '__functor' to retrieve documentation")
		}
		return r.docOf(f)
	}
	return "", false, nil
}
