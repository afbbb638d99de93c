package builtin

import (
	"strings"

	"gonix/eval/value"
	"gonix/parser/source"
)

func textTable() []*value.Builtin {
	return []*value.Builtin{
		{Name: "toString", Params: []string{"e"}, Fn: toString,
			Doc: "Return e as a string; a path is not copied to the store."},
		{Name: "substring", Params: []string{"start", "len", "s"}, Fn: substring,
			Doc: "Return at most len bytes of s from byte start on; all the rest if len is negative."},
		{Name: "stringLength", Params: []string{"e"}, Fn: stringLength,
			Doc: "Return the length of a string in bytes."},
		{Name: "concatStringsSep", Params: []string{"separator", "list"}, Fn: concatStringsSep,
			Doc: "Return the strings of list with separator between them."},
		{Name: "replaceStrings", Params: []string{"from", "to", "s"}, Fn: replaceStrings,
			Doc: "Return s with each occurrence of a string of from replaced by the one of to at the same index."},
		{Name: "baseNameOf", Params: []string{"x"}, Fn: baseNameOf,
			Doc: "Return what follows the last slash of x."},
		{Name: "dirOf", Params: []string{"s"}, Fn: dirOf,
			Doc: "Return what precedes the last slash of s: a path for a path, else a string."},
	}
}

// stored are the options with which builtins coerce that copy paths to the
// store; asIs, those of the ones that do not.
var (
	stored = value.CoerceOptions{CopyToStore: true}
	asIs   = value.CoerceOptions{}
)

func toString(th *value.Thread, pos source.Pos, args []value.Value) (value.Value, error) {
	s, err := th.Coerce(args[0], pos, value.CoerceOptions{More: true}, "while evaluating the first argument passed to builtins.toString")
	if err != nil {
		return nil, err
	}
	return s, nil
}

func substring(th *value.Thread, pos source.Pos, args []value.Value) (value.Value, error) {
	start, err := th.Int(args[0], pos, "while evaluating the first argument (the start offset) passed to builtins.substring")
	if err != nil {
		return nil, err
	}
	if start < 0 {
		return nil, th.Errorf(pos, value.EvalError, "negative start position in 'substring'")
	}
	n, err := th.Int(args[1], pos, "while evaluating the second argument (the substring length) passed to builtins.substring")
	if err != nil {
		return nil, err
	}
	s, err := th.Coerce(args[2], pos, stored, "while evaluating the third argument (the string) passed to builtins.substring")
	if err != nil {
		return nil, err
	}
	if start >= int64(len(s.S)) {
		return &value.String{Ctx: s.Ctx}, nil
	}
	text := s.S[start:]
	if n >= 0 && n < int64(len(text)) {
		text = text[:n]
	}
	return &value.String{S: text, Ctx: s.Ctx}, nil
}

func stringLength(th *value.Thread, pos source.Pos, args []value.Value) (value.Value, error) {
	s, err := th.Coerce(args[0], pos, stored, "while evaluating the argument passed to builtins.stringLength")
	if err != nil {
		return nil, err
	}
	return value.Int(len(s.S)), nil
}

func concatStringsSep(th *value.Thread, pos source.Pos, args []value.Value) (value.Value, error) {
	sep, err := th.String(args[0], pos, "while evaluating the first argument (the separator string) passed to builtins.concatStringsSep")
	if err != nil {
		return nil, err
	}
	list, err := th.List(args[1], pos, "while evaluating the second argument (the list of strings to concat) passed to builtins.concatStringsSep")
	if err != nil {
		return nil, err
	}
	ctx := sep.Ctx
	parts := make([]string, len(list.Elems))
	size := int64(0)
	for i, e := range list.Elems {
		s, err := th.Coerce(e, pos, stored, "while evaluating one element of the list of strings to concat passed to builtins.concatStringsSep")
		if err != nil {
			return nil, err
		}
		parts[i] = s.S
		size += int64(len(sep.S) + len(s.S))
		ctx = ctx.Union(s.Ctx)
	}
	if err := th.Fit(pos, size, 1); err != nil {
		return nil, err
	}
	return &value.String{S: strings.Join(parts, sep.S), Ctx: ctx}, nil
}

