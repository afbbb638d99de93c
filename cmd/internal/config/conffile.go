package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"gonix/cmd/internal/process"
)

// Load reads the settings as Nix does: the machine's file, the user's
// files, and NIX_CONFIG, each over the ones before. A gonix.conf beside a nix.conf
// comes after it. The program called as one of Nix's own gives up where Nix does
// when a substitute turns out bad; under its own names it builds.
func Load(w *process.World, name string) (Settings, error) {
	set := Default()
	set.Fallback = name != "nix" && !strings.HasPrefix(name, "nix-")
	for _, file := range confFiles(w) {
		if err := set.load(file, w.Warn, nil); err != nil {
			return set, err
		}
	}
	err := set.setAll(w.Getenv("NIX_CONFIG"), w.Warn)
	return set, err
}

// confFiles are the files of settings, the weakest first; they need not exist.
func confFiles(w *process.World) []string {
	machine := ConfDir(w)
	var user []string // the strongest first
	if files, given := w.LookupEnv("NIX_USER_CONF_FILES"); given {
		user = filepath.SplitList(files)
	} else {
		home := w.Getenv("XDG_CONFIG_HOME")
		if home == "" && w.Home() != "" {
			home = filepath.Join(w.Home(), ".config")
		}
		dirs := w.Getenv("XDG_CONFIG_DIRS")
		if dirs == "" {
			dirs = "/etc/xdg"
		}
		for _, dir := range append([]string{home}, filepath.SplitList(dirs)...) {
			if dir != "" {
				user = append(user, filepath.Join(dir, "nix/nix.conf"))
			}
		}
	}
	slices.Reverse(user)
	var files []string
	for _, file := range append([]string{filepath.Join(machine, "nix.conf")}, user...) {
		files = append(files, file)
		if filepath.Base(file) == "nix.conf" {
			files = append(files, filepath.Join(filepath.Dir(file), "gonix.conf"))
		}
	}
	return files
}

// ConfDir is the folder of the machine's settings.
func ConfDir(w *process.World) string {
	if dir := w.Getenv("NIX_CONF_DIR"); dir != "" {
		return dir
	}
	return "/etc/nix"
}

// load applies a file of settings, if there is one; within are the files that
// include it.
func (s *Settings) load(file string, warn func(string), within []string) error {
	text, err := os.ReadFile(file)
	if len(within) == 0 && (errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read settings: %w", err)
	}
	return s.setLines(string(text), file, warn, within)
}

// maxIncludes bounds how deep files of settings include one another.
const maxIncludes = 32

// setLines applies the lines of a text: name = value, include FILE, or !include
// FILE for one that need not exist; # begins a comment. (Nix: parseConfigFiles)
func (s *Settings) setLines(text, whence string, warn func(string), within []string) error {
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		if words[0] == "include" || words[0] == "!include" {
			if err := s.include(words, whence, warn, within); err != nil {
				return err
			}
			continue
		}
		if len(words) < 2 || words[1] != "=" {
			return fmt.Errorf("%s: the line '%s' is not of the form name = value, with spaces around =", whence, strings.TrimSpace(line))
		}
		name := words[0]
		known, err := s.Set(name, strings.Join(words[2:], " "))
		if err != nil {
			return fmt.Errorf("%s: %w", whence, err)
		}
		if !known {
			warn(fmt.Sprintf("unknown setting '%s'", name))
		}
	}
	return nil
}

func (s *Settings) include(words []string, whence string, warn func(string), within []string) error {
	if len(words) != 2 {
		return fmt.Errorf("%s: '%s' needs one file", whence, words[0])
	}
	file := words[1]
	if !filepath.IsAbs(file) {
		file = filepath.Join(filepath.Dir(whence), file)
	}
	if slices.Contains(within, file) || len(within) >= maxIncludes {
		return fmt.Errorf("%s: '%s' includes itself", whence, file)
	}
	err := s.load(file, warn, append(slices.Clip(within), whence, file))
	if words[0] == "!include" && errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
