package builtin

import (
	"cmp"
	"slices"

	"gonix/eval/value"
	"gonix/parser/source"
)

func genericClosure(th *value.Thread, pos source.Pos, args []value.Value) (value.Value, error) {
	const in = "in the attrset passed as argument to builtins.genericClosure"
	set, err := th.Attrs(args[0], pos, "while evaluating the first argument passed to builtins.genericClosure")
	if err != nil {
		return nil, err
	}
	start, err := attr(th, set, "startSet", in)
	if err != nil {
		return nil, err
	}
	startSet, err := th.List(start.Val, pos, "while evaluating the 'startSet' attribute passed as argument to builtins.genericClosure")
	if err != nil || len(startSet.Elems) == 0 {
		return startSet, err
	}
	operator, err := attr(th, set, "operator", in)
	if err != nil {
		return nil, err
	}
	op, err := th.Function(operator.Val, pos, "while evaluating the 'operator' attribute passed as argument to builtins.genericClosure")
	if err != nil {
		return nil, err
	}
	c := closure{th: th, pos: pos, seen: map[any]bool{}}
	work := append([]value.Value(nil), startSet.Elems...)
	for len(work) > 0 {
		e := work[0]
		work = work[1:]
		fresh, err := c.add(e)
		if err != nil {
			return nil, err
		}
		if !fresh {
			continue
		}
		more, err := c.successors(op, e)
		if err != nil {
			return nil, value.WithFrame(err, source.NoPos, "while calling operator on genericClosure element %s", th.Show(e))
		}
		work = append(work, more...)
	}
	out := make([]value.Value, len(c.found))
	for i, f := range c.found {
		out[i] = f.elem
	}
	return th.MakeList(out), nil
}

// closure is the state of one genericClosure. As long as all keys are strings,
// all integers or all paths, they are looked up by hash; from the first key of
// another type on, by binary search with Nix's order.
type closure struct {
	th     *value.Thread
	pos    source.Pos
	found  []keyed // in the order in which they were found
	kind   string  // type of the keys in seen
	seen   map[any]bool
	sorted []keyed // all of found by key, once a key has no hash
}

// keyed is an element with its key.
type keyed struct{ key, elem value.Value }

// add records e; fresh tells whether its key is new.
func (c *closure) add(e value.Value) (fresh bool, err error) {
	set, err := c.th.Attrs(e, c.pos, "")
	if err != nil {
		return false, value.WithFrame(err, source.NoPos, "in genericClosure element %s", c.th.Show(e))
	}
	at, err := attr(c.th, set, "key", "")
	if err != nil {
		return false, value.WithFrame(err, source.NoPos, "in genericClosure element %s", c.th.Show(e))
	}
	key, err := c.th.Force(at.Val, c.pos)
	if err != nil {
		return false, err
	}
	k := keyed{key, e}
	if h, kind := hashable(key); c.sorted == nil && h != nil && (len(c.found) == 0 || c.kind == kind) {
		fresh, c.kind = !c.seen[h], kind
		c.seen[h] = true
	} else if fresh, err = c.insert(k); err != nil {
		return false, err
	}
	if fresh {
		c.found = append(c.found, k)
	}
	return fresh, nil
}

// insert puts k into sorted unless its key is there.
func (c *closure) insert(k keyed) (fresh bool, err error) {
	if c.sorted == nil {
		c.sorted = slices.Clone(c.found)
		slices.SortFunc(c.sorted, func(a, b keyed) int { return compareHashable(a.key, b.key) })
	}
	lo, hi := 0, len(c.sorted)
	for lo < hi {
		m := int(uint(lo+hi) >> 1)
		less, err := c.th.Less(k.key, c.sorted[m].key, c.pos)
		if err != nil {
			return false, c.incomparable(err, k)
		}
		if less {
			hi = m
		} else {
			lo = m + 1
		}
	}
	if lo > 0 {
		greater, err := c.th.Less(c.sorted[lo-1].key, k.key, c.pos)
		if err != nil {
			return false, c.incomparable(err, k)
		}
		if !greater {
			return false, nil
		}
	}
	c.sorted = slices.Insert(c.sorted, lo, k)
	return true, nil
}

// incomparable adds to an error of comparing k's key which elements it is
// about: k, and the first one by key that cannot be compared with it.
func (c *closure) incomparable(err error, k keyed) error {
	for _, other := range c.sorted {
		if _, fails := c.th.Less(k.key, other.key, c.pos); fails != nil {
			err = value.WithFrame(err, source.NoPos, "with element %s", c.th.Show(other.elem))
			return value.WithFrame(err, source.NoPos, "while comparing element %s", c.th.Show(k.elem))
		}
	}
	return value.WithFrame(err, source.NoPos, "while checking key of element %s", c.th.Show(k.elem))
}

// successors applies the operator to e.
func (c *closure) successors(op, e value.Value) ([]value.Value, error) {
	r, err := c.th.Apply(c.pos, op, e)
	if err != nil {
		return nil, err
	}
	l, err := c.th.List(r, c.pos, "while evaluating the return value of the `operator` passed to builtins.genericClosure")
	if err != nil {
		return nil, err
	}
	for _, x := range l.Elems {
		if _, err := c.th.Force(x, c.pos); err != nil {
			return nil, err
		}
	}
	return l.Elems, nil
}

// hashable is the map key for a value whose equality is that of Go, and the
// name of its type; nil for other values.
func hashable(v value.Value) (any, string) {
	switch v := v.(type) {
	case *value.String:
		return v.S, "string"
	case value.Int:
		return v, "int"
	case value.Path:
		return v, "path"
	}
	return nil, ""
}

// compareHashable orders two hashable values of the same type.
func compareHashable(a, b value.Value) int {
	switch a := a.(type) {
	case *value.String:
		return cmp.Compare(a.S, b.(*value.String).S)
	case value.Int:
		return cmp.Compare(a, b.(value.Int))
	case value.Path:
		return cmp.Compare(a, b.(value.Path))
	}
	panic("builtin: not a hashable key")
}
