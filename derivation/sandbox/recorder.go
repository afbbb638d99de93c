//go:build linux && (amd64 || arm64)

package sandbox

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// recorder lets programs believe that they are root of the machine's users:
// chown and mknod of devices succeed and are written down, and stat tells what
// has been written down. The system calls are caught by a seccomp filter that
// asks the recorder, so it makes no difference whether programs are static.
//
// Three things differ from real root and are meant to:
//   - Becoming another user is refused (EPERM) with a note, because the files
//     that a program makes afterwards would silently have the wrong owner.
//     "Becoming" root, which one is, and setgroups succeed without effect, so
//     getuid and the like always tell the truth.
//   - A recorded device cannot be opened as one; on disk it is an empty file,
//     and a directory listing with types shows it as such.
//   - Permission checks are made for root, who may do everything.
type recorder struct {
	root    string // as this process sees it
	entries map[Ino]entry
	pins    []pin // a ring
	next    int   // the place in pins that is used next
	notes   []string
	noted   map[string]bool
	quit    [2]int // closing quit[1] ends serve
	serving bool
	done    chan struct{}
}

// entry is what is recorded of a file. The number of an inode is used again
// when its file is gone, so the time of birth must agree too.
type entry struct {
	owner Owner
	birth birth
}

// birth is when an inode was made; zero where the file system does not say.
type birth struct {
	sec  int64
	nsec uint32
}

// pin keeps the inode of a file in existence and thus its number from being
// used again. File systems take the time of birth from a clock that ticks every
// few milliseconds; a file deleted and another one made within a tick could
// otherwise be confused.
type pin struct {
	fd  int
	ino Ino
}

// pinned files are more than a program can make, hand to chown and delete
// within a tick.
const pinned = 256

func newRecorder(root string, owners []ownerEntry) (*recorder, error) {
	r := &recorder{root: root, entries: map[Ino]entry{}, noted: map[string]bool{}, done: make(chan struct{})}
	if err := unix.Pipe2(r.quit[:], unix.O_CLOEXEC); err != nil {
		return nil, fmt.Errorf("create a pipe: %w", err)
	}
	if len(owners) == 0 {
		return r, nil
	}
	table := make(map[Ino]Owner, len(owners))
	for _, o := range owners {
		table[Ino{o.Dev, o.Ino}] = o.Owner
	}
	err := walkRoot(root, func(path string, ino Ino) error {
		o, ok := table[ino]
		if !ok {
			return nil
		}
		var st unix.Statx_t
		if err := statx(unix.AT_FDCWD, path, &st); err != nil {
			return fmt.Errorf("stat %s: %w", path, err)
		}
		r.entries[ino] = entry{o, birthOf(&st)}
		return nil
	})
	return r, err
}

// table returns what is recorded of the files that exist.
func (r *recorder) table() ([]ownerEntry, error) {
	var rows []ownerEntry
	seen := map[Ino]bool{}
	err := walkRoot(r.root, func(path string, ino Ino) error {
		e, ok := r.entries[ino]
		if !ok || seen[ino] || e.owner == (Owner{}) {
			return nil
		}
		seen[ino] = true
		var st unix.Statx_t
		if err := statx(unix.AT_FDCWD, path, &st); err != nil {
			return fmt.Errorf("stat %s: %w", path, err)
		}
		if e.birth == birthOf(&st) {
			rows = append(rows, ownerEntry{ino.Dev, ino.Ino, e.owner})
		}
		return nil
	})
	return rows, err
}

// walkRoot calls visit for each file of the root's own file system.
func walkRoot(root string, visit func(path string, ino Ino) error) error {
	var rootDev uint64
	return filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return fmt.Errorf("read %s: %w", path, err)
		}
		info, err := d.Info()
		if err != nil {
			return fmt.Errorf("read %s: %w", path, err)
		}
		st := info.Sys().(*syscall.Stat_t)
		ino := Ino{uint64(st.Dev), st.Ino}
		if path == root {
			rootDev = ino.Dev
		}
		if ino.Dev != rootDev {
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		return visit(path, ino)
	})
}

