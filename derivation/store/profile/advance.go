package profile

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"gonix/derivation/store"
	"gonix/derivation/storepath"
)

// Advance makes the object at p the newest generation of the profile, and the
// current one. A newest generation that is p already stays. (Nix:
// createGeneration and switchLink)
func Advance(ctx context.Context, s *store.Local, profile string, p storepath.Path) error {
	if err := os.MkdirAll(filepath.Dir(profile), 0o777); err != nil {
		return fmt.Errorf("make profile: %w", err)
	}
	list, err := Generations(profile)
	if err != nil {
		return err
	}
	next := 1
	if len(list) > 0 {
		last := list[len(list)-1]
		target, err := os.Readlink(last.Path)
		if err != nil {
			return fmt.Errorf("read profile: %w", err)
		}
		if s.LogicalFile(target) == p.String() {
			return switchTo(profile, last.Path)
		}
		next = last.Number + 1
	}
	link := fmt.Sprintf("%s-%d-link", profile, next)
	if err := s.AddRoot(ctx, link, p); err != nil {
		return err
	}
	return switchTo(profile, link)
}

// switchTo makes a generation the current one, in one step.
func switchTo(profile, link string) error {
	temp := fmt.Sprintf("%s.tmp-%d", profile, os.Getpid())
	if err := os.Symlink(filepath.Base(link), temp); err != nil {
		return fmt.Errorf("switch profile: %w", err)
	}
	if err := os.Rename(temp, profile); err != nil {
		os.Remove(temp)
		return fmt.Errorf("switch profile: %w", err)
	}
	return nil
}
