package render

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"gonix/eval/symbol"
	"gonix/eval/value"
	"gonix/parser/source"
)

// JSON returns v as JSON without white space (builtins.toJSON, --json) and the
// context of all its strings. With strict, it evaluates what it meets; else
// something not evaluated is an error. With copyToStore, a path becomes the
// store path of a copy of it; else it is written as it is.
func JSON(th *value.Thread, v value.Value, pos source.Pos, strict, copyToStore bool) (string, *value.Context, error) {
	p := jsonPrinter{th: th, strict: strict, copyToStore: copyToStore}
	err := p.print(v, pos)
	return p.out.String(), p.ctx, err
}

type jsonPrinter struct {
	th                  *value.Thread
	strict, copyToStore bool
	out                 strings.Builder
	growth              value.Growth
	ctx                 *value.Context
}

func (p *jsonPrinter) print(v value.Value, pos source.Pos) error {
	if err := p.th.Enter(pos); err != nil {
		return err
	}
	defer p.th.Leave()
	if err := p.growth.Fit(p.th, pos, p.out.Len()); err != nil {
		return err
	}
	if p.strict {
		var err error
		if v, err = p.th.Force(v, pos); err != nil {
			return err
		}
	}
	w, state := value.Peek(v)
	if state != value.Evaluated {
		return p.th.Errorf(value.DeterminePos(v, pos), value.TypeError, "cannot convert %s to JSON", value.Pending(v))
	}
	switch w := w.(type) {
	case value.Null:
		p.out.WriteString("null")
	case value.Bool:
		p.out.WriteString(strconv.FormatBool(bool(w)))
	case value.Int:
		p.out.WriteString(strconv.FormatInt(int64(w), 10))
	case value.Float:
		p.out.WriteString(jsonFloat(float64(w)))
	case *value.String:
		return p.string(w, pos)
	case value.Path:
		return p.coerced(w, pos)
	case *value.List:
		return p.list(w, pos)
	case *value.Attrs:
		return p.attrs(w, pos)
	default:
		return p.th.Errorf(value.DeterminePos(w, pos), value.TypeError, "cannot convert %s to JSON", value.TypeName(w))
	}
	return nil
}

// coerced writes v, a path or a set with __toString, as the string it becomes.
func (p *jsonPrinter) coerced(v value.Value, pos source.Pos) error {
	_, isPath := v.(value.Path)
	s, err := p.th.Coerce(v, pos, value.CoerceOptions{CopyToStore: p.copyToStore && isPath}, "")
	if err != nil {
		return err
	}
	return p.string(s, pos)
}

func (p *jsonPrinter) string(s *value.String, pos source.Pos) error {
	p.ctx = p.ctx.Union(s.Ctx)
	if err := p.growth.Fit(p.th, pos, p.out.Len()+len(s.S)); err != nil {
		return err
	}
	if err := quoteJSON(&p.out, s.S); err != nil {
		return p.th.Errorf(pos, value.EvalError, "%v", err)
	}
	return nil
}

func (p *jsonPrinter) list(l *value.List, pos source.Pos) error {
	p.out.WriteByte('[')
	for i, e := range l.Elems {
		if i > 0 {
			p.out.WriteByte(',')
		}
		if err := p.print(e, pos); err != nil {
			return value.WithFrame(err, pos, "while evaluating list element at index %d", i)
		}
	}
	p.out.WriteByte(']')
	return nil
}

// attrs writes a set: what __toString returns, or else what outPath is, or
// else an object.
func (p *jsonPrinter) attrs(a *value.Attrs, pos source.Pos) error {
	if _, ok := a.Get(symbol.ToString); ok {
		return p.coerced(a, pos)
	}
	if at, ok := a.Get(symbol.OutPath); ok {
		return p.print(at.Val, at.Pos)
	}
	p.out.WriteByte('{')
	for i, at := range a.Sorted(p.th.Symbols) {
		if i > 0 {
			p.out.WriteByte(',')
		}
		name := p.th.Symbols.Name(at.Sym)
		if err := quoteJSON(&p.out, name); err != nil {
			return p.th.Errorf(at.Pos, value.EvalError, "%v", err)
		}
		p.out.WriteByte(':')
		if err := p.print(at.Val, at.Pos); err != nil {
			return value.WithFrame(err, at.Pos, "while evaluating attribute '%s'", p.th.AttrName(at.Sym))
		}
	}
	p.out.WriteByte('}')
	return nil
}

