package value

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"gonix/eval/symbol"
	"gonix/parser/source"
)

// TestSizes guards the types of which an evaluation makes millions.
func TestSizes(t *testing.T) {
	for _, c := range []struct {
		name      string
		got, want uintptr
	}{
		{"Attr", unsafe.Sizeof(Attr{}), 24},
		{"Thunk", unsafe.Sizeof(Thunk{}), 16},
		{"Frame", unsafe.Sizeof(Frame{}), 16},
		{"Closure", unsafe.Sizeof(Closure{}), 24},
		{"String", unsafe.Sizeof(String{}), 24},
	} {
		if c.got > c.want {
			t.Errorf("%s has %d bytes, more than %d: memory and time of every evaluation depend on it", c.name, c.got, c.want)
		}
	}
}

func newThread() *Thread {
	return &Thread{Symbols: symbol.NewTable(), Sources: source.NewSet(), MaxDepth: DefaultMaxDepth}
}

// TestUpdate compares layered sets with maps.
func TestUpdate(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	set, model := EmptyAttrs, map[symbol.Symbol]Int{}
	for step := range 2000 {
		if step%50 == 0 {
			set, model = EmptyAttrs, map[symbol.Symbol]Int{}
		}
		b := NewBuilder(4)
		for range r.IntN(30) / (1 + r.IntN(10)) {
			s := symbol.Symbol(r.IntN(60))
			b.Add(s, source.NoPos, Int(step))
		}
		right := b.Finish()
		set = Update(set, right)
		for _, a := range right.All() {
			model[a.Sym] = a.Val.(Int)
		}
		if set.Len() != len(model) || len(set.All()) != len(model) {
			t.Fatalf("step %d: Len %d, All %d, want %d", step, set.Len(), len(set.All()), len(model))
		}
		for s := range symbol.Symbol(60) {
			a, ok := set.Get(s)
			want, has := model[s]
			if ok != has || ok && a.Val != want {
				t.Fatalf("step %d: Get(%d) = %v, %v, want %v, %v", step, s, a.Val, ok, want, has)
			}
		}
		if !slices.IsSortedFunc(set.All(), func(a, b Attr) int { return int(a.Sym) - int(b.Sym) }) {
			t.Fatalf("step %d: All is not sorted", step)
		}
		if set.layers > maxLayers {
			t.Fatalf("step %d: %d layers", step, set.layers)
		}
	}
}

func TestBuilderKeepsFirst(t *testing.T) {
	b := NewBuilder(3)
	b.Add(7, 0, Int(1))
	b.Add(5, 0, Int(2))
	b.Add(7, 0, Int(3))
	if a, ok := b.Finish().Get(7); !ok || a.Val != Int(1) {
		t.Errorf("got %v", a.Val)
	}
}

func TestContextUnion(t *testing.T) {
	a := ContextElem{Kind: Opaque, Path: "/nix/store/a"}
	b := ContextElem{Kind: Built, Path: "/nix/store/a", Output: "out"}
	c := ContextElem{Kind: DrvDeep, Path: "/nix/store/c"}
	ab, bc := NewContext(b, a, a), NewContext(c, b)
	if got := ab.Union(bc); !slices.Equal(got.Elems(), []ContextElem{a, b, c}) {
		t.Errorf("union is %v", got.Elems())
	}
	if ab.Union(nil) != ab || (*Context)(nil).Union(ab) != ab || ab.Union(NewContext(a)) != ab || NewContext(a).Union(ab) != ab {
		t.Error("a union with a subset is a new set")
	}
	if NewContext() != nil || (*Context)(nil).Elems() != nil {
		t.Error("the empty context is not nil")
	}
}

