package symbol

// Names that the evaluator itself asks for; they have the same symbol in every
// [Table].
const (
	Empty Symbol = iota
	OutPath
	DrvPath
	Type
	Name
	ToString  // __toString
	Functor   // __functor
	Overrides // __overrides
	Recurse   // recurseForDerivations
	OutputName
	OutputSpecified
	Meta
	Value
	Right
	Wrong
	Success
	File
	Line
	Column
	Path
	Prefix
	Or // a keyword at times
)

// wellKnown spells the constants in their order.
var wellKnown = [...]string{
	Empty:           "",
	OutPath:         "outPath",
	DrvPath:         "drvPath",
	Type:            "type",
	Name:            "name",
	ToString:        "__toString",
	Functor:         "__functor",
	Overrides:       "__overrides",
	Recurse:         "recurseForDerivations",
	OutputName:      "outputName",
	OutputSpecified: "outputSpecified",
	Meta:            "meta",
	Value:           "value",
	Right:           "right",
	Wrong:           "wrong",
	Success:         "success",
	File:            "file",
	Line:            "line",
	Column:          "column",
	Path:            "path",
	Prefix:          "prefix",
	Or:              "or",
}
