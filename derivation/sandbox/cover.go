//go:build linux && (amd64 || arm64)

package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// covers are files and directories that lie in a root directory while a program
// runs there, where no mounts can be had. What was in their places is beside
// the root meanwhile.
type covers struct {
	root  *root
	aside string // physical directory for what is covered
	list  []cover
	proc  int // where /proc is mounted; -1 if it is not
}

// cover is one name in the root. Directories are held open, so that it makes
// no difference what links the program makes.
type cover struct {
	path   string
	parent int // descriptor of the directory
	name   string
	ino    Ino    // what was put there
	was    string // what was there, below aside; "" for nothing
	above  bool   // only a directory on the way to another one
}

func openCovers(dir string) (*covers, error) {
	fd, err := unix.Open(dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", dir, err)
	}
	// Beside the root it is on the same file system, so far as is known.
	aside, err := os.MkdirTemp(filepath.Dir(dir), ".aside-")
	if err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("put aside what is in %s: %w", dir, err)
	}
	return &covers{root: &root{fd: fd}, aside: aside, proc: -1}, nil
}

// furnish puts into the root what RunInRoot mounts there, as far as possible,
// and returns what to tell the user about the rest.
func (c *covers) furnish(ctx context.Context, binds []mount, mayMount bool) (notes []string, err error) {
	for _, d := range []string{"proc", "dev"} {
		var st unix.Stat_t
		err := unix.Fstatat(c.root.fd, d, &st, unix.AT_SYMLINK_NOFOLLOW)
		if err == nil && st.Mode&unix.S_IFMT != unix.S_IFDIR {
			return nil, fmt.Errorf("/%s in the root directory is not a directory", d)
		}
	}
	proc, err := c.cover("/proc", makeDir(0o555))
	if err != nil {
		return nil, err
	}
	if mayMount {
		c.mountProc(proc)
	}
	dev, err := c.cover("/dev", makeDir(0o755))
	if err != nil {
		return nil, err
	}
	if notes, err = fillDev(dev); err != nil {
		return nil, err
	}
	inStore, err := c.cover("/nix/store", makeDir(0o755))
	if err != nil {
		return nil, err
	}
	for _, b := range binds {
		make := func(at string) error { return copyTree(ctx, b.Source, at) }
		// What is in the store goes with it.
		if base, ok := strings.CutPrefix(b.Target, "/nix/store/"); ok && !strings.Contains(base, "/") {
			err = make(inStore + "/" + base)
		} else {
			_, err = c.cover(b.Target, make)
		}
		if err != nil {
			return nil, fmt.Errorf("put %s at %s: %w", b.Source, b.Target, err)
		}
	}
	return notes, nil
}

