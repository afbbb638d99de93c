package eval

import (
	"errors"
	"fmt"
	"strings"

	"gonix/parser"
	"gonix/parser/source"
)

// Lint says what is thought of literals that some do not want to see.
type Lint struct {
	URLs          Verdict // lint-url-literals
	AbsolutePaths Verdict // lint-absolute-path-literals; ~/a is one
	ShortPaths    Verdict // lint-short-path-literals
}

// Verdict is what becomes of a literal.
type Verdict uint8

// The verdicts.
const (
	Accept Verdict = iota
	Warn           // accept it, with a warning
	Refuse         // end the parsing with an error
)

// lint implements [parser.Options].Lint.
func (s *State) lint(form parser.Form, text string, pos source.Pos) error {
	rules := s.opt.Settings.Lint
	if form == parser.OrVariable {
		s.warnOr(text, pos)
		return nil
	}
	if rules == (Lint{}) && !s.opt.Settings.Pure {
		return nil
	}
	var verdict Verdict
	var msg, setting string
	const portable = "%s path literals are not portable. Consider replacing path literal '%s' by a string, relative path, or parameter"
	switch form {
	case parser.AbsolutePath:
		verdict, setting = rules.AbsolutePaths, "lint-absolute-path-literals"
		msg = fmt.Sprintf(portable, "absolute", text)
	case parser.HomePath:
		if s.opt.Settings.Pure {
			return fmt.Errorf("the path '%s' can not be resolved in pure mode", text)
		}
		verdict, setting = rules.AbsolutePaths, "lint-absolute-path-literals"
		msg = fmt.Sprintf(portable, "home", text)
	case parser.ShortPath:
		verdict, setting = rules.ShortPaths, "lint-short-path-literals"
		msg = fmt.Sprintf("relative path literal '%s' should be prefixed with '.' for clarity: './%s'", text, text)
	case parser.URL:
		verdict, setting = rules.URLs, "lint-url-literals"
		opinion := "discouraged"
		if verdict == Refuse {
			opinion = "disallowed"
		}
		msg = fmt.Sprintf("URL literals are %s. Consider using a string literal \"%s\" instead", opinion, text)
	}
	switch verdict {
	case Warn:
		s.warnAt(fmt.Sprintf("%s (%s)", msg, setting), pos)
	case Refuse:
		return errors.New(msg + " (" + setting + ")")
	}
	return nil
}

// lineEnds makes line feeds of the ends of lines.
var lineEnds = strings.NewReplacer("\r\n", "\n", "\r", "\n")

// warnOr writes that text will be two expressions.
func (s *State) warnOr(text string, pos source.Pos) {
	fmt.Fprintf(s.opt.Trace, `warning: at %s: This expression uses `+"`or`"+` as an identifier in a way that will change in a future Nix release.
Wrap this entire expression in parentheses to preserve its current meaning:
    (%s)
Give feedback at https://github.com/NixOS/nix/pull/11121
`, s.th.ShowPos(pos), lineEnds.Replace(text))
}

// warnAt writes a warning about a place in a text.
func (s *State) warnAt(msg string, pos source.Pos) {
	const prefix = "warning: "
	r := renderer{sources: s.th.Sources}
	r.WriteString(msg + "\n")
	r.place("", pos)
	fmt.Fprintln(s.opt.Trace, indent(prefix, strings.Repeat(" ", len(prefix)), strings.TrimRight(r.String(), "\n")))
}
