package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/pflag"

	"gonix/derivation/storepath"
)

// storeFlags is the command line of gonix store, which is nix-store's: one
// operation, its own flags, arguments.
type storeFlags struct {
	evalFlags
	ops     []bool // by storeOperations
	addRoot string
	stdin   bool
	silent  bool // print no paths
	noWarn  bool

	dryRun, check, repair, ignoreUnknown bool // realise

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
	ignoreLiveness                   bool // delete
	checkContents                    bool // verify
}

// storeRun is one run of it, or of another command that works on a store.
type storeRun struct {
	*maker
	ctx  context.Context
	f    *storeFlags
	out  *bufio.Writer // standard output
	args []string

	rootCount int
	warned    bool
}

// storeOperation is one of the things that nix-store does.
type storeOperation struct {
	name, short, usage string
	alias              string
	bare               bool // needs no store
	run                func(*storeRun) error
}

var storeOperations = []storeOperation{
	{name: "realise", alias: "realize", short: "r", usage: "build, or find valid, what is named, and print output paths", run: (*storeRun).realise},
	{name: "query", short: "q", usage: "print what is known about paths", run: (*storeRun).query},
	{name: "add", short: "A", usage: "copy files to the store", run: (*storeRun).add},
	{name: "add-fixed", usage: "the same for a given hash ALGORITHM, with the paths of fixed outputs", run: (*storeRun).addFixed},
	{name: "print-fixed-path", usage: "print the path of a fixed output: ALGORITHM HASH NAME", run: (*storeRun).printFixedPath},
	{name: "delete", usage: "delete paths that nothing needs", run: (*storeRun).delete},
	{name: "gc", usage: "delete all paths that nothing needs", run: (*storeRun).gc},
	{name: "verify", usage: "check the database, and that all paths are there", run: (*storeRun).verify},
	{name: "verify-path", usage: "check the content of paths", run: (*storeRun).verifyPath},
	{name: "repair-path", usage: "mend paths whose content has changed", run: (*storeRun).repairPath},
	{name: "optimise", alias: "optimize", usage: "replace equal files by hard links", run: (*storeRun).optimise},
	{name: "dump", usage: "write the archive of a path to standard output", bare: true, run: (*storeRun).dump},
	{name: "restore", usage: "make what the archive in standard input holds", bare: true, run: (*storeRun).restore},
	{name: "export", usage: "write paths to standard output, for --import", run: (*storeRun).export},
	{name: "import", usage: "add what --export wrote, from standard input", run: (*storeRun).importPaths},
	{name: "dump-db", usage: "print what the database knows", run: (*storeRun).dumpDB},
	{name: "load-db", usage: "register what --dump-db printed", run: (*storeRun).loadDB},
	{name: "register-validity", usage: "register paths whose content is there", run: (*storeRun).registerValidity},
	{name: "check-validity", usage: "fail if a path is not valid", run: (*storeRun).checkValidity},
	{name: "print-env", usage: "print the environment of a derivation for a shell", run: (*storeRun).printEnv},
	{name: "read-log", short: "l", usage: "print the build log of paths", run: (*storeRun).readLog},
	{name: "generate-binary-cache-key", usage: "make a key to sign with: NAME SECRETFILE PUBLICFILE", bare: true, run: (*storeRun).generateKey},
	{name: "init", usage: "make the store if there is none", run: func(*storeRun) error { return nil }},
}

func newStoreFlags(name string) (*storeFlags, *pflag.FlagSet) {
	f := &storeFlags{ops: make([]bool, len(storeOperations))}
	fs := newFlagSet(name)
	for i, op := range storeOperations {
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
	fs.BoolVar(&f.stdin, "stdin", false, "read more arguments from standard input")
	fs.BoolVar(&f.silent, "no-output", false, "print no output paths")
	fs.BoolVar(&f.dryRun, "dry-run", false, "realise: say what would be built, build nothing")
	fs.BoolVar(&f.check, "check", false, "realise: build again what is there, and compare")
	fs.BoolVar(&f.repair, "repair", false, "realise, verify: make anew what has changed")
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
	fs.BoolVar(&f.ignoreLiveness, "ignore-liveness", false, "delete: whatever roots keep")
	fs.BoolVar(&f.checkContents, "check-contents", false, "verify: that contents have not changed, too")
	f.declareSettings(fs)
	f.declareSettingFlags(fs, "max-jobs", "cores", "keep-going", "keep-failed", "timeout", "max-silent-time")
	f.declareOutput(fs)
	f.declareLast(fs)
	return f, fs
}

// storeCommand is gonix store: nix-store, and with a word instead of an operation
// nix store.
func storeCommand(ctx context.Context, w *world, name string, args []string) error {
	if name == "gonix store" && len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		return nixSubcommand(ctx, w, append([]string{"store"}, args...))
	}
	f, fs := newStoreFlags(name)
	set, stop, err := begin(w, f, fs, args, usage{forms: []string{"OPERATION [FLAG]... [ARGUMENT]..."}, about: "Look at the store and change it."})
	if set == nil {
		return err
	}
	defer stop()
	var op *storeOperation
	for i := range storeOperations {
		if f.ops[i] {
			if op != nil {
				return errors.New("only one operation may be specified")
			}
			op = &storeOperations[i]
		}
	}
	if op == nil {
		return seeHelp(errors.New("no operation specified"), name)
	}
	x, shut, err := newStoreRun(ctx, w, f, set, op.bare)
	if err != nil {
		return err
	}
	defer shut()
	x.p.raw = isOldName(name)
	if f.stdin && op.name != "import" && op.name != "restore" {
		words := bufio.NewScanner(w.stdin)
		words.Split(bufio.ScanWords)
		for words.Scan() {
			x.args = append(x.args, words.Text())
		}
	}
	return x.end(op.run(x))
}

// newStoreRun opens the store unless bare, and starts to show what goes on.
func newStoreRun(ctx context.Context, w *world, f *storeFlags, set *settings, bare bool) (x *storeRun, shut func(), err error) {
	p := f.progress(w)
	x = &storeRun{maker: &maker{w: w, set: set, p: p}, ctx: ctx, f: f, out: bufio.NewWriter(w.stdout), args: f.args}
	if bare {
		return x, func() { p.close() }, nil
	}
	if x.maker, err = openMaker(w, f.store, set, p); err != nil {
		return nil, nil, err
	}
	p.run()
	return x, func() { p.close(); x.maker.close() }, nil
}

// end writes what is left to write.
func (x *storeRun) end(err error) error {
	if e := x.out.Flush(); err == nil && e != nil {
		return fmt.Errorf("write to standard output: %w", e)
	}
	return err
}

func (x *storeRun) println(v any) { fmt.Fprintln(x.out, v) }

// info tells the user what goes on, unless told to be quiet.
func (x *storeRun) info(text string) {
	if !x.f.quiet {
		x.p.printf("%s", text)
	}
}

func (x *storeRun) noArguments() error {
	if len(x.args) > 0 {
		return errors.New("no arguments expected")
	}
	return nil
}

// follow returns the store path that arg names or lies in, through any links
// outside of the store. (Nix: followLinksToStorePath)
func (x *storeRun) follow(arg string) (storepath.Path, error) {
	return followToStore(x.w, x.st, arg)
}

// followAll is follow for all arguments.
func (x *storeRun) followAll() ([]storepath.Path, error) {
	var list []storepath.Path
	for _, arg := range x.args {
		p, err := x.follow(arg)
		if err != nil {
			return nil, err
		}
		list = append(list, p)
	}
	return list, nil
}
