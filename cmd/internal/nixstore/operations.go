// Package nixstore is gonix store, which is nix-store, and what belongs to it:
// collect-garbage and prefetch-url.
package nixstore

import (
	"bufio"
	"context"
	"errors"
	"fmt"

	"github.com/spf13/pflag"

	"gonix/cmd/internal/config"
	"gonix/cmd/internal/expression"
	"gonix/cmd/internal/network"
	"gonix/cmd/internal/process"
	"gonix/cmd/internal/realise"
	"gonix/cmd/internal/stores"
	"gonix/derivation/store"
	"gonix/derivation/storepath"
)

// Flags is the command line of gonix store, which is nix-store's: one
// operation, its own flags, arguments.
type Flags struct {
	expression.Flags
	ops     []bool // by storeOperations
	addRoot string
	Stdin   bool
	silent  bool // print no paths
	noWarn  bool

	DryRun, Check, Repair, ignoreUnknown bool // realise

	// query
	outputs, requisites, references, referrers, referrersClosure bool
	deriver, validDerivers, hash, size, tree, graph, graphml     bool
	resolve, roots                                               bool
	binding                                                      string
	useOutput, includeOutputs, forceRealise, plain               bool

	recursive                        bool // add-fixed, print-fixed-path
	reregister, hashGiven            bool // register-validity
	printInvalid                     bool // check-validity
	printRoots, printLive, printDead bool // gc
	maxFreed                         string
	IgnoreLiveness                   bool // delete
	checkContents                    bool // verify
}

// Run is one run of it, or of another command that works on a store.
type Run struct {
	*realise.Maker
	Context context.Context
	Flags   *Flags
	Out     *bufio.Writer // standard output
	Args    []string

	rootCount int
	warned    bool
}

// operation is one of the things that nix-store does.
type operation struct {
	name, short, usage string
	alias              string
	bare               bool // needs no store
	run                func(*Run) error
}

var operations = []operation{
	{name: "realise", alias: "realize", short: "r", usage: "build, or find valid, what is named, and print output paths", run: (*Run).realise},
	{name: "query", short: "q", usage: "print what is known about paths", run: (*Run).query},
	{name: "add", short: "A", usage: "copy files to the store", run: (*Run).add},
	{name: "add-fixed", usage: "the same for a given hash ALGORITHM, with the paths of fixed outputs", run: (*Run).addFixed},
	{name: "print-fixed-path", usage: "print the path of a fixed output: ALGORITHM HASH NAME", run: (*Run).printFixedPath},
	{name: "delete", usage: "delete paths that nothing needs", run: (*Run).delete},
	{name: "gc", usage: "delete all paths that nothing needs", run: (*Run).gc},
	{name: "verify", usage: "check the database, and that all paths are there", run: (*Run).verify},
	{name: "verify-path", usage: "check the content of paths", run: (*Run).verifyPath},
	{name: "repair-path", usage: "mend paths whose content has changed", run: (*Run).repairPath},
	{name: "optimise", alias: "optimize", usage: "replace equal files by hard links", run: (*Run).Optimise},
	{name: "dump", usage: "write the archive of a path to standard output", bare: true, run: (*Run).Dump},
	{name: "restore", usage: "make what the archive in standard input holds", bare: true, run: (*Run).restore},
	{name: "export", usage: "write paths to standard output, for --import", run: (*Run).export},
	{name: "import", usage: "add what --export wrote, from standard input", run: (*Run).importPaths},
	{name: "dump-db", usage: "print what the database knows", run: (*Run).dumpDB},
	{name: "load-db", usage: "register what --dump-db printed", run: (*Run).loadDB},
	{name: "register-validity", usage: "register paths whose content is there", run: (*Run).registerValidity},
	{name: "check-validity", usage: "fail if a path is not valid", run: (*Run).checkValidity},
	{name: "print-env", usage: "print the environment of a derivation for a shell", run: (*Run).printEnv},
	{name: "read-log", short: "l", usage: "print the build log of paths", run: (*Run).readLog},
	{name: "generate-binary-cache-key", usage: "make a key to sign with: NAME SECRETFILE PUBLICFILE", bare: true, run: (*Run).generateKey},
	{name: "init", usage: "make the store if there is none", run: func(*Run) error { return nil }},
}

