package git

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/format/index"
	"github.com/go-git/go-git/v5/plumbing/object"

	"gonix/derivation/nar"
)

// WorkTree is the state of the files that a repository tracks, as they lie in
// its work tree now.
type WorkTree struct {
	Head  string // the commit that is checked out, "" if there is none yet
	Dirty bool   // files or the index differ from the commit
	repo  *Repository
	files map[string]bool // tracked files and, true, the folders above them
}

// WorkTree looks at the work tree.
func (r *Repository) WorkTree() (*WorkTree, error) {
	head, err := r.Head()
	if err != nil {
		return nil, err
	}
	w := &WorkTree{Head: head, repo: r, files: map[string]bool{"": true}}
	committed := map[string]object.TreeEntry{}
	if head != "" {
		if committed, err = r.files(head); err != nil {
			return nil, err
		}
	}
	idx, err := r.repo.Storer.Index()
	if err != nil {
		return nil, fmt.Errorf("read the index of '%s': %w", r.dir, err)
	}
	cfg, err := r.repo.Config()
	if err != nil {
		return nil, fmt.Errorf("read the configuration of '%s': %w", r.dir, err)
	}
	trustMode := cfg.Raw.Section("core").Option("filemode") != "false"
	var written time.Time
	if info, err := os.Stat(filepath.Join(r.git, "index")); err == nil {
		written = info.ModTime()
	}
	for _, e := range idx.Entries {
		c, ok := committed[e.Name]
		if !ok || c.Hash != e.Hash || c.Mode != e.Mode || e.Stage != 0 || e.IntentToAdd {
			w.Dirty = true
		}
		delete(committed, e.Name)
		if e.Mode == filemode.Submodule {
			continue
		}
		state, err := r.compare(e, trustMode, written)
		if err != nil {
			return nil, err
		}
		w.Dirty = w.Dirty || state != unchanged
		if state != deleted {
			w.track(e.Name)
		}
	}
	for _, c := range committed {
		// Whether a submodule is checked out is its own business.
		w.Dirty = w.Dirty || c.Mode != filemode.Submodule
	}
	return w, nil
}

// Mountpoint makes the folder of a submodule part of the tree.
func (w *WorkTree) Mountpoint(name string) {
	w.track(name)
	w.files[name] = true
}

func (w *WorkTree) track(name string) {
	w.files[name] = false
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		w.files[dir] = true
	}
}

// files returns all that is in the tree of a commit but folders, by path.
func (r *Repository) files(rev string) (map[string]object.TreeEntry, error) {
	c, err := r.commit(rev)
	if err != nil {
		return nil, err
	}
	tree, err := c.Tree()
	if err != nil {
		return nil, err
	}
	out := map[string]object.TreeEntry{}
	walker := object.NewTreeWalker(tree, true, nil)
	defer walker.Close()
	for {
		name, e, err := walker.Next()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read the tree of Git commit '%s': %w", rev, err)
		}
		if e.Mode != filemode.Dir {
			out[name] = e
		}
	}
}

type fileState uint8

const (
	unchanged fileState = iota
	modified
	deleted
)

// compare looks whether a file is as the index has it. The time that the index
// remembers is trusted, unless the file is as young as the index itself.
func (r *Repository) compare(e *index.Entry, trustMode bool, written time.Time) (fileState, error) {
	name := filepath.Join(r.work, e.Name)
	st, err := os.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		if e.SkipWorktree {
			return unchanged, nil
		}
		return deleted, nil
	}
	if err != nil {
		return 0, err
	}
	mode := filemode.Regular
	switch {
	case st.IsDir():
		return deleted, nil
	case st.Mode()&fs.ModeSymlink != 0:
		mode = filemode.Symlink
	case st.Mode()&0o100 != 0 && trustMode:
		mode = filemode.Executable
	case !trustMode && e.Mode == filemode.Executable:
		mode = e.Mode
	}
	if mode != e.Mode {
		return modified, nil
	}
	if uint32(st.Size()) != e.Size && e.Size != 0 {
		return modified, nil
	}
	if st.ModTime().Equal(e.ModifiedAt) && st.ModTime().Before(written) && uint32(st.Size()) == e.Size {
		return unchanged, nil
	}
	h, err := hashFile(name, st)
	if err != nil {
		return 0, err
	}
	if h != e.Hash {
		return modified, nil
	}
	return unchanged, nil
}

// hashFile is the name that git gives the content of a file.
func hashFile(name string, st fs.FileInfo) (plumbing.Hash, error) {
	if st.Mode()&fs.ModeSymlink != 0 {
		target, err := os.Readlink(name)
		return plumbing.ComputeHash(plumbing.BlobObject, []byte(target)), err
	}
	f, err := os.Open(name)
	if err != nil {
		return plumbing.ZeroHash, err
	}
	defer f.Close()
	h := plumbing.NewHasher(plumbing.BlobObject, st.Size())
	if _, err := io.Copy(h, f); err != nil {
		return plumbing.ZeroHash, err
	}
	return h.Sum(), nil
}

// Tree returns the tracked files as a tree that can be archived; exportIgnore
// leaves out what the index marks so.
func (w *WorkTree) Tree(exportIgnore bool) nar.Tree {
	var ignore *attributes
	if exportIgnore {
		ignore = newAttributes(w.repo, w.repo.indexFile())
	}
	root := w.repo.work
	return nar.Tree{FS: nar.OS{}, Root: root, Filter: func(file, typ string) (bool, error) {
		name := strings.TrimPrefix(file, root+"/")
		isDir, tracked := w.files[name]
		if !tracked || isDir && typ != "directory" {
			return false, nil
		}
		if ignore == nil {
			return true, nil
		}
		ignored, err := ignore.exportIgnored(name)
		return !ignored, err
	}}
}
