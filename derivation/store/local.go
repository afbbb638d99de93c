package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
	"zombiezen.com/go/sqlite"

	"gonix/derivation/storepath"
)

// Options say how a local store is opened. The zero value is what most callers
// want.
type Options struct {
	// ReadOnly opens a store that exists for reading; nothing in it changes,
	// and it may belong to someone else.
	ReadOnly bool
	// Waiting is called before the store blocks on a lock that another process
	// holds; what names the lock.
	Waiting func(what string)
	// Now gives the time of registration; nil means time.Now.
	Now func() time.Time

	// Dir, StateDir and LogDir are the physical directories of the objects, of
	// database and roots, and of build logs, where they are not
	// ROOT/nix/store, ROOT/nix/var/nix and ROOT/nix/var/log/nix. (Nix: the
	// settings real, state and log of a local store)
	Dir, StateDir, LogDir string

	// Optimise replaces files of new objects by hard links to files that are in
	// the store already. (Nix: auto-optimise-store)
	Optimise bool
	// MakeRoom is called before something is added or built, and may collect
	// garbage; nil does nothing.
	MakeRoom func(context.Context) error
}

const bigLockName = "the big Nix store lock"

// Local is a store in a directory of this machine. Its methods may be called
// concurrently.
type Local struct {
	root  string
	dir   string // root + /nix/store
	state string // root + /nix/var/nix
	log   string // root + /nix/var/log/nix
	opts  Options

	bigLock *os.File // shared: keeps others from changing the schema

	mu   sync.Mutex // guards conn
	conn *sqlite.Conn

	temp tempRoots
}

var (
	_ Store = (*Local)(nil)
	_ Adder = (*Local)(nil)
)

// Open opens the store whose root directory is root, and creates it if there is
// none. A root of "/" means the store of the machine, /nix/store itself.
func Open(root string, opts Options) (*Local, error) {
	abs, err := filepath.Abs(root)
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Waiting == nil {
		opts.Waiting = func(string) {}
	}
	s := &Local{
		root:  abs,
		dir:   cmp.Or(opts.Dir, filepath.Join(abs, storepath.DefaultDir)),
		state: cmp.Or(opts.StateDir, filepath.Join(abs, "nix/var/nix")),
		log:   cmp.Or(opts.LogDir, filepath.Join(abs, "nix/var/log/nix")),
		opts:  opts,
	}
	if err := s.open(context.Background()); err != nil {
		s.Close()
		return nil, fmt.Errorf("open store '%s': %w", abs, err)
	}
	return s, nil
}

func (s *Local) open(ctx context.Context) error {
	db := filepath.Join(s.state, "db")
	version, err := readSchema(filepath.Join(db, "schema"))
	if err != nil {
		return err
	}
	if s.opts.ReadOnly {
		if version == 0 {
			return fmt.Errorf("there is no store: %w", fs.ErrNotExist)
		}
		if err := checkSchema(version); err != nil {
			return err
		}
		s.conn, err = openDatabase(filepath.Join(db, "db.sqlite"), openReading)
		return err
	}
	if version == 0 {
		if err := s.makeDirectories(); err != nil {
			return err
		}
	}
	for _, dir := range []string{db, s.dir} {
		if err := unix.Access(dir, unix.R_OK|unix.W_OK|unix.X_OK); err != nil {
			return fmt.Errorf("%w: the directory '%s' is not writable by this user: %w", ErrReadOnly, dir, err)
		}
	}
	if s.bigLock, err = os.OpenFile(filepath.Join(db, "big-lock"), os.O_RDWR|os.O_CREATE, 0o600); err != nil {
		return err
	}
	if version == 0 {
		return s.create(ctx, db)
	}
	if err := checkSchema(version); err != nil {
		return err
	}
	if err := s.pollFlock(ctx, s.bigLock, unix.LOCK_SH, bigLockName); err != nil {
		return err
	}
	s.conn, err = openDatabase(filepath.Join(db, "db.sqlite"), openWriting)
	return err
}

