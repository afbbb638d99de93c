package eval

import (
	"errors"
	"path"

	"gonix/eval/resolve"
	"gonix/eval/value"
	"gonix/parser"
	"gonix/parser/ast"
)

// parse makes a tree of a text.
func (s *State) parse(name, text, base string) (*ast.File, error) {
	return s.parseWith(s.parserOptions(base), name, text)
}

func (s *State) parseWith(opt parser.Options, name, text string) (*ast.File, error) {
	tree, err := parser.Parse(s.th.Sources.Add(name, text), opt)
	if err != nil {
		return nil, syntaxError(err)
	}
	return tree, nil
}

func (s *State) parserOptions(base string) parser.Options {
	return parser.Options{Base: base, Home: s.opt.Home, NoPipes: !s.opt.Settings.PipeOperators, Lint: s.lint}
}

// syntaxError makes a language error of one of the parser, which is its cause.
func syntaxError(err error) error {
	if e, ok := errors.AsType[*parser.Error](err); ok {
		return &value.Error{Kind: value.ParseError, Msg: e.Msg, Pos: e.Pos, Cause: e}
	}
	return err
}

// Syntax returns the tree of a text after the checks that [State.Expression]
// makes, and with the same meaning of its arguments.
func (s *State) Syntax(text, base, name string) (ast.Expr, error) {
	tree, err := s.parse(name, text, base)
	if err != nil {
		return nil, err
	}
	if _, err := resolve.File(tree, resolve.Env{Symbols: s.th.Symbols, Globals: s.globals}); err != nil {
		return nil, err
	}
	return tree.Body, nil
}

// FileSyntax returns the tree of the file that [State.EvalFile] evaluates.
func (s *State) FileSyntax(file string) (ast.Expr, error) {
	real, err := s.programPath(path.Clean(file))
	if err != nil {
		return nil, err
	}
	text, err := s.programText(real)
	if err != nil {
		return nil, err
	}
	return s.Syntax(text, path.Dir(real), value.Path(real).Show())
}
