package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"gonix/derivation/storepath"
)

// childVariable makes this test program another process that uses a store: its
// value names a function of the table children, which gets the arguments.
const childVariable = "GONIX_STORE_TEST_CHILD"

var children = map[string]func(args []string) error{
	"fill": childFill,
	"full": childFull,
	"hold": childHold,
	"user": childUser,
}

func TestMain(m *testing.M) {
	if name := os.Getenv(childVariable); name != "" {
		if err := children[name](os.Args[1:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func child(t testing.TB, name string, args ...string) *exec.Cmd {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, args...)
	cmd.Env = append(os.Environ(), childVariable+"="+name)
	cmd.Stderr = os.Stderr
	return cmd
}

// childFill fills the store args[0] from sources in args[1].
func childFill(args []string) error {
	s, err := Open(args[0], Options{})
	if err != nil {
		return err
	}
	defer s.Close()
	return fill(s, args[1])
}

// TestKill kills a process that fills a store, again and again, and expects a
// sound store each time and a complete one in the end.
func TestKill(t *testing.T) {
	root, sources := t.TempDir(), plant(t)
	t.Cleanup(func() { RemoveTree(root) })
	rng := rand.New(rand.NewPCG(7, 8))
	killed, rounds := 0, 10
	if os.Getenv("GONIX_TEST_FULL") == "1" {
		rounds = 50
	}
	for range rounds {
		cmd := child(t, "fill", root, sources)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(10+rng.IntN(60)) * time.Millisecond)
		cmd.Process.Kill()
		if cmd.Wait() != nil {
			killed++
		}
		s, err := Open(root, Options{})
		if err != nil {
			t.Fatal(err)
		}
		wantSound(t, s)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	s, err := Open(root, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := fill(s, sources); err != nil {
		t.Fatal(err)
	}
	wantSound(t, s)
	all, err := s.All(t.Context())
	if err != nil || len(all) != 2*fillCount {
		t.Errorf("%d objects, %v", len(all), err)
	}
	names, err := os.ReadDir(s.Dir())
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range names {
		if p, err := storepath.FromBase(e.Name()); err == nil {
			if ok, err := s.IsValid(t.Context(), p); !ok || err != nil {
				t.Errorf("%s is left and not valid, %v", e.Name(), err)
			}
		}
	}
	t.Logf("killed %d of %d times", killed, rounds)
	if os.Getenv("GONIX_TEST_FULL") == "1" {
		wantNixSound(t, root)
	}
}

// TestTwoProcesses lets four processes add the same objects to a store that none
// of them finds made.
func TestTwoProcesses(t *testing.T) {
	root, sources := t.TempDir(), plant(t)
	t.Cleanup(func() { RemoveTree(root) })
	var cmds []*exec.Cmd
	for range 4 {
		cmd := child(t, "fill", root, sources)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		cmds = append(cmds, cmd)
	}
	for _, cmd := range cmds {
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	}
	s, err := Open(root, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	wantSound(t, s)
	if all, err := s.All(t.Context()); err != nil || len(all) != 2*fillCount {
		t.Errorf("%d objects, %v", len(all), err)
	}
	locks, err := filepath.Glob(s.Dir() + "/*.lock")
	if err != nil || len(locks) != 0 {
		t.Errorf("lock files are left: %v, %v", locks, err)
	}
}

// childHold holds the lock of the path args[1] in the store args[0] until its
// input ends.
func childHold(args []string) error {
	s, err := Open(args[0], Options{})
	if err != nil {
		return err
	}
	defer s.Close()
	lock, err := s.Lock(context.Background(), storepath.MustParse(args[1]))
	if err != nil {
		return err
	}
	defer lock.Unlock()
	fmt.Println("held")
	io.Copy(io.Discard, os.Stdin)
	return nil
}

func TestLockOfAnother(t *testing.T) {
	var waited []string
	s := openTest(t, Options{Waiting: func(what string) { waited = append(waited, what) }})
	p := candidates(1)[0]
	cmd := child(t, "hold", s.Root(), p.String())
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := out.Read(make([]byte, 4)); err != nil {
		t.Fatal(err)
	}
	if _, ok, err := s.TryLock(p); ok || err != nil {
		t.Errorf("TryLock: %v, %v", ok, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	if _, err := s.Lock(ctx, p); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Lock with a deadline: %v", err)
	}
	if len(waited) != 1 || waited[0] != "lock on '"+p.String()+".lock'" {
		t.Errorf("told %q", waited)
	}
	in.Close()
	lock, err := s.Lock(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	lock.Unlock()
	if _, err := os.Lstat(s.RealPath(p) + ".lock"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("lock file: %v", err)
	}
}

// childFull runs in a mount namespace of its own: it mounts a small file system
// on args[0] and fills a store there until the disk is full.
func childFull(args []string) error {
	root := args[0]
	if err := unix.Mount("small", root, "tmpfs", 0, "size=13m"); err != nil {
		return fmt.Errorf("skip: %w", err)
	}
	s, err := Open(root, Options{})
	if err != nil {
		return err
	}
	defer s.Close()
	ctx := context.Background()
	big := root + "/big"
	var made []storepath.Path
	for n := 1; ; n++ {
		if n > 100 {
			return errors.New("the disk does not get full")
		}
		p, err := s.AddText(ctx, "text", strings.Repeat(fmt.Sprint(n), 1<<20), nil)
		if err == nil {
			made = append(made, p)
			continue
		}
		if !errors.Is(err, unix.ENOSPC) {
			return fmt.Errorf("a full disk is reported as: %w", err)
		}
		break
	}
	// What is left of the disk goes to a file, so that the database gets it.
	f, err := os.Create(big)
	if err != nil {
		return err
	}
	chunk := make([]byte, 4096)
	for err == nil {
		_, err = f.Write(chunk)
	}
	f.Close()
	for n := range 1000 {
		p, err := s.AddText(ctx, "small", fmt.Sprint(n), nil)
		if err == nil {
			made = append(made, p)
			continue
		}
		if !errors.Is(err, unix.ENOSPC) {
			return fmt.Errorf("a full disk is reported as: %w", err)
		}
		break
	}
	if err := os.Remove(big); err != nil {
		return err
	}
	problems, err := s.Verify(ctx, true)
	if err != nil || len(problems) > 0 {
		return fmt.Errorf("after the disk was full: %v %v", problems, err)
	}
	all, err := s.All(ctx)
	if err != nil || len(all) != len(made) {
		return fmt.Errorf("%d objects are valid, %d were added: %v", len(all), len(made), err)
	}
	names, err := filepath.Glob(s.Dir() + "/[^.]*")
	if err != nil || len(names) != len(made) {
		return fmt.Errorf("left on disk: %v, %v", names, err)
	}
	_, err = s.AddText(ctx, "again", "works", nil)
	return err
}

func TestFullDisk(t *testing.T) {
	cmd := child(t, "full", t.TempDir())
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
	cmd.Stderr = nil
	out, err := cmd.CombinedOutput()
	if err == nil {
		return
	}
	if exit := (*exec.ExitError)(nil); os.Getenv("GONIX_TEST_FULL") != "1" && (!errors.As(err, &exit) || strings.HasPrefix(string(out), "skip: ")) {
		t.Skipf("needs a mount namespace: %v %s", err, out)
	}
	t.Errorf("%v\n%s", err, out)
}
