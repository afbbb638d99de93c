//go:build linux && (amd64 || arm64)

package sandbox

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// namespaces are those of every sandbox; the network is for some.
const namespaces = syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS | syscall.CLONE_NEWPID | syscall.CLONE_NEWIPC | syscall.CLONE_NEWUTS

// setupError says that the sandbox could not be made, as opposed to what went
// wrong in it.
type setupError struct {
	text  string
	errno syscall.Errno
}

func (e *setupError) Error() string { return e.text }

func (e *setupError) Unwrap() error {
	if e.errno == 0 {
		return nil
	}
	return e.errno
}

// run carries out p and waits until nothing of it runs any more. When ctx ends,
// everything in the sandbox is killed.
func run(ctx context.Context, p *plan, log io.Writer) (outcome, error) {
	text, err := p.encode()
	if err != nil {
		return outcome{}, err
	}
	flags := uintptr(namespaces)
	if !p.HostNetwork {
		flags |= syscall.CLONE_NEWNET
	}
	result, err := child(ctx, initName, text, log, &syscall.SysProcAttr{
		Cloneflags:  flags,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}},
		Setsid:      true,
		Pdeathsig:   syscall.SIGKILL,
	})
	if errors.Is(err, errLogClosed) {
		return outcome{Signal: int(unix.SIGKILL)}, nil
	}
	if err != nil {
		return outcome{}, err
	}
	var out outcome
	if err := json.Unmarshal(result, &out); err != nil {
		return outcome{}, fmt.Errorf("read what became of the sandbox: %w", err)
	}
	if out.Error != "" {
		return outcome{}, &setupError{out.Error, syscall.Errno(out.Errno)}
	}
	return out, nil
}

// errLogClosed ends a builder that has closed its output, and with it the only
// way to notice that it hangs. (Nix kills it, too.)
var errLogClosed = errors.New("the builder has closed its output")

// logGrace is how long a builder may go on after that.
const logGrace = time.Second

// child starts this executable under another name, hands it text, and returns
// what it reports. A child that ends without a report was killed.
func child(ctx context.Context, name string, text []byte, log io.Writer, attr *syscall.SysProcAttr) ([]byte, error) {
	planR, planW, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("create a pipe: %w", err)
	}
	outR, outW, err := os.Pipe()
	if err != nil {
		planR.Close()
		planW.Close()
		return nil, fmt.Errorf("create a pipe: %w", err)
	}
	logR, logW, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("create a pipe: %w", err), planR.Close(), planW.Close(), outR.Close(), outW.Close())
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	cmd := exec.CommandContext(ctx, "/proc/self/exe")
	cmd.Args = []string{name}
	cmd.Env = []string{}
	cmd.Dir = "/"
	cmd.Stdout, cmd.Stderr = logW, logW
	cmd.ExtraFiles = []*os.File{planR, outW}
	cmd.SysProcAttr = attr
	// In namespaces everything dies with the child; otherwise it has to see to
	// that itself.
	cmd.Cancel = func() error { return cmd.Process.Signal(attr.Pdeathsig) }

	var result bytes.Buffer
	read := make(chan error, 1)
	started, ended := make(chan error, 1), make(chan error, 1)
	go func() {
		// The parent death signal comes when this thread ends, so it must live
		// as long as the child.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		if err := cmd.Start(); err != nil {
			started <- err
			return
		}
		started <- nil
		ended <- cmd.Wait()
	}()
	err = <-started
	planR.Close()
	outW.Close()
	logW.Close()
	if err != nil {
		planW.Close()
		outR.Close()
		logR.Close()
		se := &setupError{text: fmt.Sprintf("start a process in new namespaces: %v", err)}
		errors.As(err, &se.errno)
		return nil, se
	}
	go func() {
		_, err := io.Copy(&result, outR)
		read <- errors.Join(err, outR.Close())
	}()
	logged := make(chan struct{})
	go func() {
		defer close(logged)
		io.Copy(log, logR)
		logR.Close()
		grace := time.AfterFunc(logGrace, func() { cancel(errLogClosed) })
		context.AfterFunc(ctx, func() { grace.Stop() })
	}()
	_, writeErr := planW.Write(text)
	planW.Close()
	waitErr := <-ended
	<-logged
	readErr := <-read
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case result.Len() > 0:
		return result.Bytes(), readErr
	case readErr != nil:
		return nil, readErr
	case waitErr != nil:
		return nil, fmt.Errorf("the sandbox ended unexpectedly: %w", waitErr)
	case writeErr != nil:
		return nil, fmt.Errorf("tell the sandbox its plan: %w", writeErr)
	}
	return nil, errors.New("the sandbox ended without telling what became of it")
}

// isForbidden reports whether err looks as if the system did not let us have
// namespaces at all.
func isForbidden(err error) bool {
	var se *setupError
	if !errors.As(err, &se) {
		return false
	}
	switch se.errno {
	case unix.EPERM, unix.EACCES, unix.ENOSPC, unix.EUSERS, unix.EINVAL, unix.ENOSYS:
		return true
	case unix.ENOENT:
		_, err := os.Lstat("/proc/self")
		return err != nil
	}
	return false
}
