package build

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"gonix/derivation/store"
	"gonix/derivation/storepath"
)

// Options say how to build.
type Options struct {
	// Builders carry out derivations by the name of their builder
	// ("builtin:fetchurl"); "" is for all that are programs.
	Builders map[string]Builder

	Jobs      int // derivations built at once; 0 means 1
	Downloads int // fixed outputs made by builtin: builders at once, besides; 0 means 8
	Cores     int // what each build is told; 0 means all of the machine

	KeepGoing  bool // do not stop at the first failure
	KeepFailed bool // keep the build directories of failed builds
	Check      bool // build goals again and compare
	Repair     bool // build goals again and replace what has changed on disk

	// BuildDir is where build directories are made; "" is the store's own place.
	BuildDir string

	Substituter Substituter // nil: everything is built
	// AlwaysSubstitute does so for derivations with allowSubstitutes = false, too
	// (Nix: always-allow-substitutes).
	AlwaysSubstitute bool
	Fallback         bool // build what could not be fetched
	// Sign adds signatures to what was built, before it is registered; nil adds
	// none.
	Sign func(*store.Info) error

	Timeout   time.Duration // longest build; 0 for no limit
	MaxSilent time.Duration // longest time without output; 0 for no limit
	LogLines  int           // how many lines of the log a Failure has; 0 means 10
	NoLog     bool          // keep no logs
	PlainLog  bool          // do not compress them
	// LogCommand is how the user reads the log of a build, which is kept in the
	// file; nil is cat or bzcat.
	LogCommand func(drv storepath.Path, file string) string

	MaxLogSize int64 // bytes that a build may write; 0 for no limit

	System         string   // "x86_64-linux"; "" is what this program was made for
	ExtraPlatforms []string // others that run here, too
	Features       []string // system features; nil means benchmark, big-parallel, nixos-test, and kvm where it is

	// LookupEnv gives fixed outputs the variables of impureEnvVars; nil gives
	// none.
	LookupEnv func(name string) (string, bool)

	// Events is told what happens; calls do not overlap.
	Events func(Event)
}

// Status says how a derivation fared.
type Status uint8

// What can become of a derivation.
const (
	AlreadyValid Status = iota // its outputs were there, or another process made them
	Built                      // by this run; with Check, again and the same
	Broken                     // Err says why
	NotTried                   // a dependency failed, or the run ended early
)

// Result is what became of one derivation.
type Result struct {
	Drv     storepath.Path
	Status  Status
	Outputs map[string]storepath.Path // all of them, by name
	Err     error
	LogFile string // "" if there is none
	Start   time.Time
	Stop    time.Time
}

// Checker is implemented by Builders that may find at once that they cannot
// work on this machine.
type Checker interface {
	Check(ctx context.Context) error
}

// JobChecker is implemented by Builders that may find, before anything is built
// or downloaded, that they cannot carry out a derivation on this machine. Of
// the job, only Drv, DrvPath and Store are there yet.
type JobChecker interface {
	CheckJob(ctx context.Context, job *Job) error
}

// Run makes the goals valid. The results are those of all goals and of all
// derivations that had to be built, in the order of the plan, goals that were
// valid last. The error is an [*Error] if builds failed.
func Run(ctx context.Context, s *store.Local, goals []Goal, opts Options) ([]Result, error) {
	opts.fill()
	plan, err := SubstituteGoals(ctx, s, goals, opts)
	if err != nil {
		return nil, err
	}
	r := newRun(ctx, s, opts)
	defer r.cancel(nil)
	if len(plan.nodes) > 0 {
		if err := sweep(ctx, s); err != nil {
			return nil, err
		}
		if err := r.checkBuilders(plan); err != nil {
			return nil, err
		}
		r.event(Event{Kind: Planned, Total: int64(len(plan.nodes))})
	}
	var all sync.WaitGroup
	for _, n := range plan.nodes {
		all.Go(func() { r.drive(n) })
	}
	all.Wait()
	var results []Result
	for _, n := range plan.nodes {
		results = append(results, n.result)
	}
	for _, n := range plan.goals {
		if n.state == valid {
			results = append(results, n.result)
		}
	}
	if ctx.Err() != nil {
		return results, context.Cause(ctx)
	}
	if len(r.failures) > 0 {
		return results, &Error{Failures: r.failures}
	}
	return results, nil
}

