package code

import "gonix/eval/value"

// The types of nodes that may be suspended, except [Here], which is too small; see
// [value.NewCodeType].
var (
	typeAdd          = value.NewCodeType((*Add)(nil))
	typeArith        = value.NewCodeType((*Arith)(nil))
	typeAssert       = value.NewCodeType((*Assert)(nil))
	typeAttrs        = value.NewCodeType((*Attrs)(nil))
	typeCall         = value.NewCodeType((*Call)(nil))
	typeCallBuiltin  = value.NewCodeType((*CallBuiltin)(nil))
	typeCallOne      = value.NewCodeType((*CallOne)(nil))
	typeConcat       = value.NewCodeType((*Concat)(nil))
	typeDeep         = value.NewCodeType((*Deep)(nil))
	typeDynamic      = value.NewCodeType((*Dynamic)(nil))
	typeEqual        = value.NewCodeType((*Equal)(nil))
	typeFar          = value.NewCodeType((*Far)(nil))
	typeFromWith     = value.NewCodeType((*FromWith)(nil))
	typeHas          = value.NewCodeType((*Has)(nil))
	typeIf           = value.NewCodeType((*If)(nil))
	typeInterp       = value.NewCodeType((*Interp)(nil))
	typeLet          = value.NewCodeType((*Let)(nil))
	typeList         = value.NewCodeType((*List)(nil))
	typeLiteralAttrs = value.NewCodeType((*LiteralAttrs)(nil))
	typeLiteralList  = value.NewCodeType((*LiteralList)(nil))
	typeLocal        = value.NewCodeType((*Local)(nil))
	typeLogic        = value.NewCodeType((*Logic)(nil))
	typeNot          = value.NewCodeType((*Not)(nil))
	typePath         = value.NewCodeType((*Path)(nil))
	typeRec          = value.NewCodeType((*Rec)(nil))
	typeSelect       = value.NewCodeType((*Select)(nil))
	typeSelectOne    = value.NewCodeType((*SelectOne)(nil))
	typeSources      = value.NewCodeType((*Sources)(nil))
	typeUp           = value.NewCodeType((*Up)(nil))
	typeUpdate       = value.NewCodeType((*Update)(nil))
	typeWith         = value.NewCodeType((*With)(nil))
)
