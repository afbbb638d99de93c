package derivation

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"gonix/derivation/aterm"
	"gonix/derivation/storepath"
)

// Parse reads the text of a .drv file. name is the derivation's name, which is
// not in the text: that of the file's path without .drv.
func Parse(name string, text []byte) (*Derivation, error) {
	d := &Derivation{
		Name:      name,
		Outputs:   map[string]Output{},
		InputDrvs: map[storepath.Path][]string{},
		Env:       map[string]string{},
	}
	if err := d.scan(aterm.NewScanner(string(text))); err != nil {
		return nil, fmt.Errorf("parse derivation '%s': %w", name, err)
	}
	return d, nil
}

func (d *Derivation) scan(s *aterm.Scanner) error {
	if err := s.Expect("Derive("); err != nil {
		return err
	}
	steps := []func(*aterm.Scanner) error{
		d.scanOutputs, d.scanInputDrvs, d.scanInputSrcs,
		func(s *aterm.Scanner) (err error) { d.Platform, err = s.String(); return },
		func(s *aterm.Scanner) (err error) { d.Builder, err = s.String(); return },
		func(s *aterm.Scanner) (err error) { d.Args, err = s.Strings(); return },
		d.scanEnv,
	}
	for i, step := range steps {
		if i > 0 {
			if err := s.Expect(","); err != nil {
				return err
			}
		}
		if err := step(s); err != nil {
			return err
		}
	}
	if err := s.Expect(")"); err != nil {
		return err
	}
	return s.End()
}

func (d *Derivation) scanOutputs(s *aterm.Scanner) error {
	return s.List(func() error {
		var name, path string
		var o Output
		if err := s.Tuple(&name, &path, &o.HashAlgo, &o.Hash); err != nil {
			return err
		}
		if _, dup := d.Outputs[name]; dup {
			return fmt.Errorf("output '%s' appears twice", name)
		}
		if _, _, err := o.Fixed(); err != nil {
			return fmt.Errorf("output '%s': %w", name, err)
		}
		if path != "" {
			p, err := storepath.Parse(path)
			if err != nil {
				return fmt.Errorf("output '%s': %w", name, err)
			}
			o.Path = p
		}
		d.Outputs[name] = o
		return nil
	})
}

func (d *Derivation) scanInputDrvs(s *aterm.Scanner) error {
	return s.List(func() error {
		if err := s.Expect("("); err != nil {
			return err
		}
		path, err := s.String()
		if err != nil {
			return err
		}
		p, err := storepath.Parse(path)
		if err != nil {
			return fmt.Errorf("input: %w", err)
		}
		if err := s.Expect(","); err != nil {
			return err
		}
		outs, err := s.Strings()
		if err != nil {
			return err
		}
		if _, dup := d.InputDrvs[p]; dup {
			return fmt.Errorf("input '%s' appears twice", path)
		}
		slices.Sort(outs)
		d.InputDrvs[p] = slices.Compact(outs)
		return s.Expect(")")
	})
}

func (d *Derivation) scanInputSrcs(s *aterm.Scanner) error {
	err := s.List(func() error {
		path, err := s.String()
		if err != nil {
			return err
		}
		p, err := storepath.Parse(path)
		if err != nil {
			return fmt.Errorf("source: %w", err)
		}
		d.InputSrcs = append(d.InputSrcs, p)
		return nil
	})
	slices.SortFunc(d.InputSrcs, storepath.Compare)
	d.InputSrcs = slices.Compact(d.InputSrcs)
	return err
}

func (d *Derivation) scanEnv(s *aterm.Scanner) error {
	return s.List(func() error {
		var name, value string
		if err := s.Tuple(&name, &value); err != nil {
			return err
		}
		if _, dup := d.Env[name]; dup {
			return fmt.Errorf("variable '%s' appears twice", name)
		}
		d.Env[name] = value
		return nil
	})
}

// AppendTo appends the text of d as it is written to the store.
func (d *Derivation) AppendTo(b []byte) []byte {
	w := writers.Get().(*writer)
	defer writers.Put(w)
	return w.appendWhole(b, d)
}

