package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"gonix/derivation/nar"
	"gonix/derivation/nixhash"
	"gonix/derivation/store"
	"gonix/derivation/storepath"
)

// realParent resolves the links on the way to a file, but not the file itself:
// what is added as a link stays one.
func realParent(file string) (string, error) {
	dir, err := filepath.EvalSymlinks(filepath.Dir(file))
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, filepath.Base(file)), nil
}

// addOne copies a file to the store and returns its path.
func (x *storeRun) addOne(arg, name string, as store.Ingestion) (storepath.Path, error) {
	file, err := realParent(x.w.abs(arg))
	if err != nil {
		return storepath.Path{}, err
	}
	if name == "" {
		name = filepath.Base(x.w.abs(arg))
	}
	return x.st.AddTree(x.ctx, name, nar.Tree{Root: file}, as)
}

func (x *storeRun) add() error {
	for _, arg := range x.args {
		p, err := x.addOne(arg, "", store.Ingestion{})
		if err != nil {
			return err
		}
		x.println(p)
	}
	return nil
}

func (x *storeRun) addFixed() error {
	if len(x.args) == 0 {
		return errors.New("first argument must be hash algorithm")
	}
	algo, err := nixhash.ParseAlgorithm(x.args[0])
	if err != nil {
		return err
	}
	for _, arg := range x.args[1:] {
		p, err := x.addOne(arg, "", store.Ingestion{Flat: !x.f.recursive, Algo: algo})
		if err != nil {
			return err
		}
		x.println(p)
	}
	return nil
}

func (x *storeRun) printFixedPath() error {
	if len(x.args) != 3 {
		return errors.New("'--print-fixed-path' requires three arguments")
	}
	algo, err := nixhash.ParseAlgorithm(x.args[0])
	if err != nil {
		return err
	}
	hash, err := nixhash.Parse(x.args[1], algo)
	if err != nil {
		return err
	}
	p, err := storepath.FixedOutput(x.args[2], x.f.recursive, hash, nil, false)
	if err != nil {
		return err
	}
	x.println(p)
	return nil
}

func (x *storeRun) dump() error {
	if len(x.args) != 1 {
		return errors.New("only one argument allowed")
	}
	return nar.Dump(x.out, x.w.abs(x.args[0]))
}

func (x *storeRun) restore() error {
	if len(x.args) != 1 {
		return errors.New("only one argument allowed")
	}
	dest := x.args[0]
	switch base := dest[lastSlash(dest):]; {
	case dest == "":
		return errors.New("cannot restore an archive: the destination path is empty")
	case base == "." || base == "..":
		return fmt.Errorf("cannot restore an archive to '%s': it ends in '%s', which is not a valid filename", dest, base)
	}
	dest = x.w.abs(dest)
	if _, err := os.Lstat(dest); err == nil {
		return fmt.Errorf("creating directory \"%s\": File exists", dest)
	}
	return nar.Restore(x.w.stdin, dest)
}

// lastSlash is the index after the last slash of s.
func lastSlash(s string) int {
	for i := len(s); i > 0; i-- {
		if s[i-1] == '/' {
			return i
		}
	}
	return 0
}
