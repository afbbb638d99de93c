package value

// argStack is where the arguments of builtins lie while they run. Its blocks stay
// where they are, so that a slice of one is good for as long as the call takes.
type argStack struct {
	blocks [][]Value
	block  int     // the one in use
	used   int     // of that
	now    []Value // that one itself
}

const argBlock = 512

// Args returns room for n arguments of a builtin, which has to be given back
// after the call, the last one first. The builtin must not keep the slice.
func (th *Thread) Args(n int) (args []Value, mark ArgMark) {
	s := &th.args
	mark = ArgMark{s.block, s.used}
	end := s.used + n
	if end > len(s.now) {
		s.more(n)
		end = n
	}
	args = s.now[s.used:end:end]
	s.used = end
	return args, mark
}

// more goes on to the next block, which has room for n.
func (s *argStack) more(n int) {
	if s.block < len(s.blocks) {
		s.block++
	}
	if s.block == len(s.blocks) || n > len(s.blocks[s.block]) {
		s.blocks = append(s.blocks[:s.block], make([]Value, max(n, argBlock)))
	}
	s.now, s.used = s.blocks[s.block], 0
}

// ArgMark says how far the arguments reached before a call of Args.
type ArgMark struct{ block, used int }

// Return gives back what Args returned.
func (th *Thread) Return(args []Value, mark ArgMark) {
	switch len(args) { // to clear a few at once takes longer than to set each
	case 1:
		args[0] = nil
	case 2:
		args[0], args[1] = nil, nil
	case 3:
		args[0], args[1], args[2] = nil, nil, nil
	default:
		clear(args)
	}
	s := &th.args
	if mark.block != s.block {
		s.block, s.now = mark.block, s.blocks[mark.block]
	}
	s.used = mark.used
}
