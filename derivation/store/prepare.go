package store

import (
	"context"
	"fmt"
	"io"

	"gonix/derivation/nar"
	"gonix/derivation/nixhash"
	"gonix/derivation/storepath"
)

// Prepared is a file tree that is to become an object of a store that is not a
// folder of this machine.
type Prepared struct {
	Info
	in *intake
}

// Prepare reads a tree and returns what a store would know of it as an object.
func Prepare(ctx context.Context, name string, tree nar.Tree, as Ingestion) (*Prepared, error) {
	in := newIntake(ctx, tree, as)
	p, hash, err := in.path(name)
	if err != nil {
		return nil, fmt.Errorf("add '%s' to the store: %w", name, err)
	}
	o := &Prepared{Info: Info{Path: p, References: sortedPaths(as.References), CA: as.ca(hash)}, in: in}
	sha, size := nixhash.SHA256.New(), counter{ctx: ctx}
	if err := o.Dump(io.MultiWriter(&size, sha)); err != nil {
		return nil, fmt.Errorf("add '%s' to the store: %w", name, err)
	}
	o.NarHash, o.NarSize = nixhash.Of(nixhash.SHA256, sha), size.n
	return o, nil
}

// PrepareText returns what a store would know of a text, as AddText adds it.
func PrepareText(name, content string, refs []storepath.Path) (*Info, error) {
	hash := nixhash.SumString(nixhash.SHA256, content)
	p, err := storepath.Text(name, hash, refs)
	if err != nil {
		return nil, err
	}
	info := textInfo(p, content, hash, refs)
	return &info, nil
}

// Dump writes the object's archive.
func (o *Prepared) Dump(w io.Writer) error {
	if !o.in.as.Flat {
		return o.in.write(w)
	}
	info, err := o.in.tree.FS.Lstat(o.in.tree.Root)
	if err != nil {
		return err
	}
	archive := nar.NewWriter(w)
	if err := archive.WriteHeader(&nar.Header{Type: nar.Regular, Size: info.Size()}); err != nil {
		return err
	}
	if err := o.in.write(archive); err != nil {
		return err
	}
	return archive.Close()
}
