package build

import (
	"fmt"

	"github.com/spf13/pflag"

	"gonix/cmd/internal/config"
	"gonix/cmd/internal/expression"
	"gonix/cmd/internal/image"
)

// flags is the command line of gonix-build, which is nix-build's.
type flags struct {
	expression.Flags
	outLink   string
	noOutLink bool
	jobs      string
	cores     int
	keepGoing bool
	keepFail  bool
	dryRun    bool
	check     bool
	repair    bool
	addRoot   string
	push      string
	documents image.Documents
	showTrace bool
	timeout   int
	maxSilent int
}

// newFlags declares the flags; usage comes from the same table.
func newFlags(name string) (*flags, *pflag.FlagSet) {
	f := &flags{}
	fs := config.NewFlagSet(name)
	f.Declare(fs, "build the attribute at this `path` (repeatable)")
	fs.StringVarP(&f.outLink, "out-link", "o", "result", "`name` of the link to the result")
	fs.BoolVar(&f.noOutLink, "no-out-link", false, "leave no link")
	fs.BoolVar(&f.noOutLink, "no-link", false, "the same")
	fs.StringVarP(&f.jobs, "max-jobs", "j", "", "derivations that are built at a time (a `number` or auto)")
	fs.IntVar(&f.cores, "cores", -1, "`cores` that each of them may use (0: all)")
	fs.BoolVarP(&f.keepGoing, "keep-going", "k", false, "after a failure build what does not depend on it")
	fs.BoolVarP(&f.keepFail, "keep-failed", "K", false, "keep the build directory of a failed build")
	fs.BoolVar(&f.dryRun, "dry-run", false, "say what would be built, build nothing")
	fs.BoolVar(&f.check, "check", false, "build again what is there, and compare")
	fs.BoolVar(&f.repair, "repair", false, "make anew what has changed in the store")
	fs.StringVar(&f.addRoot, "add-root", "", "the same as --out-link")
	fs.Bool("indirect", false, "of no effect, as roots are always indirect")
	fs.Lookup("add-root").Hidden, fs.Lookup("indirect").Hidden = true, true
	fs.StringVar(&f.push, "push", "", "write the image that was built to a registry under this `name`")
	f.documents.DeclareAttach(fs)
	f.DeclareSettings(fs)
	f.DeclareSettingFlags(fs, "experimental-features", "extra-experimental-features")
	fs.BoolVar(&f.showTrace, "show-trace", false, "show where each evaluation that led to an error was needed")
	f.DeclareOutput(fs)
	f.DeclareLogs(fs)
	fs.IntVar(&f.timeout, "timeout", -1, "`seconds` that a build may take")
	fs.IntVar(&f.maxSilent, "max-silent-time", -1, "`seconds` that a build may take without a line of log")
	f.DeclareLast(fs)
	for _, name := range []string{"cores", "timeout", "max-silent-time"} {
		fs.Lookup(name).DefValue = "0" // not to be shown: the settings say
	}
	return f, fs
}

// Parse reads the command line; what contradicts itself is an error.
func (f *flags) Parse(fs *pflag.FlagSet, args []string) error {
	if err := f.Flags.Parse(fs, args); err != nil {
		return err
	}
	if f.Exprs && len(f.Args) == 0 {
		return fmt.Errorf("'--expr' needs an expression")
	}
	if f.addRoot != "" {
		f.outLink = f.addRoot
	}
	if f.outLink == "" && !f.noOutLink {
		return fmt.Errorf("'--out-link' needs a name")
	}
	return nil
}

// Apply lays the flags over the settings.
func (f *flags) Apply(s *config.Settings, warn func(string)) error {
	if err := f.Flags.Apply(s, warn); err != nil {
		return err
	}
	if f.jobs != "" {
		if err := config.JobsSetting(&s.MaxJobs, f.jobs); err != nil {
			return fmt.Errorf("'--max-jobs': %w", err)
		}
	}
	if f.cores >= 0 {
		s.Cores = f.cores
	}
	if f.timeout >= 0 {
		s.Set("timeout", fmt.Sprint(f.timeout))
	}
	if f.maxSilent >= 0 {
		s.Set("max-silent-time", fmt.Sprint(f.maxSilent))
	}
	s.KeepGoing = s.KeepGoing || f.keepGoing
	s.KeepFailed = s.KeepFailed || f.keepFail
	s.ShowTrace = s.ShowTrace || f.showTrace
	return nil
}