func newFlags(name string) (*Flags, *pflag.FlagSet) {
	f := &Flags{ops: make([]bool, len(operations))}
	fs := config.NewFlagSet(name)
	for i, op := range operations {
		fs.BoolVarP(&f.ops[i], op.name, op.short, false, op.usage)
		if op.alias != "" {
			fs.BoolVar(&f.ops[i], op.alias, false, "")
			fs.Lookup(op.alias).Hidden = true
		}
	}
	fs.StringVar(&f.addRoot, "add-root", "", "keep the results by links at this `path`")
	fs.Bool("indirect", false, "of no effect, as roots are always indirect")
	fs.Lookup("indirect").Hidden = true
	fs.BoolVar(&f.noWarn, "no-gc-warning", false, "do not warn about results without roots")
	fs.BoolVar(&f.Stdin, "stdin", false, "read more arguments from standard input")
	fs.BoolVar(&f.silent, "no-output", false, "print no output paths")
	fs.BoolVar(&f.DryRun, "dry-run", false, "realise: say what would be built, build nothing")
	fs.BoolVar(&f.Check, "check", false, "realise: build again what is there, and compare")
	fs.BoolVar(&f.Repair, "repair", false, "realise, verify: make anew what has changed")
	fs.BoolVar(&f.ignoreUnknown, "ignore-unknown", false, "realise: leave out what cannot be made")
	f.declareQuery(fs)
	fs.BoolVar(&f.recursive, "recursive", false, "add-fixed, print-fixed-path: the hash is that of an archive")
	fs.BoolVar(&f.reregister, "reregister", false, "register-validity: valid paths, too")
	fs.BoolVar(&f.hashGiven, "hash-given", false, "register-validity: the input has hashes and sizes")
	fs.BoolVar(&f.printInvalid, "print-invalid", false, "check-validity: print the paths that are not valid")
	fs.BoolVar(&f.printRoots, "print-roots", false, "gc: print the roots")
	fs.BoolVar(&f.printLive, "print-live", false, "gc: print what is needed")
	fs.BoolVar(&f.printDead, "print-dead", false, "gc: print what is not needed")
	fs.StringVar(&f.maxFreed, "max-freed", "", "gc: stop after so many `bytes`")
	fs.BoolVar(&f.IgnoreLiveness, "ignore-liveness", false, "delete: whatever roots keep")
	fs.BoolVar(&f.checkContents, "check-contents", false, "verify: that contents have not changed, too")
	f.DeclareSettings(fs)
	f.DeclareSettingFlags(fs, "max-jobs", "cores", "keep-going", "keep-failed", "timeout", "max-silent-time")
	f.DeclareOutput(fs)
	f.DeclareLast(fs)
	return f, fs
}

// Command is gonix store, which is nix-store.
func Command(ctx context.Context, w *process.World, name string, args []string) error {
	f, fs := newFlags(name)
	set, stop, err := config.Begin(w, f, fs, args, config.Usage{Forms: []string{"OPERATION [FLAG]... [ARGUMENT]..."}, About: "Look at the store and change it."})
	if set == nil {
		return err
	}
	defer stop()
	var op *operation
	for i := range operations {
		if f.ops[i] {
			if op != nil {
				return errors.New("only one operation may be specified")
			}
			op = &operations[i]
		}
	}
	if op == nil {
		return config.SeeHelp(errors.New("no operation specified"), name)
	}
	x, shut, err := Open(ctx, w, f, set, op.bare)
	if err != nil {
		return err
	}
	defer shut()
	if f.Stdin && op.name != "import" && op.name != "restore" {
		words := bufio.NewScanner(w.Stdin)
		words.Split(bufio.ScanWords)
		for words.Scan() {
			x.Args = append(x.Args, words.Text())
		}
	}
	return x.End(op.run(x))
}

// Open opens the store unless bare, and starts to show what goes on.
func Open(ctx context.Context, w *process.World, f *Flags, set *config.Settings, bare bool) (x *Run, shut func(), err error) {
	p := f.Progress(w)
	x = &Run{Maker: &realise.Maker{World: w, Settings: set, Progress: p}, Context: ctx, Flags: f, Out: bufio.NewWriter(w.Stdout), Args: f.Args}
	if bare {
		return x, func() { p.Close() }, nil
	}
	if x.Maker, err = realise.Open(w, f.Store, set, p); err != nil {
		return nil, nil, err
	}
	p.Run()
	return x, func() { p.Close(); x.Maker.Close() }, nil
}

// OpenToRead is Open for a store that may be someone else's.
func OpenToRead(ctx context.Context, w *process.World, f *Flags, set *config.Settings) (x *Run, shut func(), err error) {
	st, err := stores.OpenAt(w, f.Store, store.Options{ReadOnly: true})
	if err != nil {
		return nil, nil, err
	}
	if x, shut, err = Open(ctx, w, f, set, true); err != nil {
		st.Close()
		return nil, nil, err
	}
	x.Store, x.Caches = st, &network.Caches{World: w, Settings: set, Progress: x.Progress}
	x.Progress.Run()
	return x, func() { x.Progress.Close(); x.Maker.Close() }, nil
}

// End writes what is left to write.
func (x *Run) End(err error) error {
	if e := x.Out.Flush(); err == nil && e != nil {
		return fmt.Errorf("write to standard output: %w", e)
	}
	return err
}

func (x *Run) Println(v any) { fmt.Fprintln(x.Out, v) }

// Info tells the user what goes on, unless told to be quiet.
func (x *Run) Info(text string) {
	if !x.Flags.Quiet {
		x.Progress.Printf("%s", text)
	}
}

func (x *Run) noArguments() error {
	if len(x.Args) > 0 {
		return errors.New("no arguments expected")
	}
	return nil
}

// Follow returns the store path that arg names or lies in, through any links
// outside of the store. (Nix: followLinksToStorePath)
func (x *Run) Follow(arg string) (storepath.Path, error) {
	return stores.Follow(x.World, x.Store, arg)
}

// followAll is follow for all arguments.
func (x *Run) followAll() ([]storepath.Path, error) {
	var list []storepath.Path
	for _, arg := range x.Args {
		p, err := x.Follow(arg)
		if err != nil {
			return nil, err
		}
		list = append(list, p)
	}
	return list, nil
}