// mountProc shows the machine's /proc, unless that is forbidden after all.
// Nothing in it can be written to.
func (c *covers) mountProc(at string) {
	if unix.Mount("/proc", at, "", unix.MS_BIND|unix.MS_REC, "") != nil {
		return
	}
	entry := &c.list[len(c.list)-1]
	c.proc = len(c.list) - 1
	// The descriptor of the parent leads to what is mounted now.
	fd, err := unix.Openat(entry.parent, entry.name, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err == nil {
		defer unix.Close(fd)
		var st unix.Statfs_t
		if err = unix.Fstatfs(fd, &st); err == nil {
			err = unix.Mount("", procFD(fd), "", unix.MS_BIND|unix.MS_REMOUNT|unix.MS_RDONLY|unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, "")
		}
	}
	if err != nil {
		c.unmountProc()
	}
}

func (c *covers) unmountProc() {
	if c.proc < 0 {
		return
	}
	entry := c.list[c.proc]
	// One that cannot be found any more goes with this process.
	_ = unix.Unmount(procFD(entry.parent)+"/"+entry.name, unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW)
	c.proc = -1
}

// cover has make make something at path, in the place of what is there, and
// returns the physical name by which it can be reached until a program runs.
func (c *covers) cover(name string, make func(at string) error) (string, error) {
	parent, err := c.dir(path.Dir(name))
	if err != nil {
		return "", err
	}
	entry := cover{path: name, parent: parent, name: path.Base(name)}
	at := procFD(parent) + "/" + entry.name
	if _, err := os.Lstat(at); err == nil {
		was := strconv.Itoa(len(c.list))
		if err := os.Rename(at, filepath.Join(c.aside, was)); err != nil {
			unix.Close(parent)
			return "", fmt.Errorf("put aside %s: %w", name, err)
		}
		entry.was = was
	}
	c.list = append(c.list, entry)
	if err := make(at); err != nil {
		return "", err
	}
	c.list[len(c.list)-1].ino, err = inoAt(parent, entry.name)
	return at, err
}

// dir opens a directory of the root, which is made if need be.
func (c *covers) dir(name string) (int, error) {
	fd, err := c.root.open(name)
	if err == nil {
		return fd, nil
	}
	if !errors.Is(err, unix.ENOENT) || name == "/" {
		return -1, fmt.Errorf("open %s: %w", name, err)
	}
	parent, err := c.dir(path.Dir(name))
	if err != nil {
		return -1, err
	}
	base := path.Base(name)
	if err := makeDir(0o755)(procFD(parent) + "/" + base); err != nil {
		unix.Close(parent)
		return -1, err
	}
	c.list = append(c.list, cover{path: name, parent: parent, name: base, above: true})
	return c.root.open(name)
}

func inoAt(parent int, name string) (Ino, error) {
	var st unix.Stat_t
	if err := unix.Fstatat(parent, name, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return Ino{}, err
	}
	return Ino{uint64(st.Dev), st.Ino}, nil
}

// undo removes what was put into the root and brings back what was there.
func (c *covers) undo() error {
	c.unmountProc()
	var all error
	for _, entry := range slices.Backward(c.list) {
		all = errors.Join(all, c.uncover(entry))
		unix.Close(entry.parent)
	}
	unix.Close(c.root.fd)
	if all != nil {
		return all
	}
	return os.Remove(c.aside)
}

func (c *covers) uncover(entry cover) error {
	if entry.above {
		// Others may be using it by now.
		_ = unix.Unlinkat(entry.parent, entry.name, unix.AT_REMOVEDIR)
		return nil
	}
	if ino, err := inoAt(entry.parent, entry.name); entry.ino != (Ino{}) && (err != nil || ino != entry.ino) {
		return fmt.Errorf("the program replaced %s, which is there only for the run", entry.path)
	}
	dir, err := os.OpenRoot(procFD(entry.parent))
	if err != nil {
		return fmt.Errorf("remove %s: %w", entry.path, err)
	}
	defer dir.Close()
	if err := dir.RemoveAll(entry.name); err != nil {
		return fmt.Errorf("remove %s: %w", entry.path, err)
	}
	if entry.was == "" {
		return nil
	}
	if err := os.Rename(filepath.Join(c.aside, entry.was), procFD(entry.parent)+"/"+entry.name); err != nil {
		return fmt.Errorf("bring back %s: %w", entry.path, err)
	}
	return nil
}

// makeDir makes directories of one mode.
func makeDir(mode os.FileMode) func(at string) error {
	return func(at string) error {
		if err := os.Mkdir(at, 0o700); err != nil {
			return err
		}
		return os.Chmod(at, mode)
	}
}

// deviceNumbers are those of devices.
var deviceNumbers = map[string]uint64{
	"null": unix.Mkdev(1, 3), "zero": unix.Mkdev(1, 5), "full": unix.Mkdev(1, 7),
	"random": unix.Mkdev(1, 8), "urandom": unix.Mkdev(1, 9), "tty": unix.Mkdev(5, 0),
}

// fillDev makes a minimal /dev.
func fillDev(dev string) (notes []string, err error) {
	for _, name := range devices {
		err := makeDevice(dev+"/"+name, deviceNumbers[name])
		if err == nil {
			continue
		}
		if name != "null" {
			return nil, err
		}
		// Most programs only want to get rid of something.
		notes = append(notes, fmt.Sprintf("the machine allows no devices (%v); scripts have an ordinary file as /dev/null and no other device", err))
		if err := os.WriteFile(dev+"/null", nil, 0o666); err != nil {
			return nil, err
		}
		if err := os.Chmod(dev+"/null", 0o666); err != nil {
			return nil, err
		}
		break
	}
	if err := makeDir(0o777 | os.ModeSticky)(dev + "/shm"); err != nil {
		return nil, err
	}
	for _, l := range devLinks {
		if l.Path == "/dev/ptmx" {
			continue // there are no terminals to be had
		}
		if err := os.Symlink(l.Target, dev+strings.TrimPrefix(l.Path, "/dev")); err != nil {
			return nil, err
		}
	}
	return notes, nil
}

// makeDevice makes a device that everybody may use, and finds out whether it
// can be opened where it is.
func makeDevice(at string, number uint64) error {
	if err := unix.Mknod(at, unix.S_IFCHR|0o666, int(number)); err != nil {
		return fmt.Errorf("mknod: %w", err)
	}
	if err := os.Chmod(at, 0o666); err != nil {
		return err
	}
	fd, err := unix.Open(at, unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	// A process without a terminal cannot open /dev/tty, nor need it.
	if err != nil && err != unix.ENXIO {
		return errors.Join(fmt.Errorf("open: %w", err), os.Remove(at))
	}
	if err == nil {
		unix.Close(fd)
	}
	return nil
}

// copyTree copies a file or a directory as the store has them: contents,
// permissions and times of change count.
func copyTree(ctx context.Context, from, to string) error {
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	var st unix.Stat_t
	if err := unix.Lstat(from, &st); err != nil {
		return &os.PathError{Op: "lstat", Path: from, Err: err}
	}
	mode := os.FileMode(st.Mode & 0o777)
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFLNK:
		target, err := os.Readlink(from)
		if err == nil {
			err = os.Symlink(target, to)
		}
		if err != nil {
			return err
		}
	case unix.S_IFDIR:
		if err := os.Mkdir(to, 0o700); err != nil {
			return err
		}
		entries, err := os.ReadDir(from)
		if err != nil {
			return err
		}
		for _, e := range entries {
			if err := copyTree(ctx, from+"/"+e.Name(), to+"/"+e.Name()); err != nil {
				return err
			}
		}
		if err := os.Chmod(to, mode); err != nil {
			return err
		}
	case unix.S_IFREG:
		if err := copyFile(from, to, mode); err != nil {
			return err
		}
	default:
		return fmt.Errorf("%s is neither a file, a directory nor a symbolic link", from)
	}
	times := []unix.Timespec{st.Atim, st.Mtim}
	if err := unix.UtimesNanoAt(unix.AT_FDCWD, to, times, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return &os.PathError{Op: "utimensat", Path: to, Err: err}
	}
	return nil
}

// copyFile lets the system share blocks where it can.
func copyFile(from, to string, mode os.FileMode) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	if err == nil {
		err = out.Chmod(mode)
	}
	return errors.Join(err, out.Close())
}
