package build

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"gonix/derivation"
)

// TestScriptOfBuiltin has a builder that is no program run one that fails: its
// output is what the user needs to see.
func TestScriptOfBuiltin(t *testing.T) {
	b := newBench(t)
	d := b.drv(derivation.Derivation{Name: "image"}, func(_ context.Context, job *Job) error {
		for i := range 12 {
			fmt.Fprintln(job.Log, "line", i)
		}
		fmt.Fprint(job.Log, "groupadd: no such group")
		return fmt.Errorf("build image 'redis:7': run runAsRoot: %w", &ExitError{Code: 6})
	})
	_, err := b.run(b.options(), d)
	var failed *Error
	if !errors.As(err, &failed) || failed.ExitStatus() != 100 {
		t.Fatalf("error %v", err)
	}
	want := fmt.Sprintf("building '%s': build image 'redis:7': run runAsRoot: failed with exit code 6;\nlast 10 log lines:\n> line 3\n", d)
	text := failed.Failures[0].Error()
	if !strings.HasPrefix(text, want) || !strings.HasSuffix(text, "> groupadd: no such group\nFor full logs, run 'bzcat "+LogFile(b.store, d)+"'.") {
		t.Errorf("error %s", text)
	}
	b.clean()
}

// picky is a builder that refuses some derivations.
type picky struct{ *bench }

func (p picky) CheckJob(_ context.Context, job *Job) error {
	if job.Drv.Name == "refused" && job.Store == p.store && !job.DrvPath.IsZero() {
		return errors.New("not here")
	}
	return nil
}

func TestJobChecker(t *testing.T) {
	b := newBench(t)
	input := b.drv(derivation.Derivation{Name: "input"}, write("x"))
	refused := b.drv(derivation.Derivation{Name: "refused"}, write("x"), input)
	opts := b.options()
	opts.Builders[""] = picky{b}
	if _, err := b.run(opts, refused); err == nil || err.Error() != "not here" || len(b.built) > 0 {
		t.Errorf("error %v after %q", err, b.built)
	}
	if _, err := b.run(opts, input); err != nil {
		t.Error(err)
	}
	b.clean()
}
