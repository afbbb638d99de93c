package store

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"gonix/derivation/storepath"
)

// tempRoots is the list of paths that the garbage collector must leave to this
// process: a file named after the process in STATE/temproots, which the process
// keeps locked as long as it lives. A collector that can lock the file knows that
// its owner is gone, deletes it and writes a byte into it. (Nix: libstore/gc.cc,
// addTempRoot and findTempRoots)
type tempRoots struct {
	mu     sync.Mutex
	file   *os.File
	gc     *os.File // STATE/gc.lock, held shared while a root is added
	socket net.Conn // to a running collector
	known  map[storepath.Path]bool
}

// TempRoot keeps p from being collected until the store is closed, whether it
// is valid or not.
func (s *Local) TempRoot(p storepath.Path) error {
	if err := s.writable(); err != nil {
		return err
	}
	t := &s.temp
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.known[p] {
		return nil
	}
	if err := t.add(s.state, p); err != nil {
		return fmt.Errorf("temporary root '%s': %w", p, err)
	}
	if t.known == nil {
		t.known = make(map[storepath.Path]bool)
	}
	t.known[p] = true
	return nil
}

// repeatTempRoot tells a running collector of p, although it is a temporary root
// already. Whoever makes a permanent root does so afterwards: a collector that
// has read the permanent roots, but not yet those of this process, would find
// neither if the process ended in between.
func (s *Local) repeatTempRoot(p storepath.Path) error {
	t := &s.temp
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.add(s.state, p); err != nil {
		return fmt.Errorf("temporary root '%s': %w", p, err)
	}
	return nil
}

func (t *tempRoots) add(state string, p storepath.Path) error {
	if t.file == nil {
		file, err := openTempRoots(filepath.Join(state, "temproots"))
		if err != nil {
			return err
		}
		t.file = file
	}
	if t.gc == nil {
		gc, err := os.OpenFile(filepath.Join(state, "gc.lock"), os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			return err
		}
		t.gc = gc
	}
	for waited := time.Duration(0); ; waited += pollDelay(waited) {
		ok, err := tryFlock(int(t.gc.Fd()), unix.LOCK_SH)
		if err != nil {
			return err
		}
		if ok {
			defer unix.Flock(int(t.gc.Fd()), unix.LOCK_UN)
			break
		}
		// A collector is at work. It has read the roots already, so it has to
		// be told, unless it has just ended.
		told, err := t.tellCollector(filepath.Join(state, collectorSocket), p)
		if err != nil {
			return err
		}
		if told {
			break
		}
		time.Sleep(pollDelay(waited))
	}
	_, err := t.file.WriteString(p.String() + "\x00")
	return err
}

// openTempRoots makes and locks this process's file. If the process has the
// store open twice, the second file gets a suffix; collectors read the number at
// the start of the name only.
func openTempRoots(dir string) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	name := filepath.Join(dir, strconv.Itoa(os.Getpid()))
	for n := 1; n < 10000; {
		file := name
		if n > 1 {
			file += "-" + strconv.Itoa(n)
		}
		f, ok, err := tryLockFile(file)
		if err != nil {
			return nil, err
		}
		if !ok {
			n++
			continue
		}
		// A collector may have deleted the file before it was locked; it writes
		// to what it deletes, but only after deleting.
		here, err := f.Stat()
		if err != nil {
			f.Close()
			return nil, err
		}
		if there, err := os.Stat(file); err == nil && here.Size() == 0 && os.SameFile(here, there) {
			return f, nil
		}
		f.Close()
	}
	return nil, errors.New("no free name for the file of temporary roots")
}

// tellCollector reports whether a running collector promised to spare p.
func (t *tempRoots) tellCollector(socket string, p storepath.Path) (bool, error) {
	if t.socket == nil {
		var conn net.Conn
		err := atSocket(socket, func(name string) (err error) {
			conn, err = net.Dial("unix", name)
			return err
		})
		if errors.Is(err, unix.ECONNREFUSED) || errors.Is(err, unix.ENOENT) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		t.socket = conn
	}
	_, err := io.WriteString(t.socket, p.String()+"\n")
	if err == nil {
		var answer byte
		if answer, err = bufio.NewReaderSize(t.socket, 16).ReadByte(); err == nil && answer == '1' {
			return true, nil
		}
	}
	t.socket.Close()
	t.socket = nil
	return false, nil
}

func (t *tempRoots) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.socket != nil {
		t.socket.Close()
		t.socket = nil
	}
	if t.file != nil {
		os.Remove(t.file.Name())
		t.file.Close()
		t.file = nil
	}
	if t.gc != nil {
		t.gc.Close()
		t.gc = nil
	}
	t.known = nil
}
