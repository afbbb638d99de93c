package build

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"gonix/derivation"
	"gonix/derivation/store"
	"gonix/derivation/storepath"
)

// realise makes the outputs of n valid, or waits until somebody else has. The
// error is a *Failure, or that of the context.
func (r *runner) realise(n *node) (Status, error) {
	outputs := n.outputPaths(n.drv.OutputNames())
	lock, release, err := r.acquire(n, outputs)
	if err != nil {
		return Broken, r.misc(n, err)
	}
	defer release()
	defer lock.Unlock()
	if done, err := r.settled(n); err != nil || done {
		return AlreadyValid, r.misc(n, err)
	}
	b, err := r.builder(n)
	if err != nil {
		return Broken, r.misc(n, err)
	}
	r.event(Event{Kind: Started, Drv: n.path})
	if err := r.build(n, b, outputs); err != nil {
		err = r.misc(n, err)
		r.event(Event{Kind: Failed, Drv: n.path, Err: err})
		return Broken, err
	}
	r.event(Event{Kind: Finished, Drv: n.path})
	return Built, nil
}

// misc makes a *Failure of an error that is none yet.
func (r *runner) misc(n *node, err error) error {
	var f *Failure
	if err == nil || errors.As(err, &f) || r.interrupted(err) {
		return err
	}
	return &Failure{Drv: n.path, Kind: Misc, Err: err, DiskFull: isFull(err)}
}

// pollLock is how often a lock held by another process is tried.
const pollLock = 50 * time.Millisecond

// acquire takes a slot and the locks of the outputs, and of the derivation
// itself, which its workspace is named after. While it waits for another process
// it holds neither.
func (r *runner) acquire(n *node, outputs []storepath.Path) (*store.PathLock, func(), error) {
	locked := append([]storepath.Path{n.path}, outputs...)
	slots := r.jobs
	if n.drv.IsFixedOutput() && builderName(n.drv) != "" {
		slots = r.downloads
	}
	for told := false; ; {
		select {
		case slots <- struct{}{}:
		case <-r.ctx.Done():
			return nil, nil, context.Cause(r.ctx)
		}
		lock, ok, err := r.store.TryLock(locked...)
		if ok {
			return lock, func() { <-slots }, nil
		}
		<-slots
		if err != nil {
			return nil, nil, err
		}
		if !told {
			told = true
			r.event(Event{Kind: Waiting, Drv: n.path, Text: outputs[0].String()})
		}
		select {
		case <-time.After(pollLock):
		case <-r.ctx.Done():
			return nil, nil, context.Cause(r.ctx)
		}
	}
}

// settled reports whether another process has done the work meanwhile, and for
// a check whether there is something to compare with.
func (r *runner) settled(n *node) (bool, error) {
	check := n.goal && r.opts.Check
	paths := n.outputPaths(n.wantedNames())
	valid, err := r.store.Valid(r.ctx, paths)
	if err != nil {
		return false, err
	}
	if check && len(valid) < len(paths) {
		return false, fmt.Errorf("some outputs of '%s' are not valid, so checking is not possible", n.path)
	}
	return !check && !(n.goal && r.opts.Repair) && len(valid) == len(paths), nil
}

// builderName is the key in Options.Builders.
func builderName(drv *derivation.Derivation) string {
	if strings.HasPrefix(drv.Builder, "builtin:") {
		return drv.Builder
	}
	return ""
}

// builder returns who builds n.
func (r *runner) builder(n *node) (Builder, error) {
	drv, name := n.drv, builderName(n.drv)
	b, ok := r.opts.Builders[name]
	if !ok {
		return nil, fmt.Errorf("derivation '%s': builder '%s' is not known", n.path, drv.Builder)
	}
	job := Job{Drv: drv}
	features, _ := job.Attr("requiredSystemFeatures")
	required := strings.Fields(features)
	missing := slices.ContainsFunc(required, func(f string) bool { return !slices.Contains(r.opts.Features, f) })
	platform := drv.Platform == r.opts.System || slices.Contains(r.opts.ExtraPlatforms, drv.Platform) ||
		drv.Platform == "builtin" && name != ""
	if platform && !missing {
		return b, nil
	}
	text := fmt.Sprintf("Cannot build '%s'.", n.path)
	if !platform {
		text += fmt.Sprintf("\nReason: platform mismatch\nRequired system: '%s'\nCurrent system: '%s'", drv.Platform, r.opts.System)
	}
	if missing {
		slices.Sort(required)
		text += fmt.Sprintf("\nReason: missing system features\nRequired features: {%s}\nAvailable features: {%s}",
			strings.Join(required, ", "), strings.Join(r.opts.Features, ", "))
	}
	return nil, &Failure{Drv: n.path, Kind: BuildFailed, Err: errors.New(text)}
}

