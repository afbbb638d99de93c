package value

import (
	"fmt"
	"reflect"
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

// The kinds of this package.
const (
	kindRunning kind = iota
	kindFailed
	kindOne
	kindAll
	kindMapped
	kindGo
	kindBoxed
	ownKinds
)

func kindOf(a, b word) kind {
	return kind((uintptr(a)&tagMask-1)<<tagBits | uintptr(b)&tagMask)
}

func (k kind) tags() CodeType { return CodeType{uintptr(k)>>tagBits + 1, uintptr(k) & tagMask} }

// methods has what an interface that holds code of each kind begins with.
var methods = [maxKinds]word{
	kindRunning: methodsOf((*running)(nil)),
	kindFailed:  methodsOf((*failed)(nil)),
	kindOne:     methodsOf((*applyOne)(nil)),
	kindAll:     methodsOf((*applyAll)(nil)),
	kindMapped:  methodsOf((*mapped)(nil)),
	kindGo:      methodsOf((*goCode)(nil)),
	kindBoxed:   methodsOf((*boxed)(nil)),
}

func methodsOf(c Code) word { return (*[2]word)(unsafe.Pointer(&c))[0] }

// CodeType says of which type code is.
type CodeType struct{ a, b uintptr }

var nextKind = ownKinds

// NewCodeType returns the type of sample, a pointer to what is two words large at
// least: the allocator packs what is smaller and has no pointer without regard to
// words. It is to be called while the program starts, once for a type.
func NewCodeType(sample Code) CodeType {
	if t := reflect.TypeOf(sample).Elem(); t.Size() < 2*wordSize {
		panic(fmt.Sprintf("value: code of type %s is smaller than two words", t))
	}
	if nextKind == maxKinds {
		panic(fmt.Sprintf("value: more than %d types of code", maxKinds))
	}
	k := nextKind
	methods[k] = methodsOf(sample)
	nextKind++
	return k.tags()
}

// Suspend is [Thread.NewThunk] for code whose type is known.
func (th *Thread) Suspend(k CodeType, code Code, f *Frame) *Thunk {
	t := th.thunks.next()
	t.suspend(k, (*[2]word)(unsafe.Pointer(&code))[1], f)
	th.Stats.Thunks++
	return t
}

// boxed is code of a type without a kind.
type boxed struct{ Code }

// noFrame stands for no frame, beingForced for a thunk that is being forced.
var (
	noFrame     = new(Frame)
	beingForced = func() (t Thunk) {
		t.suspend(kindRunning.tags(), unsafe.Pointer(new(running)), nil)
		return
	}()
)

// suspend makes t wait for code of type k in f.
func (t *Thunk) suspend(k CodeType, code word, f *Frame) {
	if f == nil {
		f = noFrame
	}
	t.a, t.b = unsafe.Add(code, k.a), unsafe.Add(unsafe.Pointer(f), k.b)
}

// suspended returns the code, of kind k, and the frame of a thunk with these words.
func suspended(a, b word, k kind) (Code, *Frame) {
	var code Code
	*(*[2]word)(unsafe.Pointer(&code)) = [2]word{methods[k], unsafe.Add(a, -int(uintptr(a)&tagMask))}
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
