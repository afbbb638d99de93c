//go:build linux

package repl

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"gonix/cmd/internal/process"
)

// screen is the other side of a terminal: it types, and keeps what is written.
type screen struct {
	t    *testing.T
	ptmx *os.File

	mu   sync.Mutex
	text bytes.Buffer
	seen int // what an expect has found already
}

// openTerminal returns a terminal for a session and its other side.
func openTerminal(t *testing.T) (tty *os.File, s *screen) {
	t.Helper()
	ptmx, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err == nil {
		t.Cleanup(func() { ptmx.Close() })
		var n int
		if err = unix.IoctlSetPointerInt(int(ptmx.Fd()), unix.TIOCSPTLCK, 0); err == nil {
			n, err = unix.IoctlGetInt(int(ptmx.Fd()), unix.TIOCGPTN)
		}
		if err == nil {
			err = unix.IoctlSetWinsize(int(ptmx.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 40, Col: 100})
		}
		if err == nil {
			tty, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|syscall.O_NOCTTY, 0)
		}
	}
	if err != nil {
		if os.Getenv("GONIX_TEST_FULL") == "1" {
			t.Fatal(err)
		}
		t.Skip("no terminal can be made here: ", err)
	}
	t.Cleanup(func() { tty.Close() })
	s = &screen{t: t, ptmx: ptmx}
	go func() {
		b := make([]byte, 4096)
		for {
			n, err := ptmx.Read(b)
			if err != nil {
				return
			}
			s.mu.Lock()
			s.text.Write(b[:n])
			s.mu.Unlock()
		}
	}()
	return tty, s
}

func (s *screen) typeIn(keys string) {
	s.t.Helper()
	if _, err := s.ptmx.WriteString(keys); err != nil {
		s.t.Fatal(err)
	}
}

// expect waits until text was written behind what the last expect found.
func (s *screen) expect(text string) {
	s.t.Helper()
	var all string
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		s.mu.Lock()
		all = s.text.String()
		s.mu.Unlock()
		if i := strings.Index(all[s.seen:], text); i >= 0 {
			s.seen += i + len(text)
			return
		}
	}
	s.t.Fatalf("%q does not come; behind what was expected there is %q", text, all[s.seen:])
}

const (
	keyUp    = "\x1b[A"
	keyLeft  = "\x1b[D"
	keyCtrlC = "\x03"
	keyCtrlD = "\x04"
)

// startRepl runs a session on a terminal; end waits for it.
func startRepl(t *testing.T, home string) (s *screen, end func()) {
	t.Helper()
	tty, s := openTerminal(t)
	w := &process.World{
		Stdin: tty, Stdout: tty, Stderr: tty, Cwd: home, Terminal: true,
		LookupEnv: homeOnly(home),
		Width:     func() int { return 100 },
	}
	done := make(chan error, 1)
	go func() {
		done <- Command(context.Background(), w, "gonix repl", []string{"--store", "dummy://"})
	}()
	return s, func() {
		t.Helper()
		select {
		case err := <-done:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(20 * time.Second):
			t.Fatal("the session does not end")
		}
	}
}

func TestTerminal(t *testing.T) {
	home := t.TempDir()
	s, end := startRepl(t, home)
	s.expect("Type :? for help.")
	s.expect("nix-repl> ")
	s.typeIn("1 + 41\r")
	s.expect("\x1b[36;1m42\x1b[0m")

	// What is typed can be edited.
	s.typeIn("x = 1" + keyLeft + "2\r")
	s.expect("nix-repl> ")
	s.typeIn("x * 100\r")
	s.expect("2100")

	// Input goes on in the next line.
	s.typeIn("[ 7\r")
	s.expect("        > ")
	s.typeIn("]\r")
	s.expect("7\x1b[0m")

	// A tab completes as far as there is one way to, and lists the ways.
	s.typeIn("set = { alpha = 1; alpine = 2; }\r")
	s.expect("nix-repl> ")
	s.typeIn("set.a\t")
	s.expect("lp")
	s.typeIn("\t")
	s.expect("alpha   alpine")
	s.typeIn("i\t\r")
	s.expect("\x1b[36;1m2\x1b[0m")

	// What is pasted completes nothing.
	s.typeIn("\x1b[200~\"a\tb\"\x1b[201~\r")
	s.expect(`"a\tb"`)

	// Earlier lines come again.
	s.typeIn(keyUp + keyUp + "\r")
	s.expect("\x1b[36;1m2\x1b[0m")

	// Ctrl-C gives up a line, and what is incomplete.
	s.typeIn("( nonsense\r")
	s.expect("        > ")
	s.typeIn("more" + keyCtrlC)
	s.expect("nix-repl> ")
	s.typeIn("5 * 5\r")
	s.expect("25")

	// An interruption ends the evaluation alone.
	s.typeIn("f = let f = n: if n == 0 then 0 else f (n - 1); in f\r")
	s.expect("nix-repl> ")
	s.typeIn("map (x: f 9000) (builtins.genList (x: x) 1000000)\r")
	s.expect("1000000)")
	time.Sleep(50 * time.Millisecond)
	if err := syscall.Kill(os.Getpid(), syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	s.expect("interrupted by the user")
	s.expect("nix-repl> ")
	s.typeIn("6 * 6\r")
	s.expect("36;1m36")
	s.typeIn(keyCtrlD)
	end()

	// The history is kept for the next session.
	text, err := os.ReadFile(filepath.Join(home, ".local/state/gonix/repl-history"))
	if err != nil || !strings.HasPrefix(string(text), "1 + 41\nx = 21\n") {
		t.Errorf("the history is %q, %v", text, err)
	}
	s, end = startRepl(t, home)
	s.expect("nix-repl> ")
	s.typeIn(keyUp + "\r")
	s.expect("36;1m36")
	s.typeIn(":q\r")
	end()
}
