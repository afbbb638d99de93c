//go:build linux && (amd64 || arm64)

package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"gonix/derivation/build"
	"gonix/derivation/nar"
	"gonix/derivation/nixbase32"
	"gonix/derivation/nixhash"
	"gonix/derivation/store"
	"gonix/derivation/storepath"
)

// Direct runs the builders of derivations on the machine as it is, for machines
// without namespaces. The store must lie at its logical place, /nix/store, for
// that is where builders look for their inputs; they see everything else as well.
//
// Outputs that are valid already (a check, or one of several outputs missing)
// are made under another name of the same length, which is replaced in the
// result.
type Direct struct{}

var _ build.Builder = Direct{}
var _ build.JobChecker = Direct{}

// CheckJob finds out whether the store is where builders look for it.
func (Direct) CheckJob(_ context.Context, job *build.Job) error {
	if job.Store.Dir() != storepath.Dir {
		return fmt.Errorf("building without a sandbox needs the store at %s, not at %s: run as root with '--store /'", storepath.Dir, job.Store.Dir())
	}
	return nil
}

// Build runs the job's builder.
func (Direct) Build(ctx context.Context, job *build.Job) error {
	if err := (Direct{}).CheckJob(ctx, job); err != nil {
		return err
	}
	env, err := build.Environment(ctx, job, job.TmpDir)
	if err != nil {
		return err
	}
	names, err := scratchNames(ctx, job)
	if err != nil {
		return err
	}
	forth, back := names.replacers()
	p := plan{
		Path: forth.Replace(env.Builder), Args: []string{path.Base(env.Builder)},
		Direct: true, Dir: job.TmpDir, Linux32: is32(job.Drv.Platform),
	}
	for _, a := range env.Args {
		p.Args = append(p.Args, forth.Replace(a))
	}
	for _, v := range env.List() {
		p.Env = append(p.Env, forth.Replace(v))
	}
	for _, file := range []string{".attrs.json", ".attrs.sh"} {
		if err := rewriteFile(path.Join(job.TmpDir, file), forth); err != nil {
			return err
		}
	}
	out, err := runDirect(ctx, &p, job.Log)
	if err == nil {
		err = out.failure()
	}
	if err != nil {
		return errors.Join(err, names.discard())
	}
	return names.collect(job, back)
}

// runDirect runs the program of p, and kills what it left running.
func runDirect(ctx context.Context, p *plan, log io.Writer) (outcome, error) {
	text, err := p.encode()
	if err != nil {
		return outcome{}, err
	}
	text, err = child(ctx, directName, text, log, &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGTERM})
	if errors.Is(err, errLogClosed) {
		return outcome{Signal: int(unix.SIGKILL)}, nil
	}
	if err != nil {
		return outcome{}, err
	}
	var out outcome
	if err := json.Unmarshal(text, &out); err != nil {
		return outcome{}, fmt.Errorf("read what became of the builder: %w", err)
	}
	if out.Error != "" {
		return outcome{}, errors.New(out.Error)
	}
	return out, nil
}

// output is one output under the name that the builder makes it by.
type output struct {
	name      string // of the output
	final     storepath.Path
	scratch   storepath.Path // differs if final is valid
	collected bool
}

type outputs []output

// scratchNames chooses by which names the outputs are made.
func scratchNames(ctx context.Context, job *build.Job) (outputs, error) {
	var list outputs
	for _, name := range job.Drv.OutputNames() {
		final := job.Outputs[name]
		o := output{name: name, final: final, scratch: final}
		valid, err := job.Store.IsValid(ctx, final)
		if err != nil {
			return nil, err
		}
		if valid {
			h := nixhash.Sum(nixhash.SHA256, []byte("rewrite:"+job.DrvPath.String()+":"+name))
			digest := nixbase32.Encode(nixhash.Compress(h.Digest, 20))
			if o.scratch, err = storepath.FromBase(digest + "-" + final.Name()); err != nil {
				return nil, err
			}
		}
		if _, err := store.RemoveTree(job.Store.RealPath(o.scratch)); err != nil {
			return nil, err
		}
		list = append(list, o)
	}
	return list, nil
}

// replacers replace final names by scratch names and the other way round.
func (list outputs) replacers() (forth, back *strings.Replacer) {
	var f, b []string
	for _, o := range list {
		if o.scratch != o.final {
			f = append(f, o.final.HashPart(), o.scratch.HashPart())
			b = append(b, o.scratch.HashPart(), o.final.HashPart())
		}
	}
	return strings.NewReplacer(f...), strings.NewReplacer(b...)
}

// rewriteFile replaces names in a file of the build directory, if there is one.
func rewriteFile(name string, r *strings.Replacer) error {
	text, err := os.ReadFile(name)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return os.WriteFile(name, []byte(r.Replace(string(text))), 0o644)
}

// discard removes what a failed builder has left in the store.
func (list outputs) discard() error {
	var all error
	for _, o := range list {
		_, err := store.RemoveTree(storepath.Dir + "/" + o.scratch.Base())
		all = errors.Join(all, err)
	}
	return all
}

