package builtin

import (
	"fmt"
	"slices"
	"strings"

	"gonix/eval/symbol"
	"gonix/eval/value"
	"gonix/parser/source"
)

// parseJSON returns the value of a JSON text. It does not recurse, so that
// depth costs no stack.
func parseJSON(th *value.Thread, text string) (value.Value, error) {
	p := jsonParser{lex: jsonLexer{text: text}, th: th}
	return p.parse()
}

// jsonError says why a text is not JSON. What is JSON without being a value of
// the language is another error.
type jsonError string

func (e jsonError) Error() string { return string(e) }

func jsonErrorf(format string, args ...any) error { return jsonError(fmt.Sprintf(format, args...)) }

type jsonParser struct {
	lex jsonLexer
	th  *value.Thread
	in  []jsonContainer // the arrays and objects around the current place
}

// jsonContainer is an array or object of which not all is read.
type jsonContainer struct {
	object bool
	keys   []symbol.Symbol
	vals   []value.Value
}

func (p *jsonParser) parse() (value.Value, error) {
	t := p.lex.scan()
	if t == jsonEnd && p.lex.next == 1 {
		return nil, jsonErrorf("[json.exception.parse_error.101] parse error at %s: attempting to parse an empty input; check that your input string or stream contains the expected JSON", p.lex.place())
	}
	for {
		v, opened, err := p.begin(t)
		if err != nil {
			return nil, err
		}
		if opened {
			if t, v, err = p.first(); err != nil {
				return nil, err
			}
		}
		if v == nil {
			continue // t begins an element
		}
		done, next, err := p.end(v)
		if err != nil {
			return nil, err
		}
		if done != nil {
			return done, nil
		}
		t = next
	}
}

// begin reads a value that begins with t; opened means that it is a container,
// now the innermost one.
func (p *jsonParser) begin(t jsonToken) (v value.Value, opened bool, err error) {
	switch t {
	case beginArray, beginObject:
		p.in = append(p.in, jsonContainer{object: t == beginObject})
		return nil, true, nil
	case jsonNull:
		return value.Null{}, false, nil
	case jsonTrue, jsonFalse:
		return value.Bool(t == jsonTrue), false, nil
	case jsonString:
		if err := noNull(p.lex.str); err != nil {
			return nil, false, err
		}
		return value.NewString(p.lex.str), false, nil
	case jsonNumber:
		i, f, isInt, err := jsonNumberValue(p.lex.text[p.lex.start:p.lex.next])
		switch {
		case err != nil:
			return nil, false, err
		case isInt:
			return value.Int(i), false, nil
		}
		return value.Float(f), false, nil
	case jsonBad:
		return nil, false, p.lex.unexpected(t, "value", "")
	}
	return nil, false, p.lex.unexpected(t, "value", jsonAnything)
}

// first goes to the first element of the container just opened and returns the
// token with which its value begins, or the container if it is empty.
func (p *jsonParser) first() (jsonToken, value.Value, error) {
	t := p.lex.scan()
	if !p.top().object {
		if t == endArray {
			return "", p.pop(), nil
		}
		return t, nil, nil
	}
	if t == endObject {
		return "", p.pop(), nil
	}
	t, err := p.key(t)
	return t, nil, err
}

// key reads a name that begins with t and its colon, and returns the token
// with which the value begins.
func (p *jsonParser) key(t jsonToken) (jsonToken, error) {
	if t != jsonString {
		return "", p.lex.unexpected(t, "object key", jsonString)
	}
	if err := noNull(p.lex.str); err != nil {
		return "", err
	}
	top := p.top()
	top.keys = append(top.keys, p.th.Symbols.Intern(p.lex.str))
	if t := p.lex.scan(); t != nameSep {
		return "", p.lex.unexpected(t, "object separator", nameSep)
	}
	return p.lex.scan(), nil
}

// end puts the finished value v into the innermost container, and closes that
// one and those around it as the text does. It returns the finished whole, or
// else the token with which the next value begins.
func (p *jsonParser) end(v value.Value) (done value.Value, next jsonToken, err error) {
	for {
		if len(p.in) == 0 {
			if t := p.lex.scan(); t != jsonEnd {
				return nil, "", p.lex.unexpected(t, "value", jsonEnd)
			}
			return v, "", nil
		}
		top := p.top()
		top.vals = append(top.vals, v)
		t := p.lex.scan()
		switch {
		case t == valueSep && top.object:
			next, err = p.key(p.lex.scan())
			return nil, next, err
		case t == valueSep:
			return nil, p.lex.scan(), nil
		case top.object && t != endObject:
			return nil, "", p.lex.unexpected(t, "object", endObject)
		case !top.object && t != endArray:
			return nil, "", p.lex.unexpected(t, "array", endArray)
		}
		v = p.pop()
	}
}

func (p *jsonParser) top() *jsonContainer { return &p.in[len(p.in)-1] }

// pop closes the innermost container and returns its value. Of equal names the
// last counts.
func (p *jsonParser) pop() value.Value {
	c := p.in[len(p.in)-1]
	p.in = p.in[:len(p.in)-1]
	if !c.object {
		return value.NewList(c.vals...)
	}
	b := value.NewBuilder(len(c.keys))
	for i, key := range slices.Backward(c.keys) {
		b.Add(key, source.NoPos, c.vals[i])
	}
	return b.Finish()
}

// noNull refuses what no Nix string can hold.
func noNull(s string) error {
	if strings.IndexByte(s, 0) < 0 {
		return nil
	}
	return nullByteError(s)
}

// nullByteError is a text that cannot be a string of the language.
type nullByteError string

func (e nullByteError) Error() string {
	return fmt.Sprintf("input string '%s' cannot be represented as Nix string because it contains null bytes",
		strings.ReplaceAll(string(e), "\x00", "␀"))
}
