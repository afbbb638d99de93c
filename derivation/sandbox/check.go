//go:build linux && (amd64 || arm64)

package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// wayOut ends the messages about systems without namespaces.
const wayOut = "or build as root without a sandbox, with the store at its own place: '--store / --option sandbox false'"

// obstacles are settings that keep ordinary users, or everybody, from making
// namespaces.
var obstacles = []struct {
	file      string // below /proc/sys
	forbidden string // the value that does
	value     string // one that does not
	rootToo   bool
}{
	{"kernel/unprivileged_userns_clone", "0", "1", false},
	{"user/max_user_namespaces", "0", "15000", true},
	{"user/max_mnt_namespaces", "0", "15000", true},
	{"user/max_pid_namespaces", "0", "15000", true},
	{"user/max_net_namespaces", "0", "15000", true},
	{"user/max_ipc_namespaces", "0", "15000", true},
	{"user/max_uts_namespaces", "0", "15000", true},
	{"kernel/apparmor_restrict_unprivileged_userns", "1", "0", false},
}

// Check finds out whether sandboxes can be made on this machine, by making one.
// The error says what forbids it and what can be done.
func Check(ctx context.Context) error {
	// The root is mounted over some directory that exists; outside of the sandbox
	// that is not seen.
	dir := "/tmp"
	if _, err := os.Stat(dir); err != nil {
		dir = "/etc"
	}
	_, err := run(ctx, &plan{Root: dir, UID: buildUID, GID: buildGID, Probe: true, Dir: "/"}, io.Discard)
	return explain(err)
}

// explain adds to the error of a sandbox that could not be made what forbids
// it, as far as can be known.
func explain(err error) error {
	if !isForbidden(err) {
		return err
	}
	return forbidden(err, "/proc/sys", circumstances{root: os.Geteuid() == 0, filtered: underFilter(), chrooted: inChroot()})
}

// circumstances are those of this process that matter to the kernel.
type circumstances struct {
	root     bool // it is root
	filtered bool // a seccomp filter applies to it
	chrooted bool
}

// forbidden words the error; sys is where the settings are read.
func forbidden(err error, sys string, is circumstances) error {
	for _, o := range obstacles {
		text, readErr := os.ReadFile(sys + "/" + o.file)
		if readErr != nil || strings.TrimSpace(string(text)) != o.forbidden || is.root && !o.rootToo {
			continue
		}
		name := strings.ReplaceAll(o.file, "/", ".")
		return fmt.Errorf("builds need user namespaces, which this system forbids: %s is %s (%w);\n"+
			"either allow them with 'sysctl -w %s=%s' as root,\n%s", name, o.forbidden, err, name, o.value, wayOut)
	}
	switch {
	case errors.Is(err, unix.ENOSYS):
		return fmt.Errorf("builds need Linux 5.9 or newer with user namespaces (%w);\nuse such a machine, %s", err, wayOut)
	case errors.Is(err, unix.ENOENT):
		return fmt.Errorf("builds need /proc, which is not mounted here (%w);\nmount it with 'mount -t proc proc /proc' as root", err)
	case strings.HasPrefix(err.Error(), "mount /proc"):
		return fmt.Errorf("builds need a /proc of their own, which a container like this one forbids (%w);\n"+
			"either start the container with '--security-opt systempaths=unconfined',\n%s", err, wayOut)
	case is.filtered: // such a container masks parts of /proc, too
		return fmt.Errorf("builds need user namespaces, which the seccomp filter of this container forbids (%w);\n"+
			"either start the container with '--security-opt seccomp=unconfined --security-opt systempaths=unconfined',\n%s", err, wayOut)
	case is.chrooted:
		return fmt.Errorf("builds need user namespaces, which Linux gives to nobody in a chroot (%w);\n"+
			"either enter it by pivot_root, as containers do, instead of chroot,\n%s", err, wayOut)
	}
	return fmt.Errorf("builds need user namespaces, which this system forbids (%w);\n"+
		"no sysctl is set so, it may be a security module or a chroot; allow them there,\n%s", err, wayOut)
}

// underFilter reports whether a seccomp filter applies to this process.
func underFilter() bool {
	status, err := os.ReadFile("/proc/self/status")
	return err == nil && strings.Contains(string(status), "\nSeccomp:\t2")
}

// inChroot reports whether nothing is mounted at the root, as in a chroot to an
// ordinary directory.
func inChroot() bool {
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(mounts)) {
		if fields := strings.Fields(line); len(fields) > 4 && fields[4] == "/" {
			return false
		}
	}
	return true
}
