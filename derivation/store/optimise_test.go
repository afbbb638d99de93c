package store

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func inode(t *testing.T, file string) (ino, links uint64) {
	t.Helper()
	info, err := os.Lstat(file)
	if err != nil {
		t.Fatal(err)
	}
	st := info.Sys().(*syscall.Stat_t)
	return st.Ino, uint64(st.Nlink)
}

func TestOptimise(t *testing.T) {
	s := openTest(t, Options{})
	src := t.TempDir()
	for _, f := range []struct {
		name, content string
		mode          os.FileMode
	}{{"a/same", "content", 0o644}, {"b/same", "content", 0o600}, {"b/program", "content", 0o755}, {"b/other", "another", 0o644}} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(src, f.name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(src, f.name), []byte(f.content), f.mode); err != nil {
			t.Fatal(err)
		}
	}
	a, err := s.AddPath(t.Context(), "a", src+"/a", Ingestion{})
	if err != nil {
		t.Fatal(err)
	}
	b, err := s.AddPath(t.Context(), "b", src+"/b", Ingestion{})
	if err != nil {
		t.Fatal(err)
	}
	saved, err := s.Optimise(t.Context(), func(text string) { t.Error(text) })
	if err != nil || saved != (Saving{1, int64(len("content"))}) {
		t.Errorf("%+v, %v", saved, err)
	}
	one, links := inode(t, s.RealPath(a)+"/same")
	two, _ := inode(t, s.RealPath(b)+"/same")
	program, _ := inode(t, s.RealPath(b)+"/program")
	if one != two || links != 3 || program == one {
		t.Errorf("inodes %d, %d with %d links, program %d", one, two, links, program)
	}
	wantSound(t, s)
	if saved, err = s.Optimise(t.Context(), func(text string) { t.Error(text) }); err != nil || saved.Files != 0 {
		t.Errorf("again: %+v, %v", saved, err)
	}
	// A file that is no longer what it was is left alone.
	file := s.RealPath(b) + "/other"
	if err := os.Chmod(file, 0o644); err != nil {
		t.Fatal(err)
	}
	warned := 0
	if _, err = s.Optimise(t.Context(), func(string) { warned++ }); err != nil || warned != 1 {
		t.Errorf("%d warnings, %v", warned, err)
	}
}

func TestAutoOptimise(t *testing.T) {
	s := openTest(t, Options{Optimise: true})
	src := t.TempDir()
	if err := os.WriteFile(src+"/f", []byte("content"), 0o644); err != nil {
		t.Fatal(err)
	}
	var inodes []uint64
	for _, name := range []string{"one", "two"} {
		p, err := s.AddPath(t.Context(), name, src, Ingestion{})
		if err != nil {
			t.Fatal(err)
		}
		ino, _ := inode(t, s.RealPath(p)+"/f")
		inodes = append(inodes, ino)
	}
	flat, err := s.AddPath(t.Context(), "three", src+"/f", Ingestion{})
	if err != nil {
		t.Fatal(err)
	}
	ino, links := inode(t, s.RealPath(flat))
	if inodes[0] != inodes[1] || ino != inodes[0] || links != 4 {
		t.Errorf("inodes %v and %d with %d links", inodes, ino, links)
	}
	wantSound(t, s)
}
