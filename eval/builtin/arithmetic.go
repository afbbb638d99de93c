package builtin

import (
	"math"
	"math/bits"

	"gonix/eval/value"
	"gonix/parser/source"
)

func arithmeticTable() []*value.Builtin {
	return []*value.Builtin{
		{Name: "add", Params: []string{"e1", "e2"}, Fn: add,
			Doc: "Return the sum of two numbers; an integer if both are, else a float."},
		{Name: "sub", Params: []string{"e1", "e2"}, Fn: sub,
			Doc: "Return the difference of two numbers."},
		{Name: "mul", Params: []string{"e1", "e2"}, Fn: mul,
			Doc: "Return the product of two numbers."},
		{Name: "div", Params: []string{"e1", "e2"}, Fn: div,
			Doc: "Return the quotient of two numbers; of integers it is rounded towards zero."},
		{Name: "bitAnd", Params: []string{"e1", "e2"}, Fn: bitwise("bitAnd", func(a, b int64) int64 { return a & b }),
			Doc: "Return the bitwise AND of two integers."},
		{Name: "bitOr", Params: []string{"e1", "e2"}, Fn: bitwise("bitOr", func(a, b int64) int64 { return a | b }),
			Doc: "Return the bitwise OR of two integers."},
		{Name: "bitXor", Params: []string{"e1", "e2"}, Fn: bitwise("bitXor", func(a, b int64) int64 { return a ^ b }),
			Doc: "Return the bitwise XOR of two integers."},
		{Name: lessThanName, Params: []string{"e1", "e2"}, Fn: lessThan,
			Doc: "Return whether e1 is less than e2; the operator < is this function."},
		{Name: "ceil", Params: []string{"number"}, Fn: round("ceil", math.Ceil),
			Doc: "Return the smallest integer that is not less than number."},
		{Name: "floor", Params: []string{"number"}, Fn: round("floor", math.Floor),
			Doc: "Return the largest integer that is not greater than number."},
	}
}

// lessThanName is the builtin for which sort compares without calling it.
const lessThanName = "lessThan"

// operation is a binary operator over two integers or, if either is a float,
// two floats.
type operation struct {
	first, second string // what traces call the operands
	ints          func(th *value.Thread, pos source.Pos, a, b int64) (value.Value, error)
	floats        func(a, b float64) float64
}

func (o *operation) apply(th *value.Thread, pos source.Pos, args []value.Value) (value.Value, error) {
	a, err := th.Force(args[0], pos)
	if err != nil {
		return nil, err
	}
	b, err := th.Force(args[1], pos)
	if err != nil {
		return nil, err
	}
	_, fa := a.(value.Float)
	_, fb := b.(value.Float)
	if fa || fb {
		x, err := float(th, a, pos, o.first)
		if err != nil {
			return nil, err
		}
		y, err := float(th, b, pos, o.second)
		if err != nil {
			return nil, err
		}
		return value.Float(o.floats(x, y)), nil
	}
	x, err := th.Int(a, pos, o.first)
	if err != nil {
		return nil, err
	}
	y, err := th.Int(b, pos, o.second)
	if err != nil {
		return nil, err
	}
	return o.ints(th, pos, x, y)
}

func add(th *value.Thread, pos source.Pos, args []value.Value) (value.Value, error) {
	o := operation{
		first:  "while evaluating the first argument of the addition",
		second: "while evaluating the second argument of the addition",
		floats: func(a, b float64) float64 { return a + b },
		ints: func(th *value.Thread, pos source.Pos, a, b int64) (value.Value, error) {
			c := a + b
			if (c > a) != (b > 0) && b != 0 {
				return nil, th.Errorf(pos, value.EvalError, "integer overflow in adding %d + %d", a, b)
			}
			return value.Int(c), nil
		},
	}
	return o.apply(th, pos, args)
}

func sub(th *value.Thread, pos source.Pos, args []value.Value) (value.Value, error) {
	o := operation{
		first:  "while evaluating the first argument of the subtraction",
		second: "while evaluating the second argument of the subtraction",
		floats: func(a, b float64) float64 { return a - b },
		ints: func(th *value.Thread, pos source.Pos, a, b int64) (value.Value, error) {
			c := a - b
			if (c < a) != (b > 0) && b != 0 {
				return nil, th.Errorf(pos, value.EvalError, "integer overflow in subtracting %d - %d", a, b)
			}
			return value.Int(c), nil
		},
	}
	return o.apply(th, pos, args)
}

func mul(th *value.Thread, pos source.Pos, args []value.Value) (value.Value, error) {
	o := operation{
		first:  "while evaluating the first argument of the multiplication",
		second: "while evaluating the second argument of the multiplication",
		floats: func(a, b float64) float64 { return a * b },
		ints: func(th *value.Thread, pos source.Pos, a, b int64) (value.Value, error) {
			c, ok := product(a, b)
			if !ok {
				return nil, th.Errorf(pos, value.EvalError, "integer overflow in multiplying %d * %d", a, b)
			}
			return value.Int(c), nil
		},
	}
	return o.apply(th, pos, args)
}

