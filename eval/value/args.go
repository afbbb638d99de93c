package value

// argStack is where the arguments of builtins lie while they run. Its blocks stay
// where they are, so that a slice of one is good for as long as the call takes.
type argStack struct {
	blocks [][]Value
	block  int // the one in use
	used   int // of that
}

const argBlock = 512

// Args returns room for n arguments of a builtin, which has to be given back
// after the call, the last one first. The builtin must not keep the slice.
func (th *Thread) Args(n int) (args []Value, mark ArgMark) {
	s := &th.args
	mark = ArgMark{s.block, s.used}
	if s.block >= len(s.blocks) || s.used+n > len(s.blocks[s.block]) {
		if s.block < len(s.blocks) {
			s.block++
		}
		s.used = 0
		if s.block == len(s.blocks) || n > len(s.blocks[s.block]) {
			s.blocks = append(s.blocks[:s.block], make([]Value, max(n, argBlock)))
		}
	}
	args = s.blocks[s.block][s.used : s.used+n : s.used+n]
	s.used += n
	return args, mark
}

// ArgMark says how far the arguments reached before a call of Args.
type ArgMark struct{ block, used int }

// Return gives back what Args returned.
func (th *Thread) Return(args []Value, mark ArgMark) {
	clear(args)
	th.args.block, th.args.used = mark.block, mark.used
}