// quoteJSON writes s as a JSON string. Text that is not UTF-8 has none, which
// is an error as in Nix.
func quoteJSON(b *strings.Builder, s string) error {
	b.WriteByte('"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && n == 1 {
				return invalidUTF8(s, i)
			}
			i += n
			continue
		}
		if c >= ' ' && c != '"' && c != '\\' {
			i++
			continue
		}
		b.WriteString(s[start:i])
		switch c {
		case '"', '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case '\b':
			b.WriteString(`\b`)
		case '\f':
			b.WriteString(`\f`)
		case '\n':
			b.WriteString(`\n`)
		case '\r':
			b.WriteString(`\r`)
		case '\t':
			b.WriteString(`\t`)
		default:
			fmt.Fprintf(b, `\u%04x`, c)
		}
		i++
		start = i
	}
	b.WriteString(s[start:])
	b.WriteByte('"')
	return nil
}

// invalidUTF8 is the error for the malformed sequence that starts at s[i]. It
// names the byte that shows the fault, or says that the string ends too early.
func invalidUTF8(s string, i int) error {
	n := sequenceLen(s[i])
	for k := 1; k < n; k++ {
		if i+k >= len(s) {
			return fmt.Errorf("JSON serialization error: [json.exception.type_error.316] incomplete UTF-8 string; last byte: 0x%02X", s[len(s)-1])
		}
		if !validContinuation(s[i], k, s[i+k]) {
			return fmt.Errorf("JSON serialization error: [json.exception.type_error.316] invalid UTF-8 byte at index %d: 0x%02X", i+k, s[i+k])
		}
	}
	return fmt.Errorf("JSON serialization error: [json.exception.type_error.316] invalid UTF-8 byte at index %d: 0x%02X", i, s[i])
}

// sequenceLen is the length of the UTF-8 sequence that lead starts, 1 if it
// starts none.
func sequenceLen(lead byte) int {
	switch {
	case lead >= 0xc2 && lead <= 0xdf:
		return 2
	case lead >= 0xe0 && lead <= 0xef:
		return 3
	case lead >= 0xf0 && lead <= 0xf4:
		return 4
	}
	return 1
}

// validContinuation reports whether c may be byte k of a sequence.
func validContinuation(lead byte, k int, c byte) bool {
	lo, hi := byte(0x80), byte(0xbf)
	if k == 1 {
		switch lead {
		case 0xe0:
			lo = 0xa0
		case 0xed:
			hi = 0x9f
		case 0xf0:
			lo = 0x90
		case 0xf4:
			hi = 0x8f
		}
	}
	return lo <= c && c <= hi
}

// jsonFloat writes the shortest decimal that reads back as f, always
// recognisable as a float: 1.0, 1e+20, 1.5e-07. Infinity and not-a-number have
// no JSON form and become null.
func jsonFloat(f float64) string {
	if math.IsInf(f, 0) || math.IsNaN(f) {
		return "null"
	}
	if f == 0 {
		if math.Signbit(f) {
			return "-0.0"
		}
		return "0.0"
	}
	mant, exp, _ := strings.Cut(strconv.FormatFloat(math.Abs(f), 'e', -1, 64), "e")
	digits := strings.Replace(mant, ".", "", 1)
	e, _ := strconv.Atoi(exp)
	point := e + 1 // digits before the decimal point
	sign := ""
	if f < 0 {
		sign = "-"
	}
	const maxPoint, minPoint = 15, -4
	switch {
	case len(digits) <= point && point <= maxPoint:
		return sign + digits + strings.Repeat("0", point-len(digits)) + ".0"
	case 0 < point && point <= maxPoint:
		return sign + digits[:point] + "." + digits[point:]
	case minPoint < point && point <= 0:
		return sign + "0." + strings.Repeat("0", -point) + digits
	}
	out := sign + digits[:1]
	if len(digits) > 1 {
		out += "." + digits[1:]
	}
	return out + fmt.Sprintf("e%+03d", e)
}
