package value

import (
	"fmt"
	"unsafe"
)

// What a thunk holds that is not done: a pointer to code and one to a frame. Of
// which type the code is stands in the lowest bits of both, which are free because
// what they point at is aligned to words. The first has never 0 there, which is how
// a thunk that is done begins: with the methods of a type. A pointer into the middle
// of an object keeps the object, so the collector is none the wiser.
const (
	tagBits  = 3
	tagMask  = 1<<tagBits - 1
	maxKinds = tagMask << tagBits
)

// kind numbers a type of code.
type kind uintptr

// The kinds that Register gives first.
const (
	kindRunning kind = iota
	kindFailed
	kindOne
	kindAll
	kindMapped
)

func (k kind) tags() (a, b uintptr) { return uintptr(k)>>tagBits + 1, uintptr(k) & tagMask }

func kindOf(a, b word) kind {
	return kind((uintptr(a)&tagMask-1)<<tagBits | uintptr(b)&tagMask)
}

// kinds has what an interface of each kind begins with. kindTable finds the tags by
// that: each has a place of its own there, which factor was chosen for.
var (
	kinds     [maxKinds]word
	kindCount kind
	kindTable [1 << tableBits]struct {
		methods word
		a, b    uintptr
	}
	factor uint64 = 0x9e3779b97f4a7c15
)

const tableBits = 10

func place(methods word) uint64 { return uint64(uintptr(methods)) * factor >> (64 - tableBits) }

// Register makes the types of codes, which are pointers, known. It is to be called
// while the program starts. Thunks of other types work, but are larger.
func Register(codes ...Code) {
	for _, c := range codes {
		if kindCount == maxKinds {
			panic(fmt.Sprintf("value: more than %d types of code", maxKinds))
		}
		kinds[kindCount] = (*[2]word)(unsafe.Pointer(&c))[0]
		kindCount++
	}
	for range 100 {
		if fillTable() {
			return
		}
		factor *= 0x5851f42d4c957f2d
	}
	panic("value: no factor gives each type of code a place of its own") // 1 of 10 would do
}

// fillTable fills kindTable anew, unless two kinds would have the same place.
func fillTable() bool {
	clear(kindTable[:])
	for k, methods := range kinds[:kindCount] {
		at := &kindTable[place(methods)]
		if at.methods != nil {
			return false
		}
		at.methods = methods
		at.a, at.b = kind(k).tags()
	}
	return true
}

func init() {
	Register((*running)(nil), (*failed)(nil), (*applyOne)(nil), (*applyAll)(nil), (*mapped)(nil), (*goCode)(nil), (*boxed)(nil))
	beingForced.suspend(new(running), nil)
}

// boxed is code of a type that was not registered, or is not aligned to words as
// what is small and has no pointer may be.
type boxed struct{ Code }

// noFrame stands for no frame, beingForced for a thunk that is being forced.
var (
	noFrame     = new(Frame)
	beingForced Thunk
)

// suspend makes t wait for code in f.
func (t *Thunk) suspend(code Code, f *Frame) {
	words := (*[2]word)(unsafe.Pointer(&code))
	at := &kindTable[place(words[0])]
	if at.methods != words[0] || uintptr(words[1])&tagMask != 0 {
		t.suspend(&boxed{code}, f)
		return
	}
	if f == nil {
		f = noFrame
	}
	t.a, t.b = unsafe.Add(words[1], at.a), unsafe.Add(unsafe.Pointer(f), at.b)
}

// suspended returns the code, of kind k, and the frame of a thunk with these words.
func suspended(a, b word, k kind) (Code, *Frame) {
	var code Code
	*(*[2]word)(unsafe.Pointer(&code)) = [2]word{kinds[k], unsafe.Add(a, -int(uintptr(a)&tagMask))}
	return code, (*Frame)(unsafe.Add(b, -int(uintptr(b)&tagMask)))
}

// code returns the code of a thunk that is not done.
func (t *Thunk) code() Code {
	code, _ := suspended(t.a, t.b, kindOf(t.a, t.b))
	if b, ok := code.(*boxed); ok {
		return b.Code
	}
	return code
}
