package builtin

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"gonix/eval/symbol"
	"gonix/eval/value"
	"gonix/parser/source"
)

// errTOMLDate is Nix's error for dates and times.
var errTOMLDate = errors.New("Dates and times are not supported")

// isTOMLDate reports whether s begins as a date (2000-01-01) or time (00:00).
func isTOMLDate(s string) bool {
	return matchesDigits(s, "0000-00-00") || matchesDigits(s, "00:00")
}

// matchesDigits reports whether s begins with text of the shape of form, in
// which 0 is any digit.
func matchesDigits(s, form string) bool {
	if len(s) < len(form) {
		return false
	}
	for i := range len(form) {
		if form[i] == '0' && !isDigit(s[i]) || form[i] != '0' && form[i] != s[i] {
			return false
		}
	}
	return true
}

// tomlTime is the value of a date, a time or both:
// { _type = "timestamp"; value = …; }.
type tomlTime string

func (t tomlTime) value(th *value.Thread) value.Value {
	b := value.NewBuilder(2)
	b.Add(th.Symbols.Intern("_type"), source.NoPos, value.NewString("timestamp"))
	b.Add(symbol.Value, source.NoPos, value.NewString(string(t)))
	return b.Finish()
}

// timestamp takes the word between from and p.at as a date, a time or both.
func (p *tomlParser) timestamp(from int) (tomlItem, error) {
	if !p.timestamps {
		return nil, errTOMLDate
	}
	// A blank may stand between date and time.
	const date = "0000-00-00"
	if p.at == from+len(date) && p.peek() == ' ' && matchesDigits(p.text[p.at+1:], "00:00") {
		p.at++
		for c := p.peek(); c != 0 && strings.IndexByte(" \t\r\n,]}#=", c) < 0; c = p.peek() {
			p.at++
		}
	}
	word := p.text[from:p.at]
	s, ok := canonicalTime(word)
	if !ok {
		p.at = from
		return nil, fmt.Errorf("%q is no date or time", word)
	}
	return tomlTime(s), nil
}

// canonicalTime checks a date, a time or both and returns it as Nix writes it:
// T between the two, fractions of a second in three, six or nine digits, and Z
// for UTC (Nix: normalizeDatetimeFormat).
func canonicalTime(s string) (string, bool) {
	var out strings.Builder
	dated := false
	if matchesDigits(s, "0000-00-00") {
		if _, err := time.Parse(time.DateOnly, s[:10]); err != nil {
			return "", false
		}
		out.WriteString(s[:10])
		if s = s[10:]; s == "" {
			return out.String(), true
		}
		if strings.IndexByte("Tt ", s[0]) < 0 {
			return "", false
		}
		out.WriteByte('T')
		s, dated = s[1:], true
	}
	if !matchesDigits(s, "00:00:00") || s[:2] > "23" || s[3:5] > "59" || s[6:8] > "60" {
		return "", false
	}
	out.WriteString(s[:8])
	s = s[8:]
	if rest, ok := strings.CutPrefix(s, "."); ok {
		s = strings.TrimLeft(rest, "0123456789")
		digits := rest[:len(rest)-len(s)]
		if digits == "" {
			return "", false
		}
		digits = (digits + "00000000")[:9]
		for strings.HasSuffix(digits, "000") {
			digits = digits[:len(digits)-3]
		}
		if digits != "" {
			out.WriteString("." + digits)
		}
	}
	switch {
	case s == "":
		return out.String(), true
	case !dated: // a time alone has no zone
		return "", false
	case s == "Z" || s == "z":
		out.WriteByte('Z')
		return out.String(), true
	}
	if !matchesDigits(s, "+00:00") && !matchesDigits(s, "-00:00") || len(s) != 6 || s[1:3] > "23" || s[4:6] > "59" {
		return "", false
	}
	if s[1:] == "00:00" {
		s = "Z"
	}
	out.WriteString(s)
	return out.String(), true
}
