package ere

import (
	"slices"
	"sync"
)

// machine is one match in progress: a depth-first search through the program
// whose stack says what to do when a branch has been searched.
type machine struct {
	re       *Regexp
	text     string
	exact    bool // the match must end at the end of the text
	notBegin bool // ^ does not match

	slots []int   // starts and ends of groups on the current path
	reps  []round // of counted repetitions on the current path
	stack []frame

	best    []int // the longest match so far
	bestEnd int

	steps int
	memo  map[memoKey]bool // outcome of states at places; nil while short
}

// round says where a repetition began its last round and how many it began
// there.
type round struct{ at, count int }

type frameKind uint8

const (
	restoreSlot frameKind = iota // slot index was value before
	afterRound                   // a repetition's round was searched; value is the round before
	afterExit                    // what follows a repetition was searched
	afterFirst                   // the first alternative was searched
	afterSecond                  // the second was, too; count is 1 if the first led to a match
)

type frame struct {
	kind         frameKind
	index        int32 // of a node or slot
	at           int
	value, count int
}

// stacks are those of matches that are done.
var stacks = sync.Pool{New: func() any { return new([]frame) }}

func newMachine(re *Regexp, text string) *machine {
	return &machine{
		re:    re,
		text:  text,
		slots: make([]int, 2*re.groups),
		reps:  make([]round, re.reps),
	}
}

// run searches for a match that begins at start and returns its slots.
func (m *machine) run(start int) []int {
	for i := range m.slots {
		m.slots[i] = -1
	}
	m.slots[0] = start
	clear(m.reps)
	m.stack = m.stack[:0]
	if m.best != nil {
		m.forget() // states that led to that match would lead to none now
	}
	m.best, m.bestEnd = nil, -1
	pc, at := m.re.start, start
	for {
		found, done := m.descend(pc, at)
		if done {
			break
		}
		var more bool
		if pc, at, more = m.unwind(found); !more {
			break
		}
	}
	return m.best
}

// descend follows one path to its end. found tells whether it led to a match,
// done that no other can be better.
func (m *machine) descend(pc int32, at int) (found, done bool) {
	for {
		n := &m.re.prog[pc]
		switch n.op {
		case opMatch:
			return m.accept(at)
		case opSet:
			if at == len(m.text) || !n.set.has(m.text[at]) {
				return false, false
			}
			at++
		case opBegin:
			if at != 0 || m.notBegin {
				return false, false
			}
		case opEnd:
			if at != len(m.text) {
				return false, false
			}
		case opSave:
			m.stack = append(m.stack, frame{kind: restoreSlot, index: n.arg, value: m.slots[n.arg]})
			m.slots[n.arg] = at
		case opEither:
			if found, known := m.recall(pc, at); known {
				return found, false
			}
			m.stack = append(m.stack, frame{kind: afterFirst, index: pc, at: at})
			pc = n.alt
			continue
		case opRepeat:
			if found, known := m.recall(pc, at); known {
				return found, false
			}
			if m.begin(n, pc, at) {
				pc = n.alt
				continue
			}
		}
		pc = n.next
	}
}

// begin starts a round of the repetition n unless it began two at this place.
func (m *machine) begin(n *node, pc int32, at int) bool {
	f := frame{kind: afterRound, index: pc, at: at}
	if n.arg >= 0 {
		r := &m.reps[n.arg]
		f.value, f.count = r.at, r.count
		switch {
		case r.count == 0 || r.at != at:
			*r = round{at, 1}
		case r.count < 2:
			r.count++
		default:
			return false
		}
	}
	m.stack = append(m.stack, f)
	return true
}

// accept records a match that ends at the place if it is the longest.
func (m *machine) accept(at int) (found, done bool) {
	if m.exact && at != len(m.text) {
		return false, false
	}
	if at > m.bestEnd {
		m.bestEnd = at
		m.best = slices.Clone(m.slots)
		m.best[1] = at
		for i := 2; i < len(m.best); i += 2 {
			if m.best[i+1] < 0 {
				m.best[i] = -1
			}
		}
	}
	return true, at == len(m.text)
}

// unwind takes frames off the stack until one has another path to follow; more
// is false if none has.
func (m *machine) unwind(found bool) (pc int32, at int, more bool) {
	for len(m.stack) > 0 {
		f := m.stack[len(m.stack)-1]
		m.stack = m.stack[:len(m.stack)-1]
		switch f.kind {
		case restoreSlot:
			m.slots[f.index] = f.value
		case afterRound:
			n := &m.re.prog[f.index]
			if n.arg >= 0 {
				m.reps[n.arg] = round{f.value, f.count}
			}
			if found {
				m.remember(f.index, f.at, true)
				continue
			}
			m.stack = append(m.stack, frame{kind: afterExit, index: f.index, at: f.at})
			return n.next, f.at, true
		case afterExit:
			m.remember(f.index, f.at, found)
		case afterFirst:
			second := frame{kind: afterSecond, index: f.index, at: f.at}
			if found {
				second.count = 1
			}
			m.stack = append(m.stack, second)
			return m.re.prog[f.index].next, f.at, true
		case afterSecond:
			found = found || f.count == 1
			m.remember(f.index, f.at, found)
		}
	}
	return 0, 0, false
}

// memoKey is a state at a place, with the rounds that repetitions began there:
// all on which the outcome depends. (The groups do not count, since a match
// found again is never longer.)
type memoKey struct {
	pc     int32
	at     int
	rounds uint64
}

// Limits of the memory: it starts after some steps per byte of text, and works
// for patterns whose rounds fit into a key.
const (
	memoSteps   = 32
	memoRepeats = 40 // 3^40 < 2^64
)

func (m *machine) key(pc int32, at int) memoKey {
	k := memoKey{pc: pc, at: at}
	for _, r := range m.reps {
		k.rounds *= 3
		if r.at == at {
			k.rounds += uint64(r.count)
		}
	}
	return k
}

// forget empties the memory.
func (m *machine) forget() { m.steps, m.memo = 0, nil }

// recall looks up a state that was searched before.
func (m *machine) recall(pc int32, at int) (found, known bool) {
	if m.memo == nil {
		m.steps++
		if m.steps > memoSteps*(len(m.text)+len(m.re.prog)+64) && len(m.reps) <= memoRepeats {
			m.memo = map[memoKey]bool{}
		}
		return false, false
	}
	found, known = m.memo[m.key(pc, at)]
	return found, known
}

func (m *machine) remember(pc int32, at int, found bool) {
	if m.memo != nil {
		m.memo[m.key(pc, at)] = found
	}
}
