package builtin

import (
	"cmp"
	"strconv"

	"gonix/eval/symbol"
	"gonix/eval/value"
	"gonix/parser/source"
)

func versionTable() []*value.Builtin {
	return []*value.Builtin{
		{Name: "parseDrvName", Params: []string{"s"}, Fn: parseDrvName,
			Doc: "Split a package name into { name; version; } at the first dash that no letter follows."},
		{Name: "compareVersions", Params: []string{"s1", "s2"}, Fn: compareVersionsOf,
			Doc: "Return -1, 0 or 1: whether version s1 is older than, the same as or newer than s2."},
		{Name: "splitVersion", Params: []string{"s"}, Fn: splitVersion,
			Doc: "Return the components of a version."},
	}
}

func parseDrvName(th *value.Thread, pos source.Pos, args []value.Value) (value.Value, error) {
	s, err := th.StringNoCtx(args[0], pos, "while evaluating the first argument passed to builtins.parseDrvName")
	if err != nil {
		return nil, err
	}
	name, version := SplitDrvName(s)
	b := value.NewBuilder(2)
	b.Add(symbol.Name, source.NoPos, value.NewString(name))
	b.Add(th.Symbols.Intern("version"), source.NoPos, value.NewString(version))
	return th.MakeSet(b), nil
}

// SplitDrvName splits a package name at the first dash that is followed by
// something other than a letter.
func SplitDrvName(s string) (name, version string) {
	for i := 0; i+1 < len(s); i++ {
		if s[i] == '-' && !isLetter(s[i+1]) {
			return s[:i], s[i+1:]
		}
	}
	return s, ""
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func compareVersionsOf(th *value.Thread, pos source.Pos, args []value.Value) (value.Value, error) {
	a, err := th.StringNoCtx(args[0], pos, "while evaluating the first argument passed to builtins.compareVersions")
	if err != nil {
		return nil, err
	}
	b, err := th.StringNoCtx(args[1], pos, "while evaluating the second argument passed to builtins.compareVersions")
	if err != nil {
		return nil, err
	}
	return value.Int(CompareVersions(a, b)), nil
}

// CompareVersions orders versions component by component: -1, 0 or 1.
func CompareVersions(a, b string) int {
	for a != "" || b != "" {
		var x, y string
		x, a = nextComponent(a)
		y, b = nextComponent(b)
		switch {
		case olderComponent(x, y):
			return -1
		case olderComponent(y, x):
			return 1
		}
	}
	return 0
}

// nextComponent cuts the first component off s: after dots and dashes, digits
// or else anything up to a digit, dot or dash.
func nextComponent(s string) (component, rest string) {
	i := 0
	for i < len(s) && (s[i] == '.' || s[i] == '-') {
		i++
	}
	j := i
	for j < len(s) && s[j] != '.' && s[j] != '-' && isDigit(s[j]) == isDigit(s[i]) {
		j++
	}
	return s[i:j], s[j:]
}

// olderComponent is Nix's order of components: pre, nothing, words, numbers;
// so that 2.3pre1 < 2.3 < 2.3a < 2.3.1.
func olderComponent(x, y string) bool {
	n, isNum := componentNumber(x)
	m, otherNum := componentNumber(y)
	switch {
	case isNum && otherNum:
		return n < m
	case x == "" && otherNum:
		return true
	case x == "pre" && y != "pre":
		return true
	case y == "pre":
		return false
	case otherNum:
		return true
	case isNum:
		return false
	}
	return cmp.Less(x, y)
}

// componentNumber reads a component as C++'s int; one that does not fit is a
// word.
func componentNumber(s string) (int64, bool) {
	if s == "" || !isDigit(s[0]) {
		return 0, false
	}
	n, err := strconv.ParseInt(s, 10, 32)
	return n, err == nil
}

func splitVersion(th *value.Thread, pos source.Pos, args []value.Value) (value.Value, error) {
	s, err := th.StringNoCtx(args[0], pos, "while evaluating the first argument passed to builtins.splitVersion")
	if err != nil {
		return nil, err
	}
	var out []value.Value
	for {
		var component string
		component, s = nextComponent(s)
		if component == "" {
			return th.MakeList(out), nil
		}
		out = append(out, value.NewString(component))
	}
}
