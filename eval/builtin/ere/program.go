package ere

type op uint8

const (
	opMatch  op = iota // the end
	opSet              // one byte of a set
	opBegin            // ^
	opEnd              // $
	opSave             // remember the place in slot arg
	opEither           // alt and next, whichever is longer
	opRepeat           // alt if that leads to a match, else next; arg is its counter or -1
)

// node is one state. alt and next are indices into the program.
type node struct {
	op        op
	alt, next int32
	arg       int32
	set       *set
}

type compiler struct {
	re       *Regexp
	extra    int // states that the C++ library would have and this program has not
	tooLarge bool
}

func (c *compiler) add(n node) int32 {
	if len(c.re.prog)+c.extra >= MaxStates {
		c.tooLarge = true
		return 0
	}
	c.re.prog = append(c.re.prog, n)
	return int32(len(c.re.prog) - 1)
}

// compile adds the states of t, after which comes next, and returns the first.
// inLoop tells that t may be passed more than once at the same place of the
// text; its repetitions must then count their empty rounds.
func (c *compiler) compile(t tree, next int32, inLoop bool) int32 {
	if c.tooLarge {
		return 0
	}
	switch t := t.(type) {
	case empty:
		c.extra++
		return next
	case *set:
		return c.add(node{op: opSet, set: t, next: next})
	case begin:
		return c.add(node{op: opBegin, next: next})
	case end:
		return c.add(node{op: opEnd, next: next})
	case concat:
		for i := len(t) - 1; i >= 0; i-- {
			next = c.compile(t[i], next, inLoop)
		}
		return next
	case group:
		last := c.add(node{op: opSave, arg: int32(2*t.index + 1), next: next})
		body := c.compile(t.body, last, inLoop)
		return c.add(node{op: opSave, arg: int32(2 * t.index), next: body})
	case alternatives:
		c.extra++
		first := c.compile(t.first, next, inLoop)
		second := c.compile(t.second, next, inLoop)
		return c.add(node{op: opEither, alt: first, next: second})
	case repeat:
		return c.repeat(t, next, inLoop)
	}
	panic("ere: unknown tree")
}

func (c *compiler) repeat(t repeat, next int32, inLoop bool) int32 {
	c.extra++
	if t.high < 0 {
		counted := inLoop || t.body.nullable()
		loop := c.split(counted)
		body := c.compile(t.body, loop, counted)
		if c.tooLarge {
			return 0
		}
		c.re.prog[loop].alt, c.re.prog[loop].next = body, next
		if t.plus {
			return body
		}
		next = loop
	}
	for exit := next; t.high > t.low; t.high-- {
		option := c.split(inLoop)
		body := c.compile(t.body, next, inLoop)
		if c.tooLarge {
			return 0
		}
		c.re.prog[option].alt, c.re.prog[option].next = body, exit
		next = option
	}
	for range t.low {
		if next = c.compile(t.body, next, inLoop); c.tooLarge {
			return 0
		}
	}
	return next
}

// split adds a repetition without branches.
func (c *compiler) split(counted bool) int32 {
	counter := int32(-1)
	if counted {
		counter = int32(c.re.reps)
		c.re.reps++
	}
	return c.add(node{op: opRepeat, arg: counter})
}

// firstBytes is the set of bytes with which a match can begin, or nil if it
// can be empty.
func (re *Regexp) firstBytes() *set {
	first := &set{}
	seen := make([]bool, len(re.prog))
	work := []int32{re.start}
	for len(work) > 0 {
		i := work[len(work)-1]
		work = work[:len(work)-1]
		if seen[i] {
			continue
		}
		seen[i] = true
		switch n := re.prog[i]; n.op {
		case opMatch:
			return nil
		case opSet:
			first.union(n.set)
		case opEither, opRepeat:
			work = append(work, n.alt, n.next)
		default:
			work = append(work, n.next)
		}
	}
	return first
}