// input is an element of the list of input derivations: their path or, when
// hashing, what their outputs hash to.
type input struct {
	path    string
	digest  []byte // if not nil, instead of the path
	outputs []string
}

// writer is what writing a text needs for a while. An evaluation writes
// thousands of them.
type writer struct {
	text   []byte
	names  []string
	inputs []input
}

var writers = sync.Pool{New: func() any { return new(writer) }}

// appendWhole writes d as it is.
func (w *writer) appendWhole(b []byte, d *Derivation) []byte {
	w.inputs = w.inputs[:0]
	for p, outs := range d.InputDrvs {
		w.inputs = append(w.inputs, input{path: p.String(), outputs: outs})
	}
	slices.SortFunc(w.inputs, func(x, y input) int { return strings.Compare(x.path, y.path) })
	return w.appendTo(slices.Grow(b, d.sizeHint(w.inputs)), d, false)
}

// joinByDigest sorts the inputs by digest, and makes one of those that have the
// same: outputs of one derivation, and different derivations that hash alike.
func (w *writer) joinByDigest() {
	slices.SortFunc(w.inputs, func(x, y input) int {
		return cmp.Or(bytes.Compare(x.digest, y.digest), slices.Compare(x.outputs, y.outputs))
	})
	joined := w.inputs[:0]
	for _, in := range w.inputs {
		if n := len(joined); n > 0 && bytes.Equal(joined[n-1].digest, in.digest) {
			if last := &joined[n-1]; last.outputs[len(last.outputs)-1] != in.outputs[0] {
				last.outputs = append(slices.Clip(last.outputs), in.outputs[0])
			}
			continue
		}
		joined = append(joined, in)
	}
	w.inputs = joined
}

// appendTo writes d with the inputs of w, which are sorted; mask leaves out the
// output paths, which is how they can be hashed before they are known.
func (w *writer) appendTo(b []byte, d *Derivation, mask bool) []byte {
	b = append(b, "Derive(["...)
	w.names = slices.AppendSeq(w.names[:0], maps.Keys(d.Outputs))
	slices.Sort(w.names)
	for i, name := range w.names {
		if i > 0 {
			b = append(b, ',')
		}
		o := d.Outputs[name]
		path := o.Path.String()
		if mask {
			path = ""
		}
		b = aterm.AppendTuple(b, name, path, o.HashAlgo, o.Hash)
	}
	b = append(b, "],["...)
	for i, in := range w.inputs {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, '(')
		if in.digest != nil {
			b = append(b, '"')
			b = hex.AppendEncode(b, in.digest)
			b = append(b, '"')
		} else {
			b = aterm.AppendString(b, in.path)
		}
		b = append(b, ',')
		b = aterm.AppendStrings(b, in.outputs)
		b = append(b, ')')
	}
	b = append(b, "],["...)
	for i, p := range d.InputSrcs {
		if i > 0 {
			b = append(b, ',')
		}
		b = aterm.AppendString(b, p.String())
	}
	b = append(b, "],"...)
	b = aterm.AppendString(b, d.Platform)
	b = append(b, ',')
	b = aterm.AppendString(b, d.Builder)
	b = append(b, ',')
	b = aterm.AppendStrings(b, d.Args)
	b = append(b, ",["...)
	w.names = slices.AppendSeq(w.names[:0], maps.Keys(d.Env))
	slices.Sort(w.names)
	for i, name := range w.names {
		if i > 0 {
			b = append(b, ',')
		}
		value := d.Env[name]
		if mask {
			if _, isOutput := d.Outputs[name]; isOutput {
				value = ""
			}
		}
		b = aterm.AppendTuple(b, name, value)
	}
	return append(b, "])"...)
}

// sizeHint is about how long the text will be: escapes are not counted.
func (d *Derivation) sizeHint(inputs []input) int {
	const perPath, perOutput, perItem = 80, 128, 16
	n := 256 + perPath*len(d.InputSrcs) + perOutput*len(d.Outputs)
	for _, in := range inputs {
		n += len(in.path) + perItem*(len(in.outputs)+1)
	}
	for _, a := range d.Args {
		n += len(a) + perItem
	}
	for k, v := range d.Env {
		n += len(k) + len(v) + perItem
	}
	return n
}
