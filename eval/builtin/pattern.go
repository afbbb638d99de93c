package builtin

import (
	"errors"

	"gonix/eval/builtin/ere"
	"gonix/eval/value"
	"gonix/parser/source"
)

func patternTable() []*value.Builtin {
	c := patterns{compiled: map[string]*ere.Regexp{}}
	return []*value.Builtin{
		{Name: "match", Params: []string{"regex", "str"}, Fn: c.match,
			Doc: "Return null unless the POSIX extended regular expression matches all of str; else the list of what its groups matched."},
		{Name: "split", Params: []string{"regex", "str"}, Fn: c.split,
			Doc: "Return the parts of str between the matches of a POSIX extended regular expression, alternating with lists of what its groups matched."},
	}
}

// patterns caches compiled patterns for one table of builtins.
type patterns struct {
	compiled map[string]*ere.Regexp
}

// maxCompiled bounds the cache: programs use few patterns, but may make them
// up.
const maxCompiled = 1000

func (c *patterns) compile(th *value.Thread, pos source.Pos, pattern string) (*ere.Regexp, error) {
	if re, ok := c.compiled[pattern]; ok {
		return re, nil
	}
	re, err := ere.Compile(pattern)
	switch {
	case errors.Is(err, ere.ErrTooLarge):
		return nil, th.Errorf(pos, value.EvalError, "memory limit exceeded by regular expression '%s'", pattern)
	case err != nil:
		return nil, th.Errorf(pos, value.EvalError, "invalid regular expression '%s'", pattern)
	}
	if len(c.compiled) >= maxCompiled {
		clear(c.compiled)
	}
	c.compiled[pattern] = re
	return re, nil
}

func (c *patterns) match(th *value.Thread, pos source.Pos, args []value.Value) (value.Value, error) {
	pattern, err := th.StringNoCtx(args[0], pos, "while evaluating the first argument passed to builtins.match")
	if err != nil {
		return nil, err
	}
	re, err := c.compile(th, pos, pattern)
	if err != nil {
		return nil, err
	}
	s, err := th.String(args[1], pos, "while evaluating the second argument passed to builtins.match")
	if err != nil {
		return nil, err
	}
	found := re.Match(s.S)
	if found == nil {
		return value.Null{}, nil
	}
	return groupsOf(s.S, found), nil
}

func (c *patterns) split(th *value.Thread, pos source.Pos, args []value.Value) (value.Value, error) {
	pattern, err := th.StringNoCtx(args[0], pos, "while evaluating the first argument passed to builtins.split")
	if err != nil {
		return nil, err
	}
	re, err := c.compile(th, pos, pattern)
	if err != nil {
		return nil, err
	}
	str, err := th.String(args[1], pos, "while evaluating the second argument passed to builtins.split")
	if err != nil {
		return nil, err
	}
	s := str.S
	search := re.Search(s)
	found := search.Find(0, false)
	if found == nil {
		return value.NewList(str), nil // with its context, as in Nix
	}
	var out []value.Value
	rest := 0
	for found != nil {
		out = append(out, value.NewString(s[rest:found[0]]), groupsOf(s, found))
		rest = found[1]
		next := rest
		if found[0] == rest {
			next++ // an empty match: look on behind the next byte
		}
		found = nil
		if next <= len(s) {
			found = search.Find(next, true)
		}
	}
	return value.NewList(append(out, value.NewString(s[rest:]))...), nil
}

// groupsOf is the list of what a pattern's groups matched; null for one that
// took no part.
func groupsOf(s string, found []int) *value.List {
	out := make([]value.Value, len(found)/2-1)
	for i := range out {
		from, to := found[2*i+2], found[2*i+3]
		if to < 0 {
			out[i] = value.Null{}
		} else {
			out[i] = value.NewString(s[from:to])
		}
	}
	return value.NewList(out...)
}
