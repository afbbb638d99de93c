package differ

import (
	"regexp"
	"strings"
)

// difference is one between versions of Nix, or one that is meant.
type difference struct {
	reason          string
	old             bool   // only where Nix is 2.8
	expr, own, want string // match; empty ones match everything
}

// differences that are no errors of gonix.
var differences = []difference{
	{
		reason: "gonix says in one line what is wrong with TOML, Nix lets a library show it",
		own:    `error: while parsing TOML: `,
		want:   `error: while parsing (a )?TOML( string)?: `,
	},
	{
		reason: "gonix says which character of a hash is wrong, Nix counts none",
		own:    `error: while decoding hash`,
		want:   `error: invalid .* hash .*, length \d+ != expected length`,
	},
	{
		reason: "gonix makes no thunk of a function, and does not know whether one in a set was called",
		own:    `«thunk»`,
		want:   `«lambda`,
	},
	{
		reason: "the first of several undefined variables is that of the text, in Nix that of the symbols",
		own:    `^error: undefined variable`,
		want:   `error: undefined variable`,
	},
	{reason: "2.8 does not have the builtin", old: true, want: `attribute '(warn|convertHash|addDrvOutputDependencies)' missing`},
	{reason: "2.8 wraps integers of JSON that are too large", old: true, own: `unsigned json number`},
	{reason: "2.8 clamps integers of TOML that are too large", old: true, own: `toml::parse_dec_integer: too large integer`},
	{reason: "2.8 puts a backslash before every dollar in a name", old: true, want: `\\\$`},
	{reason: "2.8 reads -0.0 without its sign", old: true, own: `-0\b`},
	{reason: "2.8 takes a length of the smallest integer for no length", old: true, expr: `substring .*9223372036854775807`},
	{reason: "2.8 evaluates the left operand of // first", old: true, expr: ` // `, own: `^error:`, want: `^error:`},
	{reason: "2.8 evaluates the function even if there is no element", old: true, expr: `filter`, own: `^[^e]`, want: `^error:`},
	{reason: "2.8 does not evaluate a function before it calls it", old: true, expr: `map|zipAttrsWith|genList|concatMap|sort|any|all|foldl|groupBy|partition`, own: `^error:`, want: `^[^e]`},
}

func (d difference) matches(expr string, own, want outcome) bool {
	match := func(pattern, text string) bool { return regexp.MustCompile(pattern).MatchString(text) }
	return match(d.expr, expr) && match(d.own, own.String()) && match(d.want, want.String())
}

// kind returns what sort of error a message tells of, whatever its words.
func kind(message string) string {
	for _, k := range kinds {
		if k.message.MatchString(message) {
			return k.name
		}
	}
	return strings.Join(strings.Fields(message), " ") // tabulators are as wide as what comes before them
}

// kinds of errors, the first that matches: the words of Nix 2.34 and of 2.8.
var kinds = []struct {
	name    string
	message *regexp.Regexp
}{
	{"type", regexp.MustCompile(`^(value is |expected |cannot (coerce|add|compare|append|convert|decode|concatenate)|attempt to call|the contents of the|a .* cannot be|.* while .* (was|is) expected|'[a-zA-Z]*' requires|unsupported|values of type)`)},
	{"attribute", regexp.MustCompile(`^attribute '.*' (missing|required|of derivation)`)},
	{"syntax", regexp.MustCompile(`^(syntax error|(dynamic )?attribute '.*' already defined|path has a trailing slash)`)},
	{"list", regexp.MustCompile(`(list index|called (with index|on an empty list)|is out of bounds)`)},
	{"name", regexp.MustCompile(`illegal character|invalid derivation name|name must not be empty|invalid name|is not valid`)},
	{"hash", regexp.MustCompile(`^unknown hash algo`)},
	{"argument", regexp.MustCompile(`called with(out| unexpected)`)},
	{"assertion", regexp.MustCompile(`^(assertion |an? .* is not equal to|attribute name)`)},
	{"JSON", regexp.MustCompile(`json\.exception|JSON`)},
	{"regex", regexp.MustCompile(`regular expression`)},
	{"overflow", regexp.MustCompile(`overflow`)},
	{"lengths", regexp.MustCompile(`have different lengths`)},
	{"file", regexp.MustCompile(`does not exist|No such file`)},
	{"recursion", regexp.MustCompile(`infinite recursion|stack overflow`)},
	{"context", regexp.MustCompile(`context|not allowed to refer to|references`)},
}
