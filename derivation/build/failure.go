package build

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"gonix/derivation/storepath"
)

// ExitError is what a Builder returns when its process did not succeed.
type ExitError struct {
	Code       int // if Signal is 0
	Signal     int
	SignalName string
}

// Error says how the process ended, in the words of Nix's statusToString.
func (e *ExitError) Error() string {
	if e.Signal != 0 {
		return fmt.Sprintf("failed due to signal %d (%s)", e.Signal, e.SignalName)
	}
	return fmt.Sprintf("failed with exit code %d", e.Code)
}

// Kind classifies failures; the exit status of nix-build follows from it.
type Kind uint8

// The kinds of failures.
const (
	BuildFailed Kind = iota
	TimedOut
	HashMismatch
	CheckMismatch // a rebuild gave something else
	Rejected      // the builder succeeded, but its outputs are not what they must be
	Misc          // the build did not even start
)

// Failure is why a derivation could not be built.
type Failure struct {
	Drv  storepath.Path
	Kind Kind
	Err  error

	// Lines are the last ones that the builder wrote.
	Lines []string
	// LogFile holds all that it wrote, compressed with bzip2 if it ends with .bz2;
	// "" if there is none.
	LogFile string
	// LogCommand shows that; "" is for cat or bzcat.
	LogCommand string
	// Kept is the build directory, if it was kept.
	Kept string
	// DiskFull says that hardly any space is left on the disks of the store or
	// of the build directory.
	DiskFull bool
}

// Error is the whole message: what happened, the last lines of the log, and how
// to read all of it. Lines after the first are not indented.
func (f *Failure) Error() string {
	var b strings.Builder
	var exit *ExitError
	switch text := f.Err.Error(); {
	case errors.As(f.Err, &exit) && text == exit.Error():
		fmt.Fprintf(&b, "Cannot build '%s'.\nReason: builder %s.", f.Drv, text)
	case exit != nil: // of a program that a builtin builder ran
		fmt.Fprintf(&b, "building '%s': %s", f.Drv, text)
	case strings.Contains(text, storepath.Dir+"/"):
		b.WriteString(text)
	default: // something that does not say what it is about
		fmt.Fprintf(&b, "building '%s': %s", f.Drv, text)
	}
	if f.DiskFull {
		b.WriteString("\nnote: build failure may have been caused by lack of free disk space")
	}
	if len(f.Lines) == 0 {
		return b.String()
	}
	if strings.HasSuffix(b.String(), ".") {
		fmt.Fprintf(&b, "\nLast %d log lines:\n", len(f.Lines))
	} else {
		fmt.Fprintf(&b, ";\nlast %d log lines:\n", len(f.Lines))
	}
	for _, line := range f.Lines {
		fmt.Fprintf(&b, "> %s\n", line)
	}
	if f.LogFile != "" {
		fmt.Fprintf(&b, "For full logs, run '%s'.", cmp.Or(f.LogCommand, logCommand(f.LogFile)))
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// Unwrap returns Err.
func (f *Failure) Unwrap() error { return f.Err }

// logCommand is how most machines show a log.
func logCommand(file string) string {
	if strings.HasSuffix(file, compressedSuffix) {
		return "bzcat " + ShellPath(file)
	}
	return "cat " + ShellPath(file)
}

// ShellPath quotes a path for the shell if it needs that.
func ShellPath(p string) string {
	if strings.ContainsFunc(p, func(r rune) bool {
		return !strings.ContainsRune("/._-+=:@,%", r) && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	}) {
		return shellQuote(p)
	}
	return p
}

// DependencyError is why a derivation was not even tried.
type DependencyError struct {
	Drv    storepath.Path
	Failed []storepath.Path // direct inputs that failed, or that have the same error
}

// Error counts the inputs, as Nix does.
func (e *DependencyError) Error() string {
	if len(e.Failed) == 1 {
		return fmt.Sprintf("Cannot build '%s'.\nReason: 1 dependency failed.", e.Drv)
	}
	return fmt.Sprintf("Cannot build '%s'.\nReason: %d dependencies failed.", e.Drv, len(e.Failed))
}

// Error is what [Run] returns when goals could not be reached.
type Error struct {
	// Failures are a *Failure for each derivation that failed and a
	// *DependencyError for each one not tried because of that, in the order in
	// which it happened.
	Failures []error
}

// Error lists all failures, one after another.
func (e *Error) Error() string {
	var texts []string
	for _, f := range e.Failures {
		texts = append(texts, f.Error())
	}
	return strings.Join(texts, "\n")
}

// Goals returns those of the goals that could not be reached.
func (e *Error) Goals(goals []Goal) []Goal {
	failed := map[storepath.Path]bool{}
	for _, err := range e.Failures {
		var f *Failure
		var d *DependencyError
		switch {
		case errors.As(err, &f):
			failed[f.Drv] = true
		case errors.As(err, &d):
			failed[d.Drv] = true
		}
	}
	var list []Goal
	for _, g := range goals {
		if failed[g.Drv] {
			list = append(list, g)
		}
	}
	return list
}

// Unwrap returns the failures.
func (e *Error) Unwrap() []error { return e.Failures }

// exitBits are what each kind adds to the exit status; buildFailureBit comes
// with the first three.
var exitBits = [...]int{BuildFailed: 0, TimedOut: 0x01, HashMismatch: 0x02, CheckMismatch: 0x08, Rejected: 0, Misc: 0}

const (
	buildFailureBit = 0x04
	exitBase        = 0x60
)

// ExitStatus is the status with which nix-build ends: 100 for a failed build,
// 101 for a timeout, 102 for a hash mismatch, 104 for a rebuild that differs,
// combinations of these, and 1 for everything else (Nix:
// Worker::failingExitStatus).
func (e *Error) ExitStatus() int {
	status := 0
	for _, err := range e.Failures {
		var f *Failure
		if !errors.As(err, &f) || f.Kind == Misc || f.Kind == Rejected {
			continue
		}
		status |= exitBase | exitBits[f.Kind]
		if f.Kind != CheckMismatch {
			status |= buildFailureBit
		}
	}
	if status == 0 {
		return 1
	}
	return status
}
