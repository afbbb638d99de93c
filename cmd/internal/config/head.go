package config

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/pflag"

	"gonix/cmd/internal/process"
)

// CommandLine is the flags of a command: commonFlags, or what has them within.
type CommandLine interface {
	Common() *Flags
	Parse(fs *pflag.FlagSet, args []string) error
	Apply(s *Settings, warn func(string)) error
}

// Usage is what --help shows around the table of flags.
type Usage struct {
	Forms []string // what follows the name of the command
	About string
	End   string // behind the flags
}

func (u Usage) Text(fs *pflag.FlagSet) string {
	var b strings.Builder
	for i, form := range u.Forms {
		lead := "Usage:"
		if i > 0 {
			lead = "  or: "
		}
		fmt.Fprintf(&b, "%s %s %s\n", lead, fs.Name(), form)
	}
	if u.About != "" {
		b.WriteString("\n" + u.About + "\n")
	}
	fs.VisitAll(func(flag *pflag.Flag) {
		if flag.Value.Type() == "bool" {
			flag.Value = bare{flag.Value}
		}
	})
	b.WriteString("\n" + fs.FlagUsages())
	if u.End != "" {
		b.WriteString("\n" + u.End + "\n")
	}
	return b.String()
}

// bare is a flag that is given without a value; pflag's own are shown with one.
type bare struct{ pflag.Value }

func (bare) Type() string { return "boolfunc" }

// NewFlagSet returns an empty table of flags, shown in the order of declaration.
func NewFlagSet(name string) *pflag.FlagSet {
	fs := pflag.NewFlagSet(name, pflag.ContinueOnError)
	fs.SortFlags = false
	return fs
}

// SeeHelp is err with a hint to --help.
func SeeHelp(err error, name string) error {
	return fmt.Errorf("%w\nTry '%s --help' for more information.", err, name)
}

// unknownFlag puts the error of a flag that does not exist in Nix's words.
func unknownFlag(err error, args []string) error {
	e, ok := errors.AsType[*pflag.NotExistError](err)
	if !ok {
		return err
	}
	flag := "--" + e.GetSpecifiedName()
	if e.GetSpecifiedShortnames() != "" {
		flag = "-" + e.GetSpecifiedName()
	}
	for _, a := range args {
		if a == "--" {
			break
		}
		// Only letters are short flags that can stand together.
		if strings.HasPrefix(a, flag+"=") || flag[1] != '-' && !isLetter(flag[1]) && strings.HasPrefix(a, flag) {
			flag = a
		}
	}
	return fmt.Errorf("unrecognised flag '%s'", flag)
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// Begin is how a command begins: it reads the command line, loads the settings,
// lays the flags over them, and starts the profile that --cpuprofile asks for; stop
// ends it. Where usage or version were to be shown that was all, and set is nil.
func Begin(w *process.World, f CommandLine, fs *pflag.FlagSet, args []string, u Usage) (set *Settings, stop func(), err error) {
	if fs.Lookup("log-format") == nil {
		f.Common().declareLogFormat(fs)
		fs.Lookup("log-format").Hidden = true
	}
	err = f.Parse(fs, args)
	if err := f.Common().beginLog(w); err != nil {
		return nil, nil, err
	}
	if err != nil {
		return nil, nil, SeeHelp(unknownFlag(err, args), fs.Name())
	}
	switch c := f.Common(); {
	case c.Help:
		fmt.Fprint(w.Stdout, u.Text(fs))
		return nil, nil, nil
	case c.Version:
		fmt.Fprintf(w.Stdout, "%s (gonix) %s\n", fs.Name(), process.Version)
		return nil, nil, nil
	}
	loaded, err := Load(w, w.Called)
	if err != nil {
		return nil, nil, err
	}
	if err := f.Apply(&loaded, w.Warn); err != nil {
		return nil, nil, err
	}
	loaded.warnFeatures(w.Warn)
	if err := f.Common().openLog(w, &loaded); err != nil {
		return nil, nil, err
	}
	if stop, err = f.Common().profile(); err != nil {
		return nil, nil, err
	}
	return &loaded, stop, nil
}
