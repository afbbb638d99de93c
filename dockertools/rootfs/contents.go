package rootfs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"gonix/derivation/storepath"
	"gonix/dockertools/tarball"
)

// Contents copies store paths into trees.
type Contents struct {
	// Real returns where a store path lies on disk.
	Real func(storepath.Path) string
	// KeepLinks keeps links to directories as links. Otherwise they become the
	// directories that they lead to, as rsync's --copy-dirlinks has it.
	KeepLinks bool
	// UID and GID own the copies.
	UID, GID int
}

// Copy puts what is in the directory item into the root of t; later files
// replace earlier ones.
func (c Contents) Copy(t *Tree, item storepath.Path) error {
	dir, err := c.follow(item.String())
	if err != nil {
		return fmt.Errorf("copy contents %s: %w", item, err)
	}
	info, err := os.Lstat(dir.real)
	if err != nil {
		return fmt.Errorf("copy contents %s: %w", item, err)
	}
	if !info.IsDir() {
		return fmt.Errorf("copy contents %s: it is a file; only the files of a directory can be copied to the root of an image", item)
	}
	cp := copying{c, t}
	if err := cp.children(t.root, ".", dir, nil); err != nil {
		return fmt.Errorf("copy contents %s: %w", item, err)
	}
	return nil
}

// location is a file of the store, by its logical name and on disk.
type location struct{ logical, real string }

func (l location) child(name string) location {
	return location{l.logical + "/" + name, l.real + "/" + name}
}

type copying struct {
	Contents
	tree *Tree
}

// children copies the files of from into dir. The directories being copied are
// in above, so that a link to one of them does not go on for ever.
func (c copying) children(dir *node, name string, from location, above []string) error {
	if len(above) > maxDepth {
		return fmt.Errorf("%s is too deep", from.logical)
	}
	files, err := os.ReadDir(from.real)
	if err != nil {
		return err
	}
	above = append(slices.Clip(above), from.real)
	for _, f := range files {
		if err := c.file(dir, f.Name(), join(name, f.Name()), from.child(f.Name()), above); err != nil {
			return err
		}
	}
	return nil
}

func (c copying) file(dir *node, last, name string, from location, above []string) error {
	info, err := os.Lstat(from.real)
	if err != nil {
		return err
	}
	n := &node{Entry: tarball.Entry{UID: c.UID, GID: c.GID, Time: tarball.LayerTime}}
	switch mode := info.Mode(); {
	case mode.IsRegular():
		n.Mode, n.Size, n.Source = 0o444, info.Size(), from.real
		if mode&0o100 != 0 {
			n.Mode = 0o555
		}
	case mode.IsDir():
		return c.directory(dir, last, name, from, above)
	case mode&fs.ModeSymlink != 0:
		if !c.KeepLinks {
			target, err := c.follow(from.logical)
			if err == nil && isDir(target.real) && !slices.Contains(above, target.real) {
				return c.directory(dir, last, name, target, above)
			}
		}
		n.Kind, n.Mode = tarball.Symlink, 0o777
		if n.Target, err = os.Readlink(from.real); err != nil {
			return err
		}
	default:
		return fmt.Errorf("%s is neither a file, a directory nor a symbolic link", from.logical)
	}
	if old := dir.children[last]; old != nil && old.Kind == tarball.Directory {
		return fmt.Errorf("%s would replace the directory /%s of earlier contents", from.logical, name)
	}
	return c.tree.set(dir, last, n)
}

func (c copying) directory(dir *node, last, name string, from location, above []string) error {
	old := dir.children[last]
	if old != nil && old.Kind == tarball.Symlink && c.KeepLinks {
		// A link of earlier contents to a directory stands for it, as rsync's
		// --keep-dirlinks has it, if that directory is in the image too.
		if at, err := c.tree.directory(strings.Split(name, "/"), nil); err == nil {
			return c.children(at.dir, at.String(), from, above)
		}
	}
	if old == nil || old.Kind != tarball.Directory {
		old = newDirectory(0o555)
		old.UID, old.GID = c.UID, c.GID
		if err := c.tree.set(dir, last, old); err != nil {
			return err
		}
	}
	return c.children(old, name, from, above)
}

func isDir(real string) bool {
	info, err := os.Lstat(real)
	return err == nil && info.IsDir()
}

// follow returns the file that a logical name of the store leads to once every
// symbolic link is followed. A link out of the store leads nowhere.
func (c Contents) follow(logical string) (location, error) {
	for n := range maxLinks {
		item, rest, err := storepath.Split(logical)
		if err != nil && n > 0 {
			return location{}, fmt.Errorf("it is a link to '%s', outside of the store; name that file itself", logical)
		}
		if err != nil {
			return location{}, err
		}
		at := location{item.String(), c.Real(item)}
		next, err := c.step(at, rest)
		if err != nil {
			return location{}, err
		}
		if next.real != "" {
			return next, nil
		}
		logical = next.logical
	}
	return location{}, fmt.Errorf("too many symbolic links at %s", logical)
}

// Resolve returns where on disk a logical name of the store leads to.
func (c Contents) Resolve(logical string) (string, error) {
	at, err := c.follow(logical)
	return at.real, err
}

// step walks from at along rest until a symbolic link; then it returns where
// that leads as a logical name only.
func (c Contents) step(at location, rest string) (location, error) {
	parts := strings.FieldsFunc(rest, func(r rune) bool { return r == '/' })
	for i := 0; ; i++ {
		info, err := os.Lstat(at.real)
		if err != nil {
			return location{}, err
		}
		if info.Mode()&fs.ModeSymlink != 0 {
			target, err := os.Readlink(at.real)
			if err != nil {
				return location{}, err
			}
			if !path.IsAbs(target) {
				target = path.Join(path.Dir(at.logical), target)
			}
			return location{logical: path.Join(append([]string{target}, parts[i:]...)...)}, nil
		}
		if i == len(parts) {
			return at, nil
		}
		if !info.IsDir() {
			return location{}, errors.New(at.logical + " is not a directory")
		}
		at = at.child(parts[i])
	}
}