// collect moves the outputs to where the job wants them.
func (list outputs) collect(job *build.Job, back *strings.Replacer) error {
	renamed := false
	for _, o := range list {
		renamed = renamed || o.scratch != o.final
	}
	for _, o := range list {
		made := job.Store.RealPath(o.scratch)
		info, err := os.Lstat(made)
		if errors.Is(err, os.ErrNotExist) {
			continue // the caller says so
		}
		if err == nil && renamed {
			if err = rewriteTree(made, job.Dest[o.name], back); err == nil {
				_, err = store.RemoveTree(made)
			}
		} else if err == nil {
			if info.IsDir() && info.Mode().Perm()&0o200 == 0 {
				err = os.Chmod(made, info.Mode().Perm()|0o200)
			}
			if err == nil {
				err = os.Rename(made, job.Dest[o.name])
			}
		}
		if err != nil {
			return errors.Join(fmt.Errorf("collect output '%s' of '%s': %w", o.name, job.DrvPath, err), list.discard())
		}
	}
	return nil
}

// rewriteTree copies a tree and replaces names in it: in files, in the targets
// of links, and in the names of files.
func rewriteTree(from, to string, r *strings.Replacer) error {
	pr, pw := io.Pipe()
	go func() {
		w := &rewriter{w: pw, replacer: r}
		err := nar.Dump(w, from)
		if err == nil {
			err = w.flush()
		}
		pw.CloseWithError(err)
	}()
	err := nar.Restore(pr, to)
	pr.CloseWithError(errors.New("restoring ended"))
	return err
}

// rewriter replaces hash parts in a stream. It holds back as much as a hash part
// that has begun may need.
type rewriter struct {
	w        io.Writer
	replacer *strings.Replacer
	rest     []byte
}

// Write passes on p, rewritten.
func (w *rewriter) Write(p []byte) (int, error) {
	text := w.replacer.Replace(string(append(w.rest, p...)))
	hold := min(len(text), storepath.HashLen-1)
	w.rest = append(w.rest[:0], text[len(text)-hold:]...)
	if _, err := io.WriteString(w.w, text[:len(text)-hold]); err != nil {
		return 0, err
	}
	return len(p), nil
}

func (w *rewriter) flush() error {
	_, err := w.w.Write(w.rest)
	return err
}

// runDirectPayload is the process between the program and a builder without a
// sandbox. It adopts what the builder leaves running and ends it.
func runDirectPayload() error {
	p, err := readPlan(os.NewFile(initPlan, "plan"))
	if err != nil {
		return err
	}
	unix.CloseOnExec(initOutcome)
	out, err := superviseDirect(p)
	if err != nil {
		out = outcome{Error: err.Error()}
	}
	return json.NewEncoder(os.NewFile(initOutcome, "outcome")).Encode(out)
}

func superviseDirect(p *plan) (outcome, error) {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return outcome{}, fmt.Errorf("adopt the builder's processes: %w", err)
	}
	// SIGTERM means that the build is given up, or that who wanted it is gone.
	ctx, stop := signal.NotifyContext(context.Background(), unix.SIGTERM)
	defer stop()
	if p.InPlace {
		return superviseInRoot(ctx, p)
	}
	main, err := startPayload(p)
	if err != nil {
		return outcome{}, err
	}
	context.AfterFunc(ctx, main.kill)
	if err := main.release(goOn); err != nil {
		return outcome{}, err
	}
	nowhere, _ := unix.Open("/dev/null", unix.O_RDWR|unix.O_CLOEXEC, 0)
	leaveLog(nowhere)
	out, ok := main.wait()
	if !ok {
		return outcome{}, errors.New("the builder was lost")
	}
	return out, endDescendants()
}

// endDescendants kills the processes that have become ours, until there are
// none.
func endDescendants() error {
	for {
		children, err := childrenOf(os.Getpid())
		if err != nil || len(children) == 0 {
			return err
		}
		for _, pid := range children {
			unix.Kill(pid, unix.SIGKILL)
		}
		for {
			pid, err := unix.Wait4(-1, nil, unix.WNOHANG, nil)
			if err == unix.EINTR {
				continue
			}
			if err != nil || pid == 0 {
				break
			}
		}
		time.Sleep(time.Millisecond)
	}
}

// childrenOf lists the processes whose parent is pid.
func childrenOf(pid int) ([]int, error) {
	names, err := os.ReadDir("/proc")
	if err != nil {
		return nil, fmt.Errorf("find the builder's processes: %w", err)
	}
	var list []int
	for _, e := range names {
		child, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		stat, err := os.ReadFile("/proc/" + e.Name() + "/stat")
		if err != nil {
			continue // gone
		}
		// The name in brackets may hold anything; the parent is the second field
		// after it.
		text := string(stat)
		fields := strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
		if len(fields) > 1 && fields[1] == strconv.Itoa(pid) {
			list = append(list, child)
		}
	}
	return list, nil
}