func TestFormatFloat(t *testing.T) {
	for _, c := range []struct {
		f           float64
		text, fixed string
	}{
		{1, "1", "1.000000"},
		{-0.5, "-0.5", "-0.500000"},
		{0.1 + 0.2, "0.3", "0.300000"},
		{123456, "123456", "123456.000000"},
		{1234567, "1.23457e+06", "1234567.000000"},
		{999999.5, "1e+06", "999999.500000"},
		{0.0001, "0.0001", "0.000100"},
		{0.00001, "1e-05", "0.000010"},
		{1e15, "1e+15", "1000000000000000.000000"},
		{math.Inf(1), "inf", "inf"},
		{math.Inf(-1), "-inf", "-inf"},
		{0, "0", "0.000000"},
	} {
		if got := FormatFloat(c.f); got != c.text {
			t.Errorf("FormatFloat(%g) = %s, want %s", c.f, got, c.text)
		}
		if got := FormatFloatFixed(c.f); got != c.fixed {
			t.Errorf("FormatFloatFixed(%g) = %s, want %s", c.f, got, c.fixed)
		}
	}
}

func TestSuggest(t *testing.T) {
	for _, c := range []struct {
		candidates []string
		name, want string
	}{
		{[]string{"second", "first"}, "secnd", "Did you mean second?"},
		{[]string{"ab", "ac", "xyz"}, "a", "Did you mean one of ab or ac?"},
		{[]string{"a1", "a2", "a3", "a4", "a5", "a6"}, "a", "Did you mean one of a1, a2, a3, a4 or a5?"},
		{[]string{"b2x", "b2"}, "b", "Did you mean one of b2 or b2x?"},
		{[]string{"entirely"}, "different", ""},
		{nil, "x", ""},
	} {
		if got := Suggest(c.candidates, c.name); got != c.want {
			t.Errorf("Suggest(%v, %s) = %q, want %q", c.candidates, c.name, got, c.want)
		}
	}
}

func TestThunkStates(t *testing.T) {
	th := newThread()
	calls := 0
	ok := th.Lazy(0, func(*Thread) (Value, error) { calls++; return Int(4), nil })
	for range 2 {
		if v, err := th.Force(ok, 0); err != nil || v != Int(4) {
			t.Fatalf("Force = %v, %v", v, err)
		}
	}
	if calls != 1 {
		t.Errorf("evaluated %d times", calls)
	}

	bad := th.Lazy(0, func(th *Thread) (Value, error) { calls++; return nil, th.Errorf(0, Throw, "no") })
	_, first := th.Force(bad, 0)
	WithFrame(first, 0, "on the way")
	_, second := th.Force(bad, 0)
	WithFrame(second, 0, "again")
	_, third := th.Force(bad, 0)
	if calls != 2 {
		t.Errorf("evaluated %d times", calls)
	}
	if n := len(third.(*Error).Frames); n != 1 {
		t.Errorf("the error that is remembered has %d frames, want that of its first way", n)
	}

	var self *Thunk
	self = th.Lazy(0, func(th *Thread) (Value, error) { return th.Force(self, 9) })
	_, err := th.Force(self, 0)
	if e, ok := errors.AsType[*Error](err); !ok || e.Kind != InfiniteRecursion || e.Pos != 9 {
		t.Errorf("self reference: %v", err)
	}

	tries := 0
	retry := th.Lazy(0, func(th *Thread) (Value, error) {
		if tries++; tries == 1 {
			return nil, &Error{Recoverable: true}
		}
		return Int(1), nil
	})
	if _, err := th.Force(retry, 0); err == nil {
		t.Error("no error")
	}
	if v, err := th.Force(retry, 0); err != nil || v != Int(1) {
		t.Errorf("second attempt: %v, %v", v, err)
	}
}

func TestApply(t *testing.T) {
	th := newThread()
	join := &Builtin{Name: "join", Params: []string{"a", "b", "c"}, Fn: func(th *Thread, _ source.Pos, args []Value) (Value, error) {
		return NewList(slices.Clone(args)...), nil
	}}
	one, err := th.Apply(0, join, Int(1))
	if err != nil {
		t.Fatal(err)
	}
	for _, last := range []Int{3, 4} { // a partial application can be used twice
		v, err := th.Apply(0, one, Int(2), last)
		if err != nil || th.Show(v) != th.Show(NewList(Int(1), Int(2), last)) {
			t.Errorf("got %s, %v", th.Show(v), err)
		}
	}
	two, err := th.Apply(0, one, Int(2))
	if err != nil {
		t.Fatal(err)
	}
	if TypeName(two) != "the partially applied built-in function 'join'" {
		t.Error(TypeName(two))
	}
	if _, err := th.Apply(0, Int(1), Int(2)); err == nil || err.Error() != "attempt to call something which is not a function but an integer: 1" {
		t.Error(err)
	}
}