// statx asks for what identifies a file and for what programs may ask.
func statx(fd int, path string, st *unix.Statx_t) error {
	const flags = unix.AT_EMPTY_PATH | unix.AT_SYMLINK_NOFOLLOW | unix.AT_NO_AUTOMOUNT
	return unix.Statx(fd, path, flags, unix.STATX_BASIC_STATS|unix.STATX_BTIME, st)
}

func birthOf(st *unix.Statx_t) birth {
	if st.Mask&unix.STATX_BTIME == 0 {
		return birth{}
	}
	return birth{st.Btime.Sec, st.Btime.Nsec}
}

func inoOf(st *unix.Statx_t) Ino {
	return Ino{unix.Mkdev(st.Dev_major, st.Dev_minor), st.Ino}
}

// find returns what is recorded of the file whose statx is st.
func (r *recorder) find(st *unix.Statx_t) (Owner, bool) {
	ino := inoOf(st)
	e, ok := r.entries[ino]
	if ok && e.birth != birthOf(st) {
		delete(r.entries, ino)
		return Owner{}, false
	}
	return e.owner, ok
}

// record writes down the owner of the file that fd leads to, and takes over fd.
func (r *recorder) record(fd int, st *unix.Statx_t, o Owner) {
	ino := inoOf(st)
	r.entries[ino] = entry{o, birthOf(st)}
	p := pin{fd, ino}
	if len(r.pins) < pinned {
		r.pins = append(r.pins, p)
		return
	}
	old := r.pins[r.next]
	r.pins[r.next] = p
	r.next = (r.next + 1) % pinned
	var gone unix.Stat_t
	if unix.Fstat(old.fd, &gone) == nil && gone.Nlink == 0 && !r.pinnedAgain(old.ino) {
		delete(r.entries, old.ino)
	}
	unix.Close(old.fd)
}

// pinnedAgain reports whether another pin holds the same inode.
func (r *recorder) pinnedAgain(ino Ino) bool {
	for _, p := range r.pins {
		if p.ino == ino {
			return true
		}
	}
	return false
}

// note remembers something to tell the user, once.
func (r *recorder) note(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if !r.noted[text] && len(r.notes) < 100 {
		r.noted[text] = true
		r.notes = append(r.notes, text)
	}
}

// start lets the recorder answer what comes from listener.
func (r *recorder) start(listener int) {
	r.serving = true
	go r.serve(listener)
}

// serve answers notifications until stop is called.
func (r *recorder) serve(listener int) {
	defer close(r.done)
	defer unix.Close(listener)
	for {
		fds := []unix.PollFd{{Fd: int32(listener), Events: unix.POLLIN}, {Fd: int32(r.quit[0]), Events: unix.POLLIN}}
		if _, err := unix.Poll(fds, -1); err != nil && err != unix.EINTR {
			return
		}
		if fds[1].Revents != 0 {
			return
		}
		if fds[0].Revents&unix.POLLIN == 0 {
			if fds[0].Revents != 0 {
				return // nobody is left who could ask
			}
			continue
		}
		n, err := receive(listener)
		if errors.Is(err, unix.ENOENT) {
			continue
		}
		if err != nil {
			return
		}
		resp := response{id: n.id}
		q := question{r: r, n: &n, listener: listener, mem: -1}
		val, err := q.answer()
		q.close()
		var errno syscall.Errno
		switch {
		case errors.Is(err, errContinue):
			resp.flags = unix.SECCOMP_USER_NOTIF_FLAG_CONTINUE
		case errors.As(err, &errno):
			resp.errno = -int32(errno)
		case err != nil:
			resp.errno = -int32(unix.EIO)
		default:
			resp.val = val
		}
		// ENOENT: the program was killed meanwhile.
		_ = send(listener, resp)
	}
}

// stop ends the answers and waits for the last one.
func (r *recorder) stop() {
	unix.Close(r.quit[1])
	if r.serving {
		<-r.done
	}
	for _, p := range r.pins {
		unix.Close(p.fd)
	}
	r.pins = nil
}
