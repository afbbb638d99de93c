package store

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"gonix/derivation"
	"gonix/derivation/nar"
	"gonix/derivation/nixhash"
	"gonix/derivation/storepath"
)

// intake reads one tree on its way into a store: once for the hash, which gives
// the path, and perhaps once more for the content. The filter, which may be a
// program in the language, is asked only in the first reading.
type intake struct {
	ctx    context.Context
	tree   nar.Tree
	as     Ingestion
	answer map[string]bool
}

func newIntake(ctx context.Context, tree nar.Tree, as Ingestion) *intake {
	if tree.FS == nil {
		tree.FS = nar.OS{}
	}
	in := &intake{ctx: ctx, tree: tree, as: as}
	if filter := tree.Filter; filter != nil {
		in.answer = make(map[string]bool)
		in.tree.Filter = func(path, typ string) (bool, error) {
			if ok, asked := in.answer[path]; asked {
				return ok, nil
			}
			ok, err := filter(path, typ)
			if err == nil {
				in.answer[path] = ok
			}
			return ok, err
		}
	}
	return in
}

// path reads the tree and returns its path and hash.
func (in *intake) path(name string) (storepath.Path, nixhash.Hash, error) {
	if err := storepath.CheckName(name); err != nil {
		return storepath.Path{}, nixhash.Hash{}, err
	}
	algo := in.as.algorithm()
	h := algo.New()
	size := counter{ctx: in.ctx}
	if err := in.write(io.MultiWriter(&size, h)); err != nil {
		return storepath.Path{}, nixhash.Hash{}, err
	}
	hash := nixhash.Of(algo, h)
	if !in.as.Expected.IsZero() && !in.as.Expected.Equal(hash) {
		return storepath.Path{}, nixhash.Hash{}, fmt.Errorf("hash mismatch in path '%s':\n  specified: %s\n  got:       %s",
			in.tree.Root, in.as.Expected.SRI(), hash.SRI())
	}
	p, err := in.as.path(name, hash)
	return p, hash, err
}

// write sends what the hash is about to w.
func (in *intake) write(w io.Writer) error {
	if !in.as.Flat {
		return in.tree.Dump(w)
	}
	info, err := in.tree.FS.Lstat(in.tree.Root)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return &fs.PathError{Op: "read", Path: in.tree.Root, Err: fmt.Errorf("it is not a regular file")}
	}
	f, err := in.tree.FS.Open(in.tree.Root)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(w, f)
	return err
}

// restore makes the tree at dest and checks that it still has the given hash.
func (in *intake) restore(dest string, p storepath.Path, want nixhash.Hash) (*Info, error) {
	h := in.as.algorithm().New()
	info := &Info{Path: p, References: sortedPaths(in.as.References), CA: in.as.ca(want)}
	if in.as.Flat {
		f, err := os.OpenFile(dest, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		if err != nil {
			return nil, err
		}
		err = in.write(io.MultiWriter(f, h))
		if e := f.Close(); err == nil {
			err = e
		}
		if err != nil {
			return nil, err
		}
		scan, err := ScanAndHash(in.ctx, dest, nil)
		if err != nil {
			return nil, err
		}
		info.NarHash, info.NarSize = scan.NarHash, scan.NarSize
	} else {
		sha := nixhash.SHA256.New()
		size := counter{ctx: in.ctx}
		if err := in.pipe(dest, io.MultiWriter(&size, sha, h)); err != nil {
			return nil, err
		}
		info.NarHash, info.NarSize = nixhash.Of(nixhash.SHA256, sha), size.n
	}
	if got := nixhash.Of(want.Algo, h); !got.Equal(want) {
		return nil, fmt.Errorf("'%s' changed while it was being added", in.tree.Root)
	}
	return info, nil
}

// pipe restores the tree's archive at dest and writes its bytes to w, too.
func (in *intake) pipe(dest string, w io.Writer) error {
	pr, pw := io.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		pw.CloseWithError(in.write(pw))
	}()
	err := nar.NewTeeReader(pr, w).Restore(dest)
	pr.CloseWithError(err)
	<-done
	return err
}

// sortedPaths returns the paths sorted, each once.
func sortedPaths(list []storepath.Path) []storepath.Path {
	sorted := slices.Clone(list)
	slices.SortFunc(sorted, storepath.Compare)
	return slices.Compact(sorted)
}

// readDerivation parses the derivation in the file at real, which is that of p.
func readDerivation(real string, p storepath.Path) (*derivation.Derivation, error) {
	text, err := os.ReadFile(real)
	if err != nil {
		return nil, err
	}
	d, err := derivation.Parse(strings.TrimSuffix(p.Name(), storepath.DrvSuffix), text)
	if err != nil {
		return nil, fmt.Errorf("derivation '%s': %w", p, err)
	}
	return d, nil
}
