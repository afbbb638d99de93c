package differ

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// generator writes random expressions.
type generator struct {
	r      *rand.Rand
	byKind map[string][]template // templates for a kind of form; "var" has those for all
	words  map[string]func(g *generator) string
	scope  []variable
	fuel   int // how many templates the expression may still take
}

type variable struct {
	name string
	form *form
}

// newGenerator returns one whose expressions depend on the seed alone.
func newGenerator(seed uint64) *generator {
	g := &generator{r: rand.New(rand.NewPCG(seed, 3)), byKind: map[string][]template{}, words: wordTable()}
	for _, line := range templates {
		t := parseTemplate(line)
		g.byKind[t.result.kind] = append(g.byKind[t.result.kind], t)
	}
	return g
}

// expression returns the next one.
func (g *generator) expression() string {
	g.fuel = 1 + g.r.IntN(18)
	g.scope = g.scope[:0]
	return g.write(g.randomForm(2))
}

func (g *generator) pick(from ...string) string { return from[g.r.IntN(len(from))] }

func (g *generator) randomForm(depth int) *form {
	if depth > 0 {
		switch g.r.IntN(8) {
		case 0, 1:
			return &form{kind: "list", args: []*form{g.randomForm(depth - 1)}}
		case 2, 3:
			return &form{kind: "set", args: []*form{g.randomForm(depth - 1)}}
		case 4:
			if depth == 1 || g.r.IntN(3) == 0 {
				return &form{kind: "fn", args: []*form{g.randomForm(0), g.randomForm(0)}}
			}
		}
	}
	return &form{kind: g.pick(plainForms...)}
}

// write returns an expression whose value has the form, mostly.
func (g *generator) write(f *form) string {
	switch f.kind {
	case "num":
		f = &form{kind: g.pick("int", "int", "float")}
	case "var":
		f = g.randomForm(1)
	}
	if g.r.IntN(60) == 0 && f.kind != "small" {
		f = g.randomForm(1) // an ill-typed place
	}
	g.fuel--
	if g.fuel <= 0 || g.isWord(f) && g.r.IntN(12) > 0 {
		return g.leaf(f)
	}
	if g.isWord(f) {
		f = &form{kind: "str"}
	}
	switch n := g.r.IntN(20); {
	case n < 2:
		return g.let(f)
	case n < 3:
		return g.with(f)
	case n < 6:
		return g.leaf(f)
	case n < 8 && f.kind == "fn":
		return g.lambda(f)
	}
	choices := g.byKind[f.kind]
	if n := len(choices); n == 0 || g.r.IntN(n+12) >= n {
		choices = g.byKind["var"]
	}
	for range 20 {
		t := choices[g.r.IntN(len(choices))]
		vars := map[string]*form{}
		if t.result.bind(f, vars) {
			return g.fill(t, vars)
		}
	}
	return g.leaf(f)
}

// isWord reports whether expressions of the form are mostly literals.
func (g *generator) isWord(f *form) bool {
	_, ok := g.words[f.kind]
	return ok
}

// fill writes a template. What is in a hole stands in parentheses, with few
// exceptions that show how operators bind.
func (g *generator) fill(t template, vars map[string]*form) string {
	var b strings.Builder
	b.WriteString(t.pieces[0])
	for i, hole := range t.holes {
		switch hole.kind {
		case "key", "chars", "lines":
			b.WriteString(g.words[hole.kind](g))
		default:
			text := g.write(hole.fill(vars, func() *form { return g.randomForm(1) }))
			if g.r.IntN(25) > 0 && !atomic(text) {
				text = "(" + text + ")"
			}
			b.WriteString(text)
		}
		b.WriteString(t.pieces[i+1])
	}
	return b.String()
}

// atomic reports whether text needs no parentheses for certain.
func atomic(text string) bool {
	for _, c := range text {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}

// name returns a name for a new variable; few, so that they shadow each other.
func (g *generator) name() string { return g.pick("x", "y", "z", "f", "x'", "a-b", "map", "true", "_") }

// bound writes with more variables in scope.
func (g *generator) bound(f *form, more ...variable) string {
	g.scope = append(g.scope, more...)
	text := g.write(f)
	g.scope = g.scope[:len(g.scope)-len(more)]
	return text
}

func (g *generator) let(f *form) string {
	v := variable{g.name(), g.randomForm(1)}
	value := g.write(v.form)
	switch g.r.IntN(4) {
	case 0:
		w := variable{g.pick("u", "w"), g.randomForm(1)}
		return fmt.Sprintf("let %s = %s; %s = %s; in %s", v.name, value, w.name, g.bound(w.form, v), g.bound(f, v, w))
	case 1:
		return fmt.Sprintf("let %s.a = %s; in with %s; %s", v.name, value, v.name, g.bound(f, variable{"a", v.form}))
	}
	return fmt.Sprintf("let %s = %s; in %s", v.name, value, g.bound(f, v))
}

func (g *generator) with(f *form) string {
	elem := g.randomForm(1)
	set := g.write(&form{kind: "set", args: []*form{elem}})
	return fmt.Sprintf("with %s; %s", set, g.bound(f, variable{"a", elem}, variable{"b", elem}))
}

func (g *generator) lambda(f *form) string {
	v := variable{g.name(), f.args[0]}
	return fmt.Sprintf("%s: %s", v.name, g.bound(f.args[1], v))
}

// leaf writes a variable, if there is one, or a literal.
func (g *generator) leaf(f *form) string {
	if g.r.IntN(3) > 0 {
		want, hidden := f.String(), map[string]bool{}
		for i := len(g.scope) - 1; i >= 0; i-- {
			v := g.scope[i]
			if !hidden[v.name] && v.form.String() == want {
				return v.name
			}
			hidden[v.name] = true
		}
	}
	if write, ok := g.words[f.kind]; ok {
		return write(g)
	}
	switch f.kind {
	case "list":
		var b strings.Builder
		b.WriteString("[")
		for range g.r.IntN(4) {
			text := g.leaf(f.args[0])
			if !atomic(text) {
				text = "(" + text + ")"
			}
			b.WriteString(" " + text)
		}
		return b.String() + " ]"
	case "set":
		var b strings.Builder
		b.WriteString(g.pick("{", "{", "{", "rec {"))
		used := map[string]bool{}
		for range g.r.IntN(4) {
			key := g.words["key"](g)
			if !used[key] || g.r.IntN(30) == 0 {
				fmt.Fprintf(&b, " %s = %s;", key, g.leaf(f.args[0]))
			}
			used[key] = true
		}
		return b.String() + " }"
	case "fn":
		return g.lambda(f)
	}
	return g.words[g.pick(plainForms...)](g)
}