func TestShow(t *testing.T) {
	th := newThread()
	many := NewList()
	for i := range 12 {
		many.Elems = append(many.Elems, Int(i))
	}
	b := NewBuilder(3)
	b.Add(th.Symbols.Intern("zz"), 0, NewString("q\"$"))
	b.Add(th.Symbols.Intern("a b"), 0, th.Lazy(0, nil))
	b.Add(symbol.Type, 0, Null{})
	deep := Value(Int(1))
	for range 20 {
		deep = NewList(deep)
	}
	shared := NewList(Int(1))
	for _, c := range []struct {
		v    Value
		want string
	}{
		{many, "[ 0 1 2 3 4 5 6 7 8 9 «2 items elided» ]"},
		{b.Finish(), `{ type = null; "a b" = «thunk»; zz = "q\"$"; }`},
		{deep, "[ [ [ [ [ [ [ [ [ [ [ ... ] ] ] ] ] ] ] ] ] ] ]"},
		{NewList(shared, shared), "[ [ 1 ] «repeated» ]"},
		{NewString(strings.Repeat("x", 1030)), `"` + strings.Repeat("x", 1024) + `" «6 bytes elided»`},
		{Float(1.5), "1.5"},
		{Path("/a"), "/a"},
		{&Builtin{Name: "map"}, "«primop map»"},
	} {
		if got := th.Show(c.v); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
}

func TestCoerceList(t *testing.T) {
	th := newThread()
	l := NewList(Int(1), NewList(), NewList(NewString("a"), Bool(true)), Null{}, NewList())
	s, err := th.Coerce(l, 0, CoerceOptions{More: true}, "")
	if want := "1 a 1  "; err != nil || s.S != want {
		t.Errorf("got %q, %v, want %q", s.S, err, want)
	}
	if _, err := th.Coerce(l, 0, CoerceOptions{}, ""); err == nil || !strings.HasPrefix(err.Error(), "cannot coerce a list to a string: [ 1 [ ]") {
		t.Error(err)
	}
	if _, err := th.Coerce(Path("/a/b.drv"), 0, CoerceOptions{CopyToStore: true}, ""); err == nil || err.Error() != "file names are not allowed to end in '.drv'" {
		t.Error(err)
	}
}

// TestDepth makes sure that operations on values end in an error where the
// values nest without end.
func TestDepth(t *testing.T) {
	th := newThread()
	endless := func() Value {
		var f func() Value
		f = func() Value { return th.Lazy(0, func(*Thread) (Value, error) { return NewList(f()), nil }) }
		return f()
	}
	for name, err := range map[string]error{
		"Equal":     second(th.Equal(endless(), endless(), 0)),
		"Less":      second(th.Less(endless(), endless(), 0)),
		"DeepForce": th.DeepForce(endless(), 0),
		"Coerce":    second(th.Coerce(endless(), 0, CoerceOptions{More: true}, "")),
	} {
		if e, ok := errors.AsType[*Error](err); !ok || e.Kind != DepthExceeded {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

// TestShowDeep writes a message about a value where no more calls are possible.
func TestShowDeep(t *testing.T) {
	th := &Thread{Symbols: symbol.NewTable(), Sources: source.NewSet(), MaxDepth: 1}
	v := Value(Int(1))
	for range 20 {
		v = NewList(v)
	}
	if got, want := th.Show(v), "[ [ [ [ [ [ [ [ [ [ [ ... ] ] ] ] ] ] ] ] ] ] ]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if _, err := th.ShowAs(v, ShowOptions{}); err == nil {
		t.Error("more than the limits of messages was written without counting")
	}
}