// build runs b for n and takes in what it made. The locks of the outputs are held.
func (r *runner) build(n *node, b Builder, outputs []storepath.Path) (err error) {
	valid, err := r.store.Valid(r.ctx, outputs)
	if err != nil {
		return err
	}
	for _, p := range outputs {
		if err := r.store.TempRoot(p); err != nil {
			return err
		}
	}
	if err := removeInvalid(r.ctx, r.store, outputs); err != nil {
		return err
	}
	inputs, err := r.inputs(n)
	if err != nil {
		return err
	}
	if err := r.store.MakeRoom(r.ctx); err != nil {
		return err
	}
	space, err := newWorkspace(r.store, n.path, r.opts.BuildDir)
	if err != nil {
		return err
	}
	keep := false
	defer func() {
		if keep {
			err = errors.Join(err, space.keep())
		} else {
			err = errors.Join(err, space.remove())
		}
	}()
	logFile := ""
	if !r.opts.NoLog {
		logFile = LogFile(r.store, n.path)
		if r.opts.PlainLog {
			logFile = strings.TrimSuffix(logFile, compressedSuffix)
		}
	}
	log, err := newLog(logFile, r.opts.LogLines, func(e Event) {
		e.Drv = n.path
		r.event(e)
	})
	if err != nil {
		return err
	}
	job := &Job{
		Drv: n.drv, DrvPath: n.path,
		Inputs: inputs, Outputs: n.result.Outputs, Dest: map[string]string{},
		Store: r.store, TmpDir: space.build, WorkDir: space.workDir(),
		Log: log, Cores: r.opts.Cores,
		KeepFailed: r.opts.KeepFailed, Check: n.goal && r.opts.Check,
		LookupEnv: r.opts.LookupEnv,
		Report: func(e Event) {
			e.Drv = n.path
			r.event(e)
		},
	}
	for name, p := range job.Outputs {
		job.Dest[name] = filepath.Join(space.outDir(), p.Base())
	}
	buildErr := r.runBuilder(b, job, log)
	var infos []store.Info
	rejected := false
	if buildErr == nil {
		infos, buildErr = r.examine(job)
		rejected = buildErr != nil
	}
	full := buildErr != nil && (isFull(buildErr) || diskFull(space.build) || diskFull(space.chroot))
	lines, logErr := log.close()
	if logErr == nil {
		n.result.LogFile = logFile
	}
	if buildErr == nil {
		if job.Check {
			if buildErr = r.compare(job, infos, valid); buildErr == nil {
				return nil
			}
		} else if buildErr = r.install(job, infos, valid); buildErr == nil {
			if logErr != nil {
				r.event(Event{Kind: Note, Drv: n.path, Text: "warning: " + logErr.Error()})
			}
			return nil
		}
	}
	if r.interrupted(buildErr) {
		return buildErr
	}
	r.saveMismatch(job, buildErr)
	f := &Failure{Drv: n.path, Err: buildErr, Kind: kindOf(buildErr), LogFile: n.result.LogFile, DiskFull: full || isFull(buildErr)}
	if rejected && f.Kind == BuildFailed {
		f.Kind = Rejected
	}
	if f.LogFile != "" && r.opts.LogCommand != nil {
		f.LogCommand = r.opts.LogCommand(f.Drv, f.LogFile)
	}
	if showsLog(buildErr) {
		f.Lines = lines
	}
	if keep = r.opts.KeepFailed; keep {
		f.Kept = space.build
		r.event(Event{Kind: Note, Drv: n.path, Text: fmt.Sprintf("note: keeping build directory '%s'", space.build)})
	}
	return f
}

// inputs returns the closure of what n uses, all of it valid.
func (r *runner) inputs(n *node) ([]storepath.Path, error) {
	roots := slices.Clone(n.drv.InputSrcs)
	for _, in := range n.drv.Inputs() {
		drv, err := r.store.ReadDerivation(r.ctx, in)
		if err != nil {
			return nil, err
		}
		for _, name := range n.drv.InputDrvs[in] {
			o, ok := drv.Outputs[name]
			if !ok {
				return nil, fmt.Errorf("derivation '%s' requires non-existent output '%s' from input derivation '%s'", n.path, name, in)
			}
			roots = append(roots, o.Path)
		}
	}
	closure, err := r.store.Closure(r.ctx, roots...)
	if errors.Is(err, store.ErrNotFound) {
		return nil, fmt.Errorf("derivation '%s' needs something that is not in the store: %w", n.path, err)
	}
	return closure, err
}

// timeoutError ends a build that takes too long.
type timeoutError struct {
	drv     storepath.Path
	limit   time.Duration
	silence bool
}

func (e *timeoutError) Error() string {
	what := ""
	if e.silence {
		what = " of silence"
	}
	return fmt.Sprintf("building of '%s' timed out after %d seconds%s", e.drv, int(e.limit.Seconds()), what)
}

// logLimitError ends a build that writes too much.
type logLimitError struct {
	drv   storepath.Path
	limit int64
}

func (e *logLimitError) Error() string {
	return fmt.Sprintf("%s killed after writing more than %d bytes of log output", e.drv, e.limit)
}

// runBuilder runs the builder within the limits of time.
func (r *runner) runBuilder(b Builder, job *Job, log *buildLog) error {
	ctx, cancel := context.WithCancelCause(r.ctx)
	defer cancel(nil)
	if t := r.opts.Timeout; t > 0 {
		timer := time.AfterFunc(t, func() { cancel(&timeoutError{job.DrvPath, t, false}) })
		defer timer.Stop()
	}
	if t := r.opts.MaxSilent; t > 0 {
		stop := make(chan struct{})
		defer close(stop)
		go func() {
			for rest := t; rest > 0; rest = t - log.silent() {
				select {
				case <-time.After(rest):
				case <-stop:
					return
				}
			}
			cancel(&timeoutError{job.DrvPath, t, true})
		}()
	}
	log.watch(r.opts.MaxLogSize, func() { cancel(&logLimitError{job.DrvPath, r.opts.MaxLogSize}) })
	err := b.Build(ctx, job)
	if cause := context.Cause(ctx); err != nil && cause != nil {
		return cause
	}
	return err
}
