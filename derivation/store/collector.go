package store

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

const collectorLockName = "the big garbage collector lock"

// LockCollector takes STATE/gc.lock: exclusively for a collection, shared to keep
// one from beginning. The lock is held until the returned file is closed. (Nix:
// openGCLock)
func (s *Local) LockCollector(ctx context.Context, exclusive bool) (*os.File, error) {
	if err := s.writable(); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(filepath.Join(s.state, "gc.lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock the garbage collector: %w", err)
	}
	how := unix.LOCK_SH
	if exclusive {
		how = unix.LOCK_EX
	}
	if err := s.pollFlock(ctx, f, how, collectorLockName); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// ListenCollector makes the socket at which a collection is told of new temporary
// roots: a line with a path each, answered by "1" once the collector will spare
// it or has finished deleting it. The caller holds the collector's lock.
func (s *Local) ListenCollector() (net.Listener, error) {
	socket := filepath.Join(s.state, collectorSocket)
	if err := os.MkdirAll(filepath.Dir(socket), 0o755); err != nil {
		return nil, fmt.Errorf("listen for roots: %w", err)
	}
	if err := os.Remove(socket); err != nil && !os.IsNotExist(err) {
		return nil, fmt.Errorf("listen for roots: %w", err)
	}
	var l net.Listener
	err := atSocket(socket, func(name string) (err error) {
		l, err = net.Listen("unix", name)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("listen for roots: %w", err)
	}
	// A socket that stays is what Nix leaves, too: who finds nobody behind it
	// tries the lock again.
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	if err := os.Chmod(socket, 0o666); err != nil {
		l.Close()
		return nil, fmt.Errorf("listen for roots: %w", err)
	}
	return l, nil
}

const collectorSocket = "gc-socket/socket"

// maxSocketName is what fits into the address of a socket.
const maxSocketName = 100

// atSocket calls use with a name for the socket that is short enough for an
// address.
func atSocket(socket string, use func(name string) error) error {
	if len(socket) <= maxSocketName {
		return use(socket)
	}
	dir, err := os.Open(filepath.Dir(socket))
	if err != nil {
		return err
	}
	defer dir.Close()
	return use(fmt.Sprintf("/proc/self/fd/%d/%s", dir.Fd(), filepath.Base(socket)))
}

// Reserved is the file that a collection deletes first, so that the database has
// room on a full disk.
func (s *Local) Reserved() string { return filepath.Join(s.state, "db", "reserved") }
