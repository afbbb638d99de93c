package expression

import (
	"github.com/spf13/pflag"

	"gonix/cmd/internal/config"
)

// Flags is the part of the command line that all commands have in common
// which evaluate.
type Flags struct {
	config.Flags // the arguments are files, or with -E expressions
	Exprs        bool
	Attrs        []string
	Include      []string
	autoArgs     []autoArg
}

// Declare declares what is evaluated and with what; usageAttr says what
// becomes of the attributes.
func (f *Flags) Declare(fs *pflag.FlagSet, usageAttr string) {
	fs.StringArrayVarP(&f.Attrs, "attr", "A", nil, usageAttr)
	fs.BoolVarP(&f.Exprs, "expr", "E", false, "the arguments are expressions, not files")
	f.DeclareArguments(fs)
}

// DeclareArguments declares what functions in files are called with and where
// expressions find files.
func (f *Flags) DeclareArguments(fs *pflag.FlagSet) {
	arg := func(kind argKind) func(n, v string) {
		return func(n, v string) { f.autoArgs = append(f.autoArgs, autoArg{n, v, kind}) }
	}
	config.PairVar(fs, arg(argExpr), "arg", "pass the value of an expression as the argument of this name to the function in the file")
	config.PairVar(fs, arg(argText), "argstr", "the same for a string")
	config.PairVar(fs, arg(argFile), "arg-from-file", "the same for the text of a file")
	fs.Func("arg-from-stdin", "the same for the text of standard input (a `name`)", func(name string) error {
		f.autoArgs = append(f.autoArgs, autoArg{name: name, kind: argStdin})
		return nil
	})
	fs.StringArrayVarP(&f.Include, "include", "I", nil, "add `name=path` or a folder to the search path (repeatable)")
}

// autoArg is --arg NAME EXPR, --argstr NAME TEXT or one of their like.
type autoArg struct {
	name, text string
	kind       argKind
}

// argKind is where the value of an argument comes from.
type argKind uint8

const (
	argExpr argKind = iota
	argText
	argFile
	argStdin
)
