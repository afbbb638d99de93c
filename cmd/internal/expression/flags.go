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
	arg := func(isExpr bool) func(n, v string) {
		return func(n, v string) { f.autoArgs = append(f.autoArgs, autoArg{n, v, isExpr}) }
	}
	config.PairVar(fs, arg(true), "arg", "pass the value of an expression as the argument of this name to the function in the file")
	config.PairVar(fs, arg(false), "argstr", "the same for a string")
	fs.StringArrayVarP(&f.Include, "include", "I", nil, "add `name=path` or a folder to the search path (repeatable)")
}

// autoArg is --arg NAME EXPR or --argstr NAME TEXT.
type autoArg struct {
	name, text string
	isExpr     bool
}
