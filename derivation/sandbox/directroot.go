//go:build linux && (amd64 || arm64)

package sandbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// DirectInRoot does what [RunInRoot] does on machines without namespaces, such
// as containers, where it must be called by root. The same owners and devices
// come of the same program. What differs is what the program could find out:
// it has the machine's network and host name and sees its processes, Binds are
// copies that it can write to without any effect, and unless this process may
// mount, there is no /proc.
//
// Owners are recorded as RunInRoot does it. Where the system does not let
// itself be asked on behalf of programs, files are given away for real while
// the program runs; then a program that wants to become another user gets
// EPERM, and without CAP_MKNOD it can make no devices.
func DirectInRoot(ctx context.Context, c RootCommand) (OwnerTable, error) {
	if err := CheckDirectInRoot(ctx); err != nil {
		return nil, err
	}
	p, err := c.plan()
	if err != nil {
		return nil, err
	}
	p.Direct = true
	out, err := runDirect(ctx, p, c.Log)
	if err != nil {
		return nil, err
	}
	return c.finish(out)
}

// CheckDirectInRoot finds out whether [DirectInRoot] can work.
func CheckDirectInRoot(context.Context) error {
	const what = "running scripts of images without a sandbox needs root"
	if os.Geteuid() != 0 {
		return fmt.Errorf("%s, and this is user %d; leave out '--option sandbox false'", what, os.Geteuid())
	}
	have, err := capabilities()
	if err != nil {
		return err
	}
	if have&(1<<unix.CAP_SYS_CHROOT) == 0 {
		return fmt.Errorf("%s that may change its root directory, and this one lacks CAP_SYS_CHROOT", what)
	}
	return nil
}

// kept are the capabilities that programs need to make images. All others are
// about the machine, or let a program become another user.
const kept = 1<<unix.CAP_CHOWN | 1<<unix.CAP_DAC_OVERRIDE | 1<<unix.CAP_DAC_READ_SEARCH | 1<<unix.CAP_FOWNER |
	1<<unix.CAP_FSETID | 1<<unix.CAP_MKNOD | 1<<unix.CAP_SETFCAP | 1<<unix.CAP_SYS_CHROOT

// capabilities returns those in effect for the calling thread.
func capabilities() (uint64, error) {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&header, &data[0]); err != nil {
		return 0, fmt.Errorf("read the capabilities of this process: %w", err)
	}
	return uint64(data[0].Effective) | uint64(data[1].Effective)<<32, nil
}

// recorded are the capabilities of kept that programs with a recorder do not
// need. What it does not notice shall fail.
const recorded = 1<<unix.CAP_CHOWN | 1<<unix.CAP_MKNOD

// dropCapabilities leaves the calling thread those that are in keep. What it
// executes gets no more, for it cannot gain privileges.
func dropCapabilities(keep uint64) error {
	have, err := capabilities()
	if err != nil {
		return err
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("give up gaining privileges: %w", err)
	}
	have &= keep
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	for i := range data {
		part := uint32(have >> (32 * i))
		data[i] = unix.CapUserData{Effective: part, Permitted: part}
	}
	if err := unix.Capset(&header, &data[0]); err != nil {
		return fmt.Errorf("give up capabilities: %w", err)
	}
	return nil
}

// superviseInRoot runs the program of p in its root. When ctx ends the program
// is killed, and what was put into the root goes.
func superviseInRoot(ctx context.Context, p *plan) (out outcome, err error) {
	unix.Umask(0o022)
	mayMount := privateMounts()
	c, err := openCovers(p.Root)
	if err != nil {
		return outcome{}, err
	}
	// Owners of files that will be covered are read before.
	rec, err := newRecorder(p.Root, p.Owners)
	if err != nil {
		return outcome{}, errors.Join(err, c.undo())
	}
	notes, err := c.furnish(ctx, p.Binds, mayMount)
	if err != nil {
		return outcome{}, errors.Join(err, c.undo())
	}
	// Before the program says anything, for the last line is the one that tells
	// why it failed.
	for _, n := range notes {
		fmt.Fprintf(os.Stderr, "warning: %s\n", n)
	}
	out, forReal, err := runRecorded(ctx, p, rec)
	err = errors.Join(err, endDescendants())
	rec.stop()
	if err := errors.Join(err, c.undo()); err != nil {
		return outcome{}, err
	}
	if forReal {
		out.Owners, err = takeBack(p.Root, rec.entries)
	} else {
		out.Owners, err = rec.table()
	}
	out.Notes = rec.notes
	return out, err
}

// privateMounts lets the calling thread and its children have mounts that the
// machine does not see, and reports whether that was possible.
func privateMounts() bool {
	return unix.Unshare(unix.CLONE_NEWNS) == nil && unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, "") == nil
}

// noListener in a message of the payload says that there is no descriptor.
const noListener = 1

var errNoListener = errors.New("the system cannot be asked on behalf of programs")

// runRecorded runs the program with rec as its recorder, or for real.
func runRecorded(ctx context.Context, p *plan, rec *recorder) (out outcome, forReal bool, err error) {
	main, err := startPayload(p)
	if err != nil {
		return outcome{}, false, err
	}
	defer main.sock.Close()
	defer context.AfterFunc(ctx, main.kill)()
	if forReal = p.NoRecorder || !mayAnswer(main.pid); forReal {
		if err := giveAway(p.Root, rec.entries); err != nil {
			main.kill()
			return outcome{}, true, err
		}
		err = main.release(goOnForReal)
	} else {
		err = main.release(goOn)
	}
	if err != nil {
		return outcome{}, forReal, err
	}
	if !forReal {
		listener, err := main.listener()
		switch {
		case err == nil:
			rec.start(listener)
		case errors.Is(err, errNoListener):
			forReal = true
			if err := giveAway(p.Root, rec.entries); err != nil {
				main.kill()
				return outcome{}, true, err
			}
			if _, err := main.sock.Write([]byte{goOn}); err != nil {
				return outcome{}, true, fmt.Errorf("release the program: %w", err)
			}
		default:
			// It has said on standard error why it gave up, or it was killed.
			if out, ok := main.wait(); ok {
				return out, false, nil
			}
			return outcome{}, false, err
		}
	}
	out, ok := main.wait()
	if !ok {
		return outcome{}, forReal, errors.New("the program was lost")
	}
	return out, forReal, nil
}

// mayAnswer reports whether this process may do what a recorder has to do to
// the process pid.
func mayAnswer(pid int) bool {
	fd, err := unix.Open(filepath.Join("/proc", fmt.Sprint(pid), "mem"), unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err == nil {
		unix.Close(fd)
	}
	return err == nil
}

// actForReal leaves the calling thread what it needs to do things for real.
func actForReal() error {
	// setgroups seems to succeed, as it does with a recorder. That is not worth
	// failing for where there are no filters.
	_, _ = install(groupsFilter(), false)
	return dropCapabilities(kept)
}

// groupsFilter lets setgroups succeed without effect.
func groupsFilter() program {
	var p program
	p.ifEqual(unix.SYS_SETGROUPS, answer(retErrno(0)))
	arch := machineCalls[0].arch
	return perArch(map[uint32]program{arch: p}, []uint32{arch})
}
