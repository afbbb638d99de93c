package value

import (
	"cmp"
	"slices"
	"strings"
)

// Limits of Nix's Suggestions::trim.
const (
	maxSuggestions = 5
	maxDistance    = 2
)

// Suggest returns "Did you mean …?" with the candidates that are spelt most
// like name, or "" if none is.
func Suggest(candidates []string, name string) string {
	type match struct {
		distance int
		name     string
	}
	var near []match
	for _, c := range candidates {
		if d := len(c) - len(name); d > maxDistance || -d > maxDistance {
			continue
		}
		if d := levenshtein(name, c); d <= maxDistance {
			near = append(near, match{d, c})
		}
	}
	slices.SortFunc(near, func(a, b match) int {
		return cmp.Or(cmp.Compare(a.distance, b.distance), strings.Compare(a.name, b.name))
	})
	near = near[:min(len(near), maxSuggestions)]
	if len(near) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("Did you mean ")
	if len(near) > 1 {
		b.WriteString("one of ")
	}
	for i, m := range near {
		switch {
		case i == 0:
		case i == len(near)-1:
			b.WriteString(" or ")
		default:
			b.WriteString(", ")
		}
		b.WriteString(m.name)
	}
	b.WriteString("?")
	return b.String()
}

// SuggestAttr is Suggest with the names of a set as candidates.
func (th *Thread) SuggestAttr(a *Attrs, name string) string {
	names := th.Symbols.Names()
	candidates := make([]string, 0, a.Len())
	for x := range a.Each {
		candidates = append(candidates, names[x.Sym])
	}
	return Suggest(candidates, name)
}

// WithNote adds a line below the message, such as one of Suggest; "" adds none.
func (e *Error) WithNote(note string) *Error {
	if note != "" {
		e.Notes = append(e.Notes, note)
	}
	return e
}

// levenshtein is the edit distance in bytes.
func levenshtein(a, b string) int {
	prev := make([]int, len(b)+1)
	next := make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := range len(a) {
		next[0] = i + 1
		for j := range len(b) {
			cost := prev[j]
			if a[i] != b[j] {
				cost++
			}
			next[j+1] = min(prev[j+1]+1, next[j]+1, cost)
		}
		prev, next = next, prev
	}
	return prev[len(b)]
}
