package nixenv

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"gonix/eval/builtin"
	"gonix/eval/builtin/ere"
)

// selector is a NAME of the command line. (Nix: DrvName)
type selector struct {
	text    string
	name    *ere.Regexp // nil for any
	version string      // "" for any
}

func newSelector(text string) (selector, error) {
	s := selector{text: text}
	var name string
	name, s.version = builtin.SplitDrvName(text)
	if name == "*" {
		return s, nil
	}
	var err error
	s.name, err = ere.Compile(name)
	switch {
	case errors.Is(err, ere.ErrTooLarge):
		err = fmt.Errorf("selector '%s' is too large", text)
	case err != nil:
		err = fmt.Errorf("selector '%s' is not a regular expression", text)
	}
	return s, err
}

func (s selector) matches(e element) bool {
	return (s.name == nil || s.name.Match(e.name) != nil) && (s.version == "" || s.version == e.version)
}

// filter returns what the selectors match, in their order; all if there are none.
// One that matches nothing is an error. (Nix: filterBySelector)
func filter(all []element, selectors []string) ([]element, error) {
	if len(selectors) == 0 {
		selectors = []string{"*"}
	}
	var list []element
	done := make([]bool, len(all))
	for _, text := range selectors {
		s, err := newSelector(text)
		if err != nil {
			return nil, err
		}
		hit := false
		for i, e := range all {
			if !s.matches(e) {
				continue
			}
			hit = true
			if !done[i] {
				done[i] = true
				list = append(list, e)
			}
		}
		if !hit && text != "*" {
			return nil, noMatch(all, text)
		}
	}
	return list, nil
}

// maxHints is how many names a failed search proposes.
const maxHints = 3

// noMatch is the error about a selector without matches, with names that begin
// as it does.
func noMatch(all []element, text string) error {
	msg := fmt.Sprintf("selector '%s' matches no derivations", text)
	prefix, _ := builtin.SplitDrvName(text)
	var hints []string
	for _, e := range all {
		if strings.HasPrefix(e.name, prefix) && !slices.Contains(hints, e.name) {
			if hints = append(hints, e.name); len(hints) == maxHints {
				break
			}
		}
	}
	if len(hints) > 0 {
		slices.Sort(hints)
		msg += ", maybe you meant:\n       " + strings.Join(hints, "\n       ")
	}
	return errors.New(msg)
}
