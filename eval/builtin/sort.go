package builtin

import (
	"gonix/eval/value"
	"gonix/parser/source"
)

func sortList(th *value.Thread, pos source.Pos, args []value.Value) (value.Value, error) {
	l, err := th.List(args[1], pos, "while evaluating the second argument passed to builtins.sort")
	if err != nil || len(l.Elems) == 0 {
		return l, err
	}
	f, err := th.Function(args[0], pos, "while evaluating the first argument passed to builtins.sort")
	if err != nil {
		return nil, err
	}
	for _, e := range l.Elems {
		if _, err := th.Force(e, pos); err != nil {
			return nil, err
		}
	}
	s := sorter{less: func(a, b value.Value) (bool, error) {
		r, err := th.Apply(pos, f, a, b)
		if err != nil {
			return false, err
		}
		return th.Bool(r, pos, "while evaluating the return value of the sorting function passed to builtins.sort")
	}}
	if b, ok := f.(*value.Builtin); ok && b.Name == lessThanName {
		s.less = func(a, b value.Value) (bool, error) {
			r, err := forcedLess(th, pos, a, b)
			if err != nil {
				return false, value.WithFrame(err, pos, "while evaluating the ordering function passed to builtins.sort")
			}
			return r, nil
		}
	}
	out := append([]value.Value(nil), l.Elems...)
	if err := s.sort(out, make([]value.Value, len(out))); err != nil {
		return nil, err
	}
	return th.MakeList(out), nil
}

// sorter is a stable merge sort whose comparison may fail. Merging keeps every
// element even if the comparison is no order at all, so a wrong comparator
// gives a permutation and nothing worse.
type sorter struct {
	less func(a, b value.Value) (bool, error)
}

// insertionLen is the length up to which lists are sorted by insertion.
const insertionLen = 16

func (s *sorter) sort(v, buf []value.Value) error {
	if len(v) <= insertionLen {
		return s.insertion(v)
	}
	m := len(v) / 2
	if err := s.sort(v[:m], buf); err != nil {
		return err
	}
	if err := s.sort(v[m:], buf); err != nil {
		return err
	}
	return s.merge(v, m, buf)
}

func (s *sorter) insertion(v []value.Value) error {
	for i := 1; i < len(v); i++ {
		for j := i; j > 0; j-- {
			before, err := s.less(v[j], v[j-1])
			if err != nil {
				return err
			}
			if !before {
				break
			}
			v[j], v[j-1] = v[j-1], v[j]
		}
	}
	return nil
}

// merge joins the sorted halves v[:m] and v[m:].
func (s *sorter) merge(v []value.Value, m int, buf []value.Value) error {
	if after, err := s.less(v[m], v[m-1]); err != nil || !after {
		return err // in order already
	}
	left := buf[:copy(buf, v[:m])]
	right, out := v[m:], v
	for len(left) > 0 && len(right) > 0 {
		takeRight, err := s.less(right[0], left[0])
		if err != nil {
			return err
		}
		if takeRight {
			out[0], right = right[0], right[1:]
		} else {
			out[0], left = left[0], left[1:]
		}
		out = out[1:]
	}
	copy(out, left)
	return nil
}
