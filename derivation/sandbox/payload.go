//go:build linux && (amd64 || arm64)

package sandbox

import (
	"bufio"
	"fmt"
	"math"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// Descriptors that the payload is started with.
const (
	payloadStart = 3 // the plan, then a byte when the root is ready
	payloadSock  = 4 // where the recorder's listener goes
)

// addrNoRandomize and linux32 are values of personality(2). Addresses that are
// the same each time make builds depend on chance a little less.
const (
	addrNoRandomize = 0x0040000
	linux32         = 0x0008
)

// runPayload becomes the program of the plan.
func runPayload() error {
	start := bufio.NewReader(os.NewFile(payloadStart, "start"))
	p, err := readPlan(start)
	if err != nil {
		return err
	}
	if _, err := unix.Write(payloadSock, []byte{0}); err != nil {
		return fmt.Errorf("report to the sandbox's first process: %w", err)
	}
	how, err := start.ReadByte()
	if err != nil {
		os.Exit(1) // init gave up and says why
	}
	if p.Root != "" {
		if err := unix.Chroot(p.Root); err != nil {
			return fmt.Errorf("change the root to '%s': %w", p.Root, err)
		}
	}
	if err := unix.Chdir(p.Dir); err != nil {
		return fmt.Errorf("changing into '%s': %w", p.Dir, err)
	}
	if err := limit(p.Linux32); err != nil {
		return err
	}
	if p.Record && how == goOnForReal {
		err = actForReal()
	} else if p.Record {
		var listener int
		listener, err = install(recorderFilter(), true)
		switch {
		case err == nil:
			if err := unix.Sendmsg(payloadSock, []byte{0}, unix.UnixRights(listener), nil, 0); err != nil {
				return fmt.Errorf("send the recorder's descriptor: %w", err)
			}
			if p.Direct {
				err = dropCapabilities(kept &^ recorded)
			}
		case p.Direct:
			if _, err := unix.Write(payloadSock, []byte{noListener}); err != nil {
				return fmt.Errorf("report to the sandbox's first process: %w", err)
			}
			if n, err := unix.Read(payloadSock, make([]byte, 1)); err != nil || n == 0 {
				os.Exit(1)
			}
			err = actForReal()
		}
	} else if _, err := install(builderFilter(), false); err != nil {
		if !p.Direct {
			return err
		}
		fmt.Fprintf(os.Stderr, "warning: the builder is not kept from setting setuid bits: %v\n", err)
	}
	if err != nil {
		return err
	}
	return execute(p.Path, p.Args, p.Env)
}

// limit sets what a program cannot raise again or should not see of its
// parent: no core dumps, the usual umask, fixed addresses.
func limit(is32 bool) error {
	unix.Umask(0o022)
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}); err != nil {
		return fmt.Errorf("forbid core dumps: %w", err)
	}
	// Containers may forbid the first; addresses are random then.
	var domain uintptr
	if is32 {
		domain = linux32
	}
	if setPersonality(domain|addrNoRandomize) == nil || !is32 {
		return nil
	}
	return setPersonality(domain)
}

// execute replaces the process and leaves it the standard descriptors only.
func execute(path string, args, env []string) error {
	if err := unix.CloseRange(3, math.MaxUint32, unix.CLOSE_RANGE_CLOEXEC); err != nil {
		for fd := 3; fd < 1024; fd++ { // before Linux 5.11
			unix.CloseOnExec(fd)
		}
	}
	err := syscall.Exec(path, args, env)
	return fmt.Errorf("executing '%s': %w", path, err)
}
