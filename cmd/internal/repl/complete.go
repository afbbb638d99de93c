package repl

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"gonix/eval/value"
)

// complete returns the words that can stand from byte from on in a line of
// which before has been typed, sorted.
func (r *session) complete(before string) (from int, words []string) {
	if strings.HasPrefix(before, ":") {
		name, arg, ok := strings.Cut(before, " ")
		if !ok {
			for _, c := range colonCommands() {
				words = append(words, c.names...)
			}
			return 0, withPrefix(words, before)
		}
		if name == ":l" || name == ":load" {
			arg = strings.TrimLeft(arg, " ")
			return r.completeFile(before, len(before)-len(arg))
		}
	}
	start := wordStart(before)
	word := before[start:]
	if i := strings.LastIndexByte(word, '<'); i >= 0 && !strings.ContainsAny(word[i:], "> ") {
		return r.completeSearch(before, start+i+1)
	}
	if i := strings.LastIndexAny(before, " \t\n(){}[]\"=;,"); strings.Contains(before[i+1:], "/") {
		return r.completeFile(before, i+1)
	}
	dot := lastDot(word)
	if dot < 0 {
		return start, withPrefix(r.variables(), word)
	}
	return start + dot + 1, withPrefix(r.attributes(word[:dot]), word[dot+1:])
}

// variables are the names of all that are in scope.
func (r *session) variables() []string {
	names := r.state.Globals()
	for _, a := range r.vars.All() {
		if name := r.state.Symbols().Name(a.Sym); value.IsIdentifier(name) {
			names = append(names, name)
		}
	}
	return names
}

// attributes are the names in the set that text is, as they are written. Any
// error means that there are none.
func (r *session) attributes(text string) []string {
	v, err := r.forced(text)
	if err != nil {
		return nil
	}
	set, ok := v.(*value.Attrs)
	if !ok {
		return nil
	}
	var names []string
	for _, a := range set.All() {
		var b strings.Builder
		value.AppendAttrName(&b, r.state.Symbols().Name(a.Sym))
		names = append(names, b.String())
	}
	return names
}

// completeFile completes the file name that begins at byte from; a folder ends
// with a slash. Hidden files are for those who type the dot.
func (r *session) completeFile(before string, from int) (int, []string) {
	dir, base := filepath.Split(before[from:])
	real := dir
	if rest, ok := strings.CutPrefix(dir, "~/"); ok {
		real = filepath.Join(r.World.Home(), rest)
	}
	entries, err := os.ReadDir(r.World.Abs(real))
	if err != nil {
		return from, nil
	}
	var names []string
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") && !strings.HasPrefix(base, ".") {
			continue
		}
		name := dir + e.Name()
		if info, err := os.Stat(filepath.Join(r.World.Abs(real), e.Name())); err == nil && info.IsDir() {
			name += "/"
		}
		names = append(names, name)
	}
	return from, withPrefix(names, before[from:])
}

// completeSearch completes the name of <name> that begins at byte from.
func (r *session) completeSearch(before string, from int) (int, []string) {
	dir, _ := filepath.Split(before[from:])
	var names []string
	if dir == "" {
		for _, e := range r.SearchPath() {
			if e.Prefix != "" {
				names = append(names, e.Prefix)
			}
		}
		names = append(names, "nix/")
		return from, withPrefix(names, before[from:])
	}
	place, err := r.state.Find(dir)
	if err != nil {
		return from, nil
	}
	entries, err := r.state.Files().Entries(place)
	if err != nil {
		return from, nil
	}
	for _, e := range entries {
		name := dir + e.Name()
		if e.IsDir() {
			name += "/"
		}
		names = append(names, name)
	}
	return from, withPrefix(names, before[from:])
}

// wordStart returns where the selection at the end of text begins: names, dots,
// quoted names, and what stands in parentheses before them.
func wordStart(text string) int {
	i := len(text)
	for i > 0 {
		switch c := text[i-1]; {
		case isNameByte(c) || c == '.' || c == '<' || c == '/' || c == '~':
			i--
		case c == '"' && i < len(text) && text[i] == '.' || c == '"' && i > 1 && quoteBefore(text, i-1) > 0 && text[quoteBefore(text, i-1)-1] == '.':
			open := quoteBefore(text, i-1)
			if open < 0 {
				return i
			}
			i = open
		case c == ')' && i < len(text) && text[i] == '.':
			open := openBefore(text, i-1)
			if open < 0 {
				return i
			}
			return open
		default:
			return i
		}
	}
	return i
}

func isNameByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-' || c == '\'' || c >= utf8.RuneSelf
}

// quoteBefore finds the quote that opens what the one at end closes, or -1.
func quoteBefore(text string, end int) int {
	for i := end - 1; i >= 0; i-- {
		if text[i] == '"' && (i == 0 || text[i-1] != '\\') {
			return i
		}
	}
	return -1
}

// openBefore finds the parenthesis that opens what the one at end closes, or
// -1.
func openBefore(text string, end int) int {
	depth := 0
	for i := end; i >= 0; i-- {
		switch text[i] {
		case '"':
			if i = quoteBefore(text, i); i < 0 {
				return -1
			}
		case ')', ']', '}':
			depth++
		case '(', '[', '{':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return -1
}

// lastDot finds the last dot of a selection that is not in quotes or
// parentheses, or -1.
func lastDot(word string) int {
	dot, quoted := -1, false
	for i := strings.LastIndexByte(word, ')') + 1; i < len(word); i++ {
		switch {
		case word[i] == '"':
			quoted = !quoted
		case word[i] == '.' && !quoted:
			dot = i
		}
	}
	return dot
}

// withPrefix returns those of words that begin with prefix, sorted, each once.
func withPrefix(words []string, prefix string) []string {
	words = slices.DeleteFunc(words, func(w string) bool { return !strings.HasPrefix(w, prefix) })
	slices.Sort(words)
	return slices.Compact(words)
}

// commonPrefix is what all of words begin with, in whole runes.
func commonPrefix(words []string) string {
	if len(words) == 0 {
		return ""
	}
	common := words[0]
	for _, w := range words[1:] {
		for !strings.HasPrefix(w, common) {
			_, size := utf8.DecodeLastRuneInString(common)
			common = common[:len(common)-size]
		}
	}
	return common
}
