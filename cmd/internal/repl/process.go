package repl

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"gonix/eval/value"
	"gonix/parser"
	"gonix/parser/source"
)

// colonCommand is one of the things that can be asked for besides values.
type colonCommand struct {
	names []string
	arg   string // what it takes, for the help
	help  string
	run   func(r *session, arg string) error
}

// colonCommands are all of them, in the order of the help. It is a function, as
// the help is one of them.
func colonCommands() []colonCommand {
	return []colonCommand{
		{[]string{":a", ":add"}, "<expr>", "make the attributes of a set variables", (*session).addExpression},
		{[]string{":b"}, "<expr>", "build a derivation", (*session).build},
		{[]string{":bl"}, "<expr>", "build a derivation and leave links here, repl-result-<output>", (*session).buildLinked},
		{[]string{":doc"}, "<expr>", "show the documentation of a function or an attribute", (*session).doc},
		{[]string{":e", ":edit"}, "<expr>", "open where a function or a package is defined in $EDITOR", (*session).edit},
		{[]string{":l", ":load"}, "<path>", "load a file and make its attributes variables", func(r *session, arg string) error {
			if arg == "" {
				return errors.New("which file?")
			}
			r.state.ForgetFiles()
			return r.load(load{loadFile, arg})
		}},
		{[]string{":lf", ":load-flake"}, "<ref>", "load a flake and make its attributes variables", func(r *session, arg string) error {
			return r.load(load{loadFlake, arg})
		}},
		{[]string{":ll", ":last-loaded"}, "", "list the variables that were added last", (*session).listLast},
		{[]string{":log"}, "<expr>", "show the log of a derivation's last build", (*session).log},
		{[]string{":p", ":print"}, "<expr>", "print a value with all that is in it, a string as it is", (*session).print},
		{[]string{":q", ":quit"}, "", "end", func(*session, string) error { return errQuit }},
		{[]string{":r", ":reload"}, "", "forget all variables and load all files again", func(r *session, _ string) error {
			r.state.ForgetFiles()
			return r.loadAll()
		}},
		{[]string{":t"}, "<expr>", "say what kind of value it is", (*session).kind},
		{[]string{":te", ":trace-enable"}, "[bool]", "show where errors come from in full, or do so no more", (*session).setTrace},
		{[]string{":?", ":help"}, "", "show this", (*session).help},
	}
}

// otherCommands are commands of nix repl that cannot be had, with the reason.
var otherCommands = map[string]string{
	":i":  "there are no profiles to install into; ':bl' builds and leaves links",
	":u":  "there is no nix-shell; ':b' builds",
	":sh": "there is no nix-shell; ':b' builds",
}

func init() {
	for _, name := range []string{":env", ":bt", ":backtrace", ":st", ":c", ":continue", ":s", ":step"} {
		otherCommands[name] = "there is no debugger; ':te' shows where errors come from"
	}
}

// process does what the input asks for.
func (r *session) process(input string) error {
	if isBlank(input) {
		return nil
	}
	input = strings.TrimSpace(input)
	if input[0] != ':' {
		return r.evaluate(input)
	}
	name, arg := input, ""
	if i := strings.IndexAny(input, " \t\r\n"); i >= 0 {
		name, arg = input[:i], strings.TrimSpace(input[i:])
	}
	for _, c := range colonCommands() {
		if slices.Contains(c.names, name) {
			return c.run(r, arg)
		}
	}
	if why, ok := otherCommands[name]; ok {
		return fmt.Errorf("'%s' is not possible here: %s", name, why)
	}
	return fmt.Errorf("unknown command '%s'", name)
}

// evaluate prints the value of an expression or takes bindings.
func (r *session) evaluate(text string) error {
	v, err := r.state.ExpressionIn(r.vars, text, r.World.Cwd, "«string»")
	if err == nil {
		return r.printValue(v, 1)
	}
	syntax, ok := errors.AsType[*parser.Error](err)
	if !ok {
		return err
	}
	attrs, bindErr := r.state.BindingsIn(r.vars, text, r.World.Cwd, "«string»")
	if bindErr == nil {
		r.bind(attrs)
		return nil
	}
	other, ok := errors.AsType[*parser.Error](bindErr)
	if !ok {
		return bindErr // the syntax was that of bindings
	}
	if r.further(other, syntax) && !strings.HasSuffix(other.Msg, noBinding) {
		syntax, err = other, bindErr
	}
	if syntax.AtEnd() {
		return incompleteError{err}
	}
	return err
}

// noBinding ends the message about a text that is not, or not yet, a binding.
const noBinding = "expecting '.' or '='"

// further reports whether of two ways to read the input one failed only behind
// where the other did.
func (r *session) further(one, other *parser.Error) bool {
	a, _ := r.state.Thread().Sources.Position(one.Pos)
	b, _ := r.state.Thread().Sources.Position(other.Pos)
	return a.Line > b.Line || a.Line == b.Line && a.Column > b.Column
}

// expression reads the argument of a command.
func (r *session) expression(text string) (value.Value, error) {
	v, err := r.state.ExpressionIn(r.vars, text, r.World.Cwd, "«string»")
	if syntax, ok := errors.AsType[*parser.Error](err); ok && syntax.AtEnd() && text != "" {
		return nil, incompleteError{err}
	}
	return v, err
}

// forced is expression with the value evaluated.
func (r *session) forced(text string) (value.Value, error) {
	v, err := r.expression(text)
	if err != nil {
		return nil, err
	}
	return r.state.Thread().Force(v, source.NoPos)
}

// printValue prints a value, depth levels of it; 0 prints all.
func (r *session) printValue(v value.Value, depth int) error {
	text, err := r.state.Thread().ShowAs(v, value.ShowOptions{
		Force: true, Derivations: true, Indent: 2, MaxDepth: depth, TopErrors: true, Color: r.colour,
	})
	if err != nil {
		return err
	}
	fmt.Fprintln(r.World.Stdout, text)
	return nil
}

func (r *session) print(arg string) error {
	v, err := r.forced(arg)
	if err != nil {
		return err
	}
	if s, ok := v.(*value.String); ok {
		fmt.Fprintln(r.World.Stdout, s.S)
		return nil
	}
	return r.printValue(v, 0)
}

func (r *session) addExpression(arg string) error {
	v, err := r.forced(arg)
	if err != nil {
		return err
	}
	return r.addAttrs(v)
}

func (r *session) kind(arg string) error {
	v, err := r.forced(arg)
	if err == nil {
		fmt.Fprintln(r.World.Stdout, value.TypeName(v))
	}
	return err
}

func (r *session) setTrace(arg string) error {
	switch arg {
	case "":
		r.Settings.ShowTrace = !r.Settings.ShowTrace
	case "true", "false":
		r.Settings.ShowTrace = arg == "true"
	default:
		return fmt.Errorf("unexpected argument '%s' to :te", arg)
	}
	if r.Settings.ShowTrace {
		fmt.Fprintln(r.World.Stdout, "showing error traces")
	} else {
		fmt.Fprintln(r.World.Stdout, "not showing error traces")
	}
	return nil
}

func (r *session) help(string) error {
	fmt.Fprint(r.World.Stdout, "The following commands are available:\n\n")
	line := func(what, help string) { fmt.Fprintf(r.World.Stdout, "  %-28s %s\n", what, help) }
	line("<expr>", "print the value of an expression")
	line("<x> = <expr>", "let a variable be the value of an expression")
	for _, c := range colonCommands() {
		line(strings.TrimSpace(strings.Join(c.names, ", ")+" "+c.arg), c.help)
	}
	return nil
}