// product multiplies; ok is false if the result has no 64-bit form.
func product(a, b int64) (c int64, ok bool) {
	hi, lo := bits.Mul64(magnitude(a), magnitude(b))
	negative := (a < 0) != (b < 0)
	if hi != 0 || lo > 1<<63 || lo == 1<<63 && !negative {
		return 0, false
	}
	return a * b, true
}

func magnitude(a int64) uint64 {
	if a < 0 {
		return -uint64(a)
	}
	return uint64(a)
}

func div(th *value.Thread, pos source.Pos, args []value.Value) (value.Value, error) {
	const first = "while evaluating the first operand of the division"
	const second = "while evaluating the second operand of the division"
	a, err := th.Force(args[0], pos)
	if err != nil {
		return nil, err
	}
	b, err := th.Force(args[1], pos)
	if err != nil {
		return nil, err
	}
	y, err := float(th, b, pos, second)
	if err != nil {
		return nil, err
	}
	if y == 0 {
		return nil, th.Errorf(pos, value.EvalError, "division by zero")
	}
	o := operation{
		first:  first,
		second: second,
		floats: func(a, b float64) float64 { return a / b },
		ints: func(th *value.Thread, pos source.Pos, a, b int64) (value.Value, error) {
			if a == math.MinInt64 && b == -1 {
				return nil, th.Errorf(pos, value.EvalError, "integer overflow in dividing %d / %d", a, b)
			}
			return value.Int(a / b), nil
		},
	}
	return o.apply(th, pos, []value.Value{a, b})
}

func bitwise(name string, op func(a, b int64) int64) builtinFunc {
	first := "while evaluating the first argument passed to builtins." + name
	second := "while evaluating the second argument passed to builtins." + name
	return func(th *value.Thread, pos source.Pos, args []value.Value) (value.Value, error) {
		a, err := th.Int(args[0], pos, first)
		if err != nil {
			return nil, err
		}
		b, err := th.Int(args[1], pos, second)
		if err != nil {
			return nil, err
		}
		return value.Int(op(a, b)), nil
	}
}

// builtinFunc is the type of value.Builtin's Fn.
type builtinFunc = func(th *value.Thread, pos source.Pos, args []value.Value) (value.Value, error)

func lessThan(th *value.Thread, pos source.Pos, args []value.Value) (value.Value, error) {
	less, err := forcedLess(th, pos, args[0], args[1])
	if err != nil {
		return nil, err
	}
	return value.Bool(less), nil
}

// forcedLess compares two values that may be unevaluated.
func forcedLess(th *value.Thread, pos source.Pos, x, y value.Value) (bool, error) {
	a, err := th.Force(x, pos)
	if err != nil {
		return false, err
	}
	b, err := th.Force(y, pos)
	if err != nil {
		return false, err
	}
	return th.Less(a, b, pos)
}

// round is ceil or floor. An integer is returned as it is, but only if it has
// an exact form as a float: before Nix refused the others, they came out
// changed (NixOS/nix#12899).
func round(name string, to func(float64) float64) builtinFunc {
	why := "while evaluating the first argument passed to builtins." + name
	return func(th *value.Thread, pos source.Pos, args []value.Value) (value.Value, error) {
		v, err := th.Force(args[0], pos)
		if err != nil {
			return nil, value.WithFrame(err, pos, why)
		}
		f, err := float(th, v, pos, why)
		if err != nil {
			return nil, err
		}
		const limit = 1 << 63
		r := to(f)
		fits := -limit <= r && r < limit
		if i, ok := v.(value.Int); ok {
			if !fits {
				return nil, th.Errorf(pos, value.EvalError, "Due to a bug (see https://github.com/NixOS/nix/issues/12899) the NixInt argument %d caused undefined behavior in previous Nix versions.\n\tFuture Nix versions might implement the correct behavior.", int64(i))
			}
			if int64(r) != int64(i) {
				return nil, th.Errorf(pos, value.EvalError, "Due to a bug (see https://github.com/NixOS/nix/issues/12899) a loss of precision occurred in previous Nix versions because the NixInt argument %d was rounded to %d.\n\tFuture Nix versions might implement the correct behavior.", int64(i), int64(r))
			}
			return v, nil
		}
		if !fits {
			return nil, th.Errorf(pos, value.EvalError, "NixFloat argument %s is not in the range of NixInt", value.FormatFloat(f))
		}
		return value.Int(int64(r)), nil
	}
}

// float forces v to a number.
func float(th *value.Thread, v value.Value, pos source.Pos, why string) (float64, error) {
	w, err := th.Force(v, pos)
	if err == nil {
		switch w := w.(type) {
		case value.Int:
			return float64(w), nil
		case value.Float:
			return float64(w), nil
		}
		err = th.Errorf(pos, value.TypeError, "expected a float but found %s: %s", value.TypeName(w), th.Show(w))
	}
	return 0, value.WithFrame(err, pos, why)
}
