package value

// ThunkState says how far the evaluation of a thunk has come.
type ThunkState uint8

// The states of a thunk.
const (
	Evaluated ThunkState = iota // there is a value
	Suspended                   // not asked for yet, or ended with an error
	Running                     // being evaluated now: forcing it would be infinite recursion
)

// Peek looks at v without evaluating anything. The value is meaningful if the
// state is Evaluated, and is then not a thunk.
func Peek(v Value) (Value, ThunkState) {
	t, ok := v.(*Thunk)
	if !ok {
		return v, Evaluated
	}
	if t.done() {
		return t.value(), Evaluated
	}
	if _, running := t.code().(*running); running {
		return nil, Running
	}
	return nil, Suspended
}

// Pending says what a value that is not evaluated is, as messages call it: what
// builtins are to apply is known to be a call.
func Pending(v Value) string {
	if t, ok := v.(*Thunk); ok {
		switch Waiting(t).(type) {
		case *applyOne, *applyAll, *mapped:
			return "a function application"
		}
	}
	return "a thunk"
}

// Waiting returns the code of a thunk that was not asked for yet, and nil for
// everything else.
func Waiting(v Value) Code {
	t, ok := v.(*Thunk)
	if !ok || t.done() {
		return nil
	}
	switch c := t.code().(type) {
	case *running, *failed:
		return nil
	default:
		return c
	}
}
