// Package process is what a command knows of the process that it runs in: its
// streams, environment and folder, and how it ends.
package process

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
)

// Version is what --version shows and builtins.nixVersion does not.
const Version = "0.1.0"

// World is what a command knows of the process that it runs in.
type World struct {
	Called         string // the name of the program
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	LookupEnv      func(string) (string, bool)
	PasswdHome     func() string // the user's folder in the list of users; may be nil
	Cwd            string
	Terminal       bool       // stderr is one
	Width          func() int // its columns
}

func (w *World) Getenv(name string) string {
	v, _ := w.LookupEnv(name)
	return v
}

// Home is the user's folder: HOME, or what the list of users says, as services
// may have no HOME; "" if there is none. (Nix: getHome)
func (w *World) Home() string {
	if home := w.Getenv("HOME"); home != "" || w.PasswdHome == nil {
		return home
	}
	return w.PasswdHome()
}

// CacheDir is the user's folder for what can be had again, "" if there is none.
func (w *World) CacheDir() string {
	if cache := w.Getenv("XDG_CACHE_HOME"); filepath.IsAbs(cache) {
		return filepath.Join(cache, "gonix")
	}
	if home := w.Home(); home != "" {
		return filepath.Join(home, ".cache", "gonix")
	}
	return ""
}

func (w *World) Warn(msg string) { fmt.Fprintf(w.Stderr, "warning: %s\n", msg) }

// Abs is a path as the user means it.
func (w *World) Abs(path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(w.Cwd, path)
}

// ErrReported is returned by a command that has said what went wrong.
var ErrReported = errors.New("reported")

// ErrInterrupted is returned by a command that a signal ended.
var ErrInterrupted = errors.New("interrupted by the user")

// Exit ends a command with a status of its own.
type Exit int

// HashMismatch is the exit status after something was fetched that is not what
// was asked for, as in Nix and as of builds.
const HashMismatch = 102

func (e Exit) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

// IsOldName reports whether the program is called as one of Nix's old commands,
// which scripts read the output of.
func IsOldName(name string) bool { return strings.HasPrefix(name, "nix-") }
