package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/pflag"
)

// commandLine is the flags of a command: commonFlags, or what has them within.
type commandLine interface {
	common() *commonFlags
	parse(fs *pflag.FlagSet, args []string) error
	apply(s *settings, warn func(string)) error
}

// usage is what --help shows around the table of flags.
type usage struct {
	forms []string // what follows the name of the command
	about string
	end   string // behind the flags
}

func (u usage) text(fs *pflag.FlagSet) string {
	var b strings.Builder
	for i, form := range u.forms {
		lead := "Usage:"
		if i > 0 {
			lead = "  or: "
		}
		fmt.Fprintf(&b, "%s %s %s\n", lead, fs.Name(), form)
	}
	if u.about != "" {
		b.WriteString("\n" + u.about + "\n")
	}
	b.WriteString("\n" + fs.FlagUsages())
	if u.end != "" {
		b.WriteString("\n" + u.end + "\n")
	}
	return b.String()
}

// newFlagSet returns an empty table of flags, shown in the order of declaration.
func newFlagSet(name string) *pflag.FlagSet {
	fs := pflag.NewFlagSet(name, pflag.ContinueOnError)
	fs.SortFlags = false
	return fs
}

// seeHelp is err with a hint to --help.
func seeHelp(err error, name string) error {
	return fmt.Errorf("%w\nTry '%s --help' for more information.", err, name)
}

// begin is how a command begins: it reads the command line, loads the settings,
// lays the flags over them, and starts the profile that --cpuprofile asks for; stop
// ends it. Where usage or version were to be shown that was all, and set is nil.
func begin(w *world, f commandLine, fs *pflag.FlagSet, args []string, u usage) (set *settings, stop func(), err error) {
	if err := f.parse(fs, args); err != nil {
		return nil, nil, seeHelp(err, fs.Name())
	}
	switch c := f.common(); {
	case c.help:
		fmt.Fprint(w.stdout, u.text(fs))
		return nil, nil, nil
	case c.version:
		fmt.Fprintf(w.stdout, "%s (gonix) %s\n", fs.Name(), version)
		return nil, nil, nil
	}
	loaded, err := w.loadSettings(w.called)
	if err != nil {
		return nil, nil, err
	}
	if err := f.apply(&loaded, w.warn); err != nil {
		return nil, nil, err
	}
	if stop, err = f.common().profile(); err != nil {
		return nil, nil, err
	}
	return &loaded, stop, nil
}
