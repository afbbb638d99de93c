package nixstore

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

// RealParent resolves the links on the way to a file, but not the file itself:
// what is added as a link stays one.
func RealParent(file string) (string, error) {
	dir, err := filepath.EvalSymlinks(filepath.Dir(file))
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, filepath.Base(file)), nil
}

// AddOne copies a file to the store and returns its path.
func (x *Run) AddOne(arg, name string, as store.Ingestion) (storepath.Path, error) {
	file, err := RealParent(x.World.Abs(arg))
	if err != nil {
		return storepath.Path{}, err
	}
	if name == "" {
		name = filepath.Base(x.World.Abs(arg))
	}
	return x.Store.AddTree(x.Context, name, nar.Tree{Root: file}, as)
}

func (x *Run) add() error {
	for _, arg := range x.Args {
		p, err := x.AddOne(arg, "", store.Ingestion{})
		if err != nil {
			return err
		}
		x.Println(p)
	}
	return nil
}

func (x *Run) addFixed() error {
	if len(x.Args) == 0 {
		return errors.New("first argument must be hash algorithm")
	}
	algo, err := nixhash.ParseAlgorithm(x.Args[0])
	if err != nil {
		return err
	}
	for _, arg := range x.Args[1:] {
		p, err := x.AddOne(arg, "", store.Ingestion{Flat: !x.Flags.recursive, Algo: algo})
		if err != nil {
			return err
		}
		x.Println(p)
	}
	return nil
}

func (x *Run) printFixedPath() error {
	if len(x.Args) != 3 {
		return errors.New("'--print-fixed-path' requires three arguments")
	}
	algo, err := nixhash.ParseAlgorithm(x.Args[0])
	if err != nil {
		return err
	}
	hash, err := nixhash.Parse(x.Args[1], algo)
	if err != nil {
		return err
	}
	p, err := storepath.FixedOutput(x.Args[2], x.Flags.recursive, hash, nil, false)
	if err != nil {
		return err
	}
	x.Println(p)
	return nil
}

func (x *Run) Dump() error {
	if len(x.Args) != 1 {
		return errors.New("only one argument allowed")
	}
	return nar.Dump(x.Out, x.World.Abs(x.Args[0]))
}

func (x *Run) restore() error {
	if len(x.Args) != 1 {
		return errors.New("only one argument allowed")
	}
	dest := x.Args[0]
	switch base := dest[lastSlash(dest):]; {
	case dest == "":
		return errors.New("cannot restore an archive: the destination path is empty")
	case base == "." || base == "..":
		return fmt.Errorf("cannot restore an archive to '%s': it ends in '%s', which is not a valid filename", dest, base)
	}
	dest = x.World.Abs(dest)
	if _, err := os.Lstat(dest); err == nil {
		return fmt.Errorf("creating directory \"%s\": File exists", dest)
	}
	return nar.Restore(x.World.Stdin, dest)
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