func (o *Options) fill() {
	o.Jobs = max(o.Jobs, 1)
	if o.Downloads == 0 {
		o.Downloads = 8
	}
	if o.Cores <= 0 {
		o.Cores = runtime.NumCPU()
	}
	if o.LogLines == 0 {
		o.LogLines = 10
	}
	if o.System == "" {
		o.System = hostSystem()
	}
	if o.Features == nil {
		o.Features = []string{"benchmark", "big-parallel", "nixos-test"}
		if unix.Access("/dev/kvm", unix.R_OK|unix.W_OK) == nil {
			o.Features = []string{"benchmark", "big-parallel", "kvm", "nixos-test"}
		}
	}
	if o.LookupEnv == nil {
		o.LookupEnv = func(string) (string, bool) { return "", false }
	}
	if o.Events == nil {
		o.Events = func(Event) {}
	}
}

// hostSystem is Nix's name for what this program was compiled for.
func hostSystem() string {
	cpu := map[string]string{"amd64": "x86_64", "arm64": "aarch64", "386": "i686", "arm": "armv7l"}[runtime.GOARCH]
	if cpu == "" {
		cpu = runtime.GOARCH
	}
	return cpu + "-" + runtime.GOOS
}

// errStopped is why builds end when another one has failed.
var errStopped = errors.New("another build has failed")

// runner is one call of Run.
type runner struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	store  *store.Local
	opts   Options

	jobs, downloads chan struct{}

	mu       sync.Mutex // guards failures and calls of opts.Events
	failures []error
}

func newRun(ctx context.Context, s *store.Local, opts Options) *runner {
	r := &runner{store: s, opts: opts}
	r.ctx, r.cancel = context.WithCancelCause(ctx)
	r.jobs = make(chan struct{}, opts.Jobs)
	r.downloads = make(chan struct{}, opts.Downloads)
	return r
}

func (r *runner) event(e Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.opts.Events(e)
}

// checkBuilders asks the builders that will be used whether they work here, so
// that it is known before the first download.
func (r *runner) checkBuilders(plan *Plan) error {
	asked := map[string]bool{}
	for _, n := range plan.nodes {
		name := builderName(n.drv)
		b, err := r.builder(n)
		if err != nil {
			continue // it comes when it is the derivation's turn
		}
		if c, ok := b.(Checker); ok && !asked[name] {
			asked[name] = true
			if err := c.Check(r.ctx); err != nil {
				return err
			}
		}
		if c, ok := b.(JobChecker); ok {
			if err := c.CheckJob(r.ctx, &Job{Drv: n.drv, DrvPath: n.path, Store: r.store}); err != nil {
				return err
			}
		}
	}
	return nil
}

// drive brings one derivation to its end, once its inputs are valid.
func (r *runner) drive(n *node) {
	defer close(n.done)
	var failed []storepath.Path
	stopped := false
	for _, dep := range n.deps {
		<-dep.done
		switch dep.result.Status {
		case Broken:
			failed = append(failed, dep.path)
		case NotTried:
			var de *DependencyError
			if errors.As(dep.result.Err, &de) {
				failed = append(failed, dep.path)
			} else {
				stopped = true
			}
		}
	}
	switch {
	case len(failed) > 0:
		err := &DependencyError{Drv: n.path, Failed: failed}
		n.result.Status, n.result.Err = NotTried, err
		r.mu.Lock()
		defer r.mu.Unlock()
		r.failures = append(r.failures, err)
		r.opts.Events(Event{Kind: Skipped, Drv: n.path, Err: err})
		return
	case stopped || r.ctx.Err() != nil:
		n.result.Status, n.result.Err = NotTried, context.Cause(r.ctx)
		return
	}
	n.result.Start = time.Now()
	status, err := r.realise(n)
	n.result.Stop = time.Now()
	n.result.Status, n.result.Err = status, err
	if err == nil {
		return
	}
	if r.interrupted(err) {
		n.result.Status = NotTried
		return
	}
	n.result.Status = Broken
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failures = append(r.failures, err)
	if !r.opts.KeepGoing {
		r.cancel(fmt.Errorf("build of '%s' stopped: %w", n.path, errStopped))
	}
}

// interrupted reports whether err says nothing but that the run was ended.
func (r *runner) interrupted(err error) bool {
	return r.ctx.Err() != nil && (errors.Is(err, context.Cause(r.ctx)) || errors.Is(err, r.ctx.Err()))
}
