package cli

import "github.com/spf13/pflag"

// evalFlags is the part of the command line that all commands have in common
// which evaluate.
type evalFlags struct {
	commonFlags // the arguments are files, or with -E expressions
	exprs       bool
	attrs       []string
	include     []string
	autoArgs    []autoArg
}

// declare declares what is evaluated and with what; usageAttr says what
// becomes of the attributes.
func (f *evalFlags) declare(fs *pflag.FlagSet, usageAttr string) {
	fs.StringArrayVarP(&f.attrs, "attr", "A", nil, usageAttr)
	fs.BoolVarP(&f.exprs, "expr", "E", false, "the arguments are expressions, not files")
	f.declareArguments(fs)
}

// declareArguments declares what functions in files are called with and where
// expressions find files.
func (f *evalFlags) declareArguments(fs *pflag.FlagSet) {
	fs.Var(pairValue{func(n, v string) error {
		f.autoArgs = append(f.autoArgs, autoArg{n, v, true})
		return nil
	}}, "arg", "pass the value of an expression as the argument of this name to the function in the file")
	fs.Var(pairValue{func(n, v string) error {
		f.autoArgs = append(f.autoArgs, autoArg{n, v, false})
		return nil
	}}, "argstr", "the same for a string")
	fs.StringArrayVarP(&f.include, "include", "I", nil, "add `name=path` or a folder to the search path (repeatable)")
}

// autoArg is --arg NAME EXPR or --argstr NAME TEXT.
type autoArg struct {
	name, text string
	isExpr     bool
}
