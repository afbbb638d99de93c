package nixpkgslite

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// notEmbedded are the files of the folder that are about the set, not in it.
var notEmbedded = map[string]bool{"embed.go": true, "embed_test.go": true}

func TestNothingIsMissed(t *testing.T) {
	count := 0
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || notEmbedded[path] {
			return err
		}
		count++
		info, err := entry.Info()
		if err != nil {
			return err
		}
		if !info.Mode().IsRegular() {
			t.Errorf("%s is no regular file: it cannot be embedded", path)
			return nil
		}
		if info.Mode()&0o111 != 0 {
			t.Errorf("%s is executable: its store path would differ from that of the embedded copy", path)
		}
		onDisk, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		embedded, err := FS.ReadFile(filepath.ToSlash(path))
		if err != nil {
			t.Errorf("%s is not embedded: %v", path, err)
		} else if !bytes.Equal(onDisk, embedded) {
			t.Errorf("%s differs from its embedded copy", path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if count < 60 {
		t.Errorf("only %d files: the walk misses folders", count)
	}
}

// Every package folder lies where the first two letters of its name say.
func TestPackagesLieByName(t *testing.T) {
	shards, err := fs.ReadDir(FS, "pkgs/by-name")
	if err != nil {
		t.Fatal(err)
	}
	for _, shard := range shards {
		packages, err := fs.ReadDir(FS, "pkgs/by-name/"+shard.Name())
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range packages {
			if !strings.HasPrefix(strings.ToLower(p.Name()), shard.Name()) {
				t.Errorf("package %s lies in %s", p.Name(), shard.Name())
			}
			if _, err := fs.Stat(FS, "pkgs/by-name/"+shard.Name()+"/"+p.Name()+"/package.nix"); err != nil {
				t.Errorf("package %s: %v", p.Name(), err)
			}
		}
	}
}