// makeDirectories makes the skeleton of a new store.
func (s *Local) makeDirectories() error {
	for _, dir := range []string{
		filepath.Join(s.dir, ".links"),
		filepath.Join(s.state, "db"),
		filepath.Join(s.state, "profiles"),
		filepath.Join(s.state, "temproots"),
		filepath.Join(s.state, "gcroots/auto"),
	} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			if errors.Is(err, fs.ErrPermission) || errors.Is(err, unix.EROFS) {
				return fmt.Errorf("%w: %w", ErrReadOnly, err)
			}
			return err
		}
	}
	err := os.Symlink(filepath.Join(s.state, "profiles"), filepath.Join(s.state, "gcroots/profiles"))
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	return err
}

// create makes the database. Several processes may arrive here together: the
// first one to get the lock does the work.
func (s *Local) create(ctx context.Context, db string) error {
	if err := s.pollFlock(ctx, s.bigLock, unix.LOCK_EX, bigLockName); err != nil {
		return err
	}
	version, err := readSchema(filepath.Join(db, "schema"))
	if err != nil {
		return err
	}
	if version != 0 {
		if err := checkSchema(version); err != nil {
			return err
		}
	}
	mode := openWriting
	if version == 0 {
		mode = openCreating
	}
	if s.conn, err = openDatabase(filepath.Join(db, "db.sqlite"), mode); err != nil {
		return err
	}
	if version == 0 {
		s.reserveSpace(filepath.Join(db, "reserved"))
		if err := writeAtomically(filepath.Join(db, "schema"), fmt.Sprint(schemaVersion)); err != nil {
			return err
		}
	}
	return s.pollFlock(ctx, s.bigLock, unix.LOCK_SH, bigLockName)
}

// reservedSize is the size of a file that the garbage collector deletes to have
// room for the database on a full disk. Nix makes the same file.
const reservedSize = 8 << 20

// reserveSpace does its best: on a disk without that much room there is nothing
// to reserve.
func (s *Local) reserveSpace(file string) {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return
	}
	defer f.Close()
	if allocate(f, reservedSize) != nil {
		f.Truncate(0)
	}
}

// Close releases the store's locks and temporary roots.
func (s *Local) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var err error
	if s.conn != nil {
		if e := s.conn.Close(); e != nil {
			err = fmt.Errorf("close store '%s': %w", s.root, sqliteError(e))
		}
		s.conn = nil
	}
	s.temp.close()
	if s.bigLock != nil {
		s.bigLock.Close()
		s.bigLock = nil
	}
	return err
}

// Root returns the directory below which the store lies.
func (s *Local) Root() string { return s.root }

// Dir returns the physical directory that holds the objects.
func (s *Local) Dir() string { return s.dir }

// StateDir returns the physical directory of the database and the roots.
func (s *Local) StateDir() string { return s.state }

// LogDir returns the physical directory of the build logs.
func (s *Local) LogDir() string { return s.log }

// RealPath returns where the object at p lies on disk.
func (s *Local) RealPath(p storepath.Path) string { return s.dir + "/" + p.Base() }

// RealFile returns where a file lies on disk that is named by a logical path
// inside the store, such as /nix/store/<base>/bin/sh. Other paths are returned
// as they are. Symbolic links on the way are not looked at.
func (s *Local) RealFile(file string) string {
	if file == storepath.Dir || strings.HasPrefix(file, storepath.Dir+"/") {
		return s.dir + strings.TrimPrefix(file, storepath.Dir)
	}
	return file
}

// LogicalFile is the inverse of [Local.RealFile].
func (s *Local) LogicalFile(file string) string {
	if file == s.dir || strings.HasPrefix(file, s.dir+"/") {
		return storepath.Dir + strings.TrimPrefix(file, s.dir)
	}
	return file
}

// writable returns an error if the store was opened for reading only.
func (s *Local) writable() error {
	if s.opts.ReadOnly {
		return fmt.Errorf("store '%s': %w: it was opened for reading only", s.root, ErrReadOnly)
	}
	return nil
}

// writeAtomically gives file its content in one step.
func writeAtomically(file, content string) error {
	f, err := os.CreateTemp(filepath.Dir(file), ".tmp-*")
	if err != nil {
		return err
	}
	_, err = f.WriteString(content)
	if err == nil {
		err = f.Chmod(0o644)
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(f.Name(), file)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}