// replaceStrings scans s once. At each place the first string of from that
// fits is replaced, an empty one fits everywhere, also at the end, and then
// the byte there stays. A replacement is evaluated, and adds its context, when
// it is first used.
func replaceStrings(th *value.Thread, pos source.Pos, args []value.Value) (value.Value, error) {
	fromList, err := th.List(args[0], pos, "while evaluating the first argument passed to builtins.replaceStrings")
	if err != nil {
		return nil, err
	}
	toList, err := th.List(args[1], pos, "while evaluating the second argument passed to builtins.replaceStrings")
	if err != nil {
		return nil, err
	}
	if len(fromList.Elems) != len(toList.Elems) {
		return nil, th.Errorf(pos, value.EvalError, "'from' and 'to' arguments passed to builtins.replaceStrings have different lengths")
	}
	from := make([]string, len(fromList.Elems))
	for i, e := range fromList.Elems {
		s, err := th.String(e, pos, "while evaluating one of the strings to replace passed to builtins.replaceStrings")
		if err != nil {
			return nil, err
		}
		from[i] = s.S
	}
	s, err := th.String(args[2], pos, "while evaluating the third argument passed to builtins.replaceStrings")
	if err != nil {
		return nil, err
	}
	to := make([]*value.String, len(from))
	candidates, empty := firstBytes(from)
	ctx, text := s.Ctx, s.S
	var out strings.Builder
	var growth value.Growth
	for p := 0; p <= len(text); {
		k := -1
		switch {
		case p < len(text):
			for _, i := range candidates[text[p]] {
				if strings.HasPrefix(text[p:], from[i]) {
					k = i
					break
				}
			}
		case empty >= 0:
			k = empty
		}
		n := 0
		if k >= 0 {
			if to[k] == nil {
				to[k], err = th.String(toList.Elems[k], pos, "while evaluating one of the replacement strings passed to builtins.replaceStrings")
				if err != nil {
					return nil, err
				}
				ctx = ctx.Union(to[k].Ctx)
			}
			if err := growth.Fit(th, pos, out.Len()+len(to[k].S)); err != nil {
				return nil, err
			}
			out.WriteString(to[k].S)
			n = len(from[k])
		}
		if n == 0 {
			if p < len(text) {
				out.WriteByte(text[p])
			}
			n = 1
		}
		p += n
	}
	return &value.String{S: out.String(), Ctx: ctx}, nil
}

// firstBytes lists, for each byte, the indices of the strings that begin with
// it or are empty, in order, and tells the first empty one or -1.
func firstBytes(from []string) (candidates map[byte][]int, empty int) {
	candidates, empty = map[byte][]int{}, -1
	for i, f := range from {
		if f == "" {
			empty = i
			break // nothing after it is ever tried
		}
		candidates[f[0]] = append(candidates[f[0]], i)
	}
	if empty >= 0 {
		for b := range 256 {
			candidates[byte(b)] = append(candidates[byte(b)], empty)
		}
	}
	return candidates, empty
}

func baseNameOf(th *value.Thread, pos source.Pos, args []value.Value) (value.Value, error) {
	s, err := th.Coerce(args[0], pos, asIs, "while evaluating the first argument passed to builtins.baseNameOf")
	if err != nil {
		return nil, err
	}
	text := s.S
	// One slash at the end does not count, but only one: that is how it always was.
	if len(text) > 1 {
		text = strings.TrimSuffix(text, "/")
	}
	if i := strings.LastIndexByte(text, '/'); i >= 0 {
		text = text[i+1:]
	}
	return &value.String{S: text, Ctx: s.Ctx}, nil
}

func dirOf(th *value.Thread, pos source.Pos, args []value.Value) (value.Value, error) {
	v, err := th.Force(args[0], pos)
	if err != nil {
		return nil, err
	}
	if p, ok := v.(value.Path); ok {
		if p == value.CoreDir {
			return p, nil // there is nothing above
		}
		return value.Path(parent(string(p))), nil
	}
	s, err := th.Coerce(v, pos, asIs, "while evaluating the first argument passed to 'builtins.dirOf'")
	if err != nil {
		return nil, err
	}
	return &value.String{S: parent(s.S), Ctx: s.Ctx}, nil
}

// parent is what precedes the last slash of s.
func parent(s string) string {
	switch i := strings.LastIndexByte(s, '/'); i {
	case -1:
		return "."
	case 0:
		return "/"
	default:
		return s[:i]
	}
}
