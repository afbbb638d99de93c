package differ

import (
	"fmt"
	"strings"
)

// form is what the value of a generated expression looks like. It steers the
// generator only: the expression may well have another type.
type form struct {
	kind string  // a word; "list", "set" and "fn" have args, "var" stands for any form
	name string  // of a var
	args []*form // of list: the element; of set: every value; of fn: argument and result
}

var plainForms = []string{"int", "float", "bool", "str", "null", "path"}

func (f *form) String() string {
	switch f.kind {
	case "list":
		return "[" + f.args[0].String() + "]"
	case "set":
		return "{" + f.args[0].String() + "}"
	case "fn":
		return "(" + f.args[0].String() + "->" + f.args[1].String() + ")"
	case "var":
		return f.name
	}
	return f.kind
}

// parseForm reads a form: a word, [form], {form} or (form->form->form). Words
// of one letter are variables.
func parseForm(text string) *form {
	f, rest := formPrefix(text)
	if rest != "" {
		panic(fmt.Sprintf("form %q: %q is left", text, rest))
	}
	return f
}

func formPrefix(text string) (*form, string) {
	switch text[0] {
	case '[':
		elem, rest := formPrefix(text[1:])
		return &form{kind: "list", args: []*form{elem}}, rest[1:]
	case '{':
		elem, rest := formPrefix(text[1:])
		return &form{kind: "set", args: []*form{elem}}, rest[1:]
	case '(':
		arg, rest := formPrefix(text[1:])
		if rest[0] == ')' {
			return arg, rest[1:]
		}
		result, rest := formPrefix("(" + strings.TrimPrefix(rest, "->"))
		return &form{kind: "fn", args: []*form{arg, result}}, rest
	}
	n := strings.IndexAny(text, "]})->")
	if n < 0 {
		n = len(text)
	}
	if n == 1 {
		return &form{kind: "var", name: text[:n]}, text[n:]
	}
	return &form{kind: text[:n]}, text[n:]
}

// bind matches the pattern with f and adds to vars what its variables stand for.
func (pattern *form) bind(f *form, vars map[string]*form) bool {
	if pattern.kind == "var" {
		if known, ok := vars[pattern.name]; ok {
			return known.String() == f.String()
		}
		vars[pattern.name] = f
		return true
	}
	if pattern.kind != f.kind {
		return false
	}
	for i, arg := range pattern.args {
		if !arg.bind(f.args[i], vars) {
			return false
		}
	}
	return true
}

// fill replaces variables, those without a meaning by what fresh makes.
func (pattern *form) fill(vars map[string]*form, fresh func() *form) *form {
	if pattern.kind == "var" {
		if vars[pattern.name] == nil {
			vars[pattern.name] = fresh()
		}
		return vars[pattern.name]
	}
	if len(pattern.args) == 0 {
		return pattern
	}
	f := &form{kind: pattern.kind}
	for _, arg := range pattern.args {
		f.args = append(f.args, arg.fill(vars, fresh))
	}
	return f
}

// template is an expression with holes for others.
type template struct {
	result *form
	pieces []string // around the holes, one more than there are holes
	holes  []*form
}

// parseTemplate reads "form | text <form> text".
func parseTemplate(line string) template {
	result, text, ok := strings.Cut(line, " | ")
	if !ok {
		panic("template without a bar: " + line)
	}
	t := template{result: parseForm(result)}
	for {
		before, after, ok := strings.Cut(text, "‹")
		t.pieces = append(t.pieces, before)
		if !ok {
			return t
		}
		hole, rest, ok := strings.Cut(after, "›")
		if !ok {
			panic("template with an open hole: " + line)
		}
		t.holes = append(t.holes, parseForm(hole))
		text = rest
	}
}
