package flakeref

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"gonix/derivation/nixhash"
)

// Attr is the value of one attribute: a text, a number or a truth value. Attrs
// can be compared with ==.
type Attr struct {
	kind attrKind
	text string
	num  uint64
}

type attrKind uint8

const (
	textAttr attrKind = iota
	numberAttr
	flagAttr
)

// Text, Number and Flag make attributes.
func Text(s string) Attr { return Attr{kind: textAttr, text: s} }

// Number makes an attribute of a number.
func Number(n uint64) Attr { return Attr{kind: numberAttr, num: n} }

// Flag makes an attribute of a truth value.
func Flag(b bool) Attr {
	a := Attr{kind: flagAttr}
	if b {
		a.num = 1
	}
	return a
}

// Text returns the text that a is; ok is false if it is none.
func (a Attr) Text() (s string, ok bool) { return a.text, a.kind == textAttr }

// Number returns the number that a is; ok is false if it is none.
func (a Attr) Number() (n uint64, ok bool) { return a.num, a.kind == numberAttr }

// Flag returns the truth value that a is; ok is false if it is none.
func (a Attr) Flag() (b, ok bool) { return a.num == 1, a.kind == flagAttr }

// query is a as it stands in the query of a URL.
func (a Attr) query() string {
	if a.kind == textAttr {
		return a.text
	}
	return strconv.FormatUint(a.num, 10)
}

// MarshalJSON writes a as a text, a number or a truth value.
func (a Attr) MarshalJSON() ([]byte, error) {
	switch a.kind {
	case numberAttr:
		return strconv.AppendUint(nil, a.num, 10), nil
	case flagAttr:
		return strconv.AppendBool(nil, a.num == 1), nil
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(a.text)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// UnmarshalJSON reads what MarshalJSON writes.
func (a *Attr) UnmarshalJSON(data []byte) error {
	var s string
	var n uint64
	var b bool
	switch {
	case json.Unmarshal(data, &s) == nil:
		*a = Text(s)
	case json.Unmarshal(data, &n) == nil:
		*a = Number(n)
	case json.Unmarshal(data, &b) == nil:
		*a = Flag(b)
	default:
		return fmt.Errorf("unsupported input attribute type in lock file")
	}
	return nil
}

// Attrs are the attributes of a reference by their names.
type Attrs map[string]Attr

// JSON is the set as one line of JSON, names sorted.
func (s Attrs) JSON() string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(map[string]Attr(s)); err != nil {
		panic("flakeref: " + err.Error()) // there is nothing in it that JSON has no form for
	}
	return string(bytes.TrimSuffix(b.Bytes(), []byte("\n")))
}

// Names returns the names in order.
func (s Attrs) Names() []string { return slices.Sorted(maps.Keys(s)) }

// Text returns the text named name, "" and false if there is none; the error
// says that it is of another type.
func (s Attrs) Text(name string) (text string, ok bool, err error) {
	a, ok := s[name]
	if !ok {
		return "", false, nil
	}
	if text, ok = a.Text(); !ok {
		return "", false, fmt.Errorf("input attribute '%s' is not a string %s", name, s.JSON())
	}
	return text, true, nil
}

// Number is Text for numbers.
func (s Attrs) Number(name string) (n uint64, ok bool, err error) {
	a, ok := s[name]
	if !ok {
		return 0, false, nil
	}
	if n, ok = a.Number(); !ok {
		return 0, false, fmt.Errorf("input attribute '%s' is not an integer", name)
	}
	return n, true, nil
}

// Flag is Text for truth values.
func (s Attrs) Flag(name string) (b, ok bool, err error) {
	a, ok := s[name]
	if !ok {
		return false, false, nil
	}
	if b, ok = a.Flag(); !ok {
		return false, false, fmt.Errorf("input attribute '%s' is not a Boolean", name)
	}
	return b, true, nil
}

// need is Text for an attribute that must be there.
func (s Attrs) need(name string) (string, error) {
	text, ok, err := s.Text(name)
	if err == nil && !ok {
		err = fmt.Errorf("input attribute '%s' is missing", name)
	}
	return text, err
}

// text is Text where the types have been checked.
func (s Attrs) text(name string) string {
	text, _, _ := s.Text(name)
	return text
}

// flag is Flag where the types have been checked.
func (s Attrs) flag(name string) bool {
	b, _, _ := s.Flag(name)
	return b
}

// rev reads the attribute rev: the hash of a commit, SHA-1 unless it says
// otherwise (Nix: Input::getRev).
func (s Attrs) rev() (rev string, ok bool, err error) {
	text, ok, err := s.Text("rev")
	if err != nil || !ok {
		return "", false, err
	}
	h, err := nixhash.Parse(text, nixhash.Unknown)
	if err != nil {
		if h, err = nixhash.Parse(text, nixhash.SHA1); err != nil {
			return "", false, err
		}
	}
	return h.Base16(), true, nil
}

// narHash reads the attribute narHash; it is zero if there is none.
func (s Attrs) narHash() (nixhash.Hash, error) {
	text, ok, err := s.Text("narHash")
	if err != nil || !ok {
		return nixhash.Hash{}, err
	}
	if text == "" {
		return nixhash.Parse("sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", nixhash.SHA256)
	}
	h, err := nixhash.ParseSRI(text)
	if err != nil {
		return nixhash.Hash{}, err
	}
	if h.Algo != nixhash.SHA256 {
		return nixhash.Hash{}, fmt.Errorf("narHash must use SHA-256")
	}
	return h, nil
}
