package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"gonix/derivation"
	"gonix/derivation/nar"
	"gonix/derivation/nixhash"
	"gonix/derivation/storepath"
)

// AddText adds a file with the given content that refers to refs.
func (s *Local) AddText(ctx context.Context, name, content string, refs []storepath.Path) (storepath.Path, error) {
	hash := nixhash.SumString(nixhash.SHA256, content)
	p, err := storepath.Text(name, hash, refs)
	if err != nil {
		return storepath.Path{}, err
	}
	err = s.produce(ctx, p, func(dest string) (*Info, error) {
		if err := writeFile(dest, content); err != nil {
			return nil, err
		}
		info := textInfo(p, content, hash, refs)
		return &info, nil
	})
	if err != nil {
		return storepath.Path{}, fmt.Errorf("add '%s' to the store: %w", name, err)
	}
	return p, nil
}

// WriteDerivation adds the text of a derivation.
func (s *Local) WriteDerivation(ctx context.Context, d *derivation.Derivation) (storepath.Path, error) {
	return s.AddText(ctx, d.Name+storepath.DrvSuffix, string(d.AppendTo(nil)), d.References())
}

// ReadDerivation reads the derivation at the valid path p.
func (s *Local) ReadDerivation(ctx context.Context, p storepath.Path) (*derivation.Derivation, error) {
	ok, err := s.IsValid(ctx, p)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, &invalidPath{p}
	}
	return readDerivation(s.RealPath(p), p)
}

// writeFile makes the new file dest.
func writeFile(dest, content string) error {
	f, err := os.OpenFile(dest, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	_, err = f.WriteString(content)
	if e := f.Close(); err == nil {
		err = e
	}
	return err
}

// textInfo describes a text object.
func textInfo(p storepath.Path, content string, hash nixhash.Hash, refs []storepath.Path) Info {
	sha := nixhash.SHA256.New()
	size := counter{ctx: context.Background()}
	// Neither writer can fail.
	_ = nar.DumpString(io.MultiWriter(sha, &size), content)
	return Info{
		Path:       p,
		NarHash:    nixhash.Of(nixhash.SHA256, sha),
		NarSize:    size.n,
		References: sortedPaths(refs),
		CA:         "text:" + hash.Prefixed32(),
	}
}

// AddPath adds what is at fsPath on this machine.
func (s *Local) AddPath(ctx context.Context, name, fsPath string, as Ingestion) (storepath.Path, error) {
	return s.AddTree(ctx, name, nar.Tree{Root: fsPath}, as)
}

// AddTree adds a file tree as an object without references. The tree is read
// once for its hash, and once more if the store does not have it yet.
func (s *Local) AddTree(ctx context.Context, name string, tree nar.Tree, as Ingestion) (storepath.Path, error) {
	if err := storepath.CheckName(name); err != nil {
		return storepath.Path{}, err
	}
	if !as.Expected.IsZero() {
		// Whoever knows the hash need not have the source.
		p, err := as.path(name, as.Expected)
		if err != nil {
			return storepath.Path{}, err
		}
		if err := s.TempRoot(p); err != nil {
			return storepath.Path{}, err
		}
		if ok, err := s.IsValid(ctx, p); ok || err != nil {
			return p, err
		}
	}
	in := newIntake(ctx, tree, as)
	p, hash, err := in.path(name)
	if err != nil {
		return storepath.Path{}, err
	}
	err = s.produce(ctx, p, func(dest string) (*Info, error) { return in.restore(dest, p, hash) })
	if err != nil {
		return storepath.Path{}, fmt.Errorf("add '%s' to the store: %w", tree.Root, err)
	}
	return p, nil
}

// AddNAR adds the object that info describes with the content of the archive r.
// The archive must have the hash and the size that info gives, as far as it does,
// and nothing may follow it. If the object is valid already, r is not read.
func (s *Local) AddNAR(ctx context.Context, info Info, r io.Reader) error {
	err := s.produce(ctx, info.Path, func(dest string) (*Info, error) { return restoreNAR(ctx, dest, info, r) })
	if err != nil {
		return fmt.Errorf("add '%s' to the store: %w", info.Path, err)
	}
	return nil
}

// restoreNAR makes what the archive holds at dest, checks it against info, and
// returns what is to be registered.
func restoreNAR(ctx context.Context, dest string, info Info, r io.Reader) (*Info, error) {
	sha := nixhash.SHA256.New()
	size := counter{ctx: ctx}
	archive := nar.NewTeeReader(r, io.MultiWriter(&size, sha))
	if err := archive.Restore(dest); err != nil {
		return nil, err
	}
	if len(archive.Buffered()) > 0 || !atEOF(r) {
		return nil, fmt.Errorf("%w: data after the end of the archive", nar.ErrFormat)
	}
	hash := nixhash.Of(nixhash.SHA256, sha)
	if !info.NarHash.IsZero() && !info.NarHash.Equal(hash) {
		return nil, fmt.Errorf("hash mismatch importing path '%s';\n  specified: %s\n  got:       %s", info.Path, info.NarHash.SRI(), hash.SRI())
	}
	if info.NarSize != 0 && info.NarSize != size.n {
		return nil, fmt.Errorf("size mismatch importing path '%s';\n  specified: %d\n  got:       %d", info.Path, info.NarSize, size.n)
	}
	info.NarHash, info.NarSize = hash, size.n
	info.References = sortedPaths(info.References)
	return &info, nil
}

func atEOF(r io.Reader) bool {
	var b [1]byte
	for range 100 {
		n, err := r.Read(b[:])
		if n > 0 {
			return false
		}
		if err != nil {
			return errors.Is(err, io.EOF)
		}
	}
	return false
}

// produce makes p valid unless it is: it locks the path, removes what an
// interrupted producer may have left there, lets fill make the content at dest,
// and registers it. After an error nothing is left at the path.
func (s *Local) produce(ctx context.Context, p storepath.Path, fill func(dest string) (*Info, error)) error {
	if err := s.TempRoot(p); err != nil {
		return err
	}
	if ok, err := s.IsValid(ctx, p); ok || err != nil {
		return err
	}
	if err := s.MakeRoom(ctx); err != nil {
		return err
	}
	lock, err := s.Lock(ctx, p)
	if err != nil {
		return err
	}
	defer lock.Unlock()
	if ok, err := s.IsValid(ctx, p); ok || err != nil {
		return err
	}
	dest := s.RealPath(p)
	if _, err := RemoveTree(dest); err != nil {
		return err
	}
	info, err := fill(dest)
	if err == nil {
		err = Canonicalise(dest)
	}
	if err == nil {
		err = s.AutoOptimise(ctx, p)
	}
	if err == nil {
		err = s.Register(ctx, []Info{*info})
	}
	if err != nil {
		RemoveTree(dest) // the error that led here is the one to report
		return err
	}
	return nil
}

// Scratch returns an unused path, physical and logical, at which the content of
// p can be made before it gets its place. The collector leaves it alone while the
// store is open. The caller holds the lock of p; what an interrupted producer of
// p left there is removed.
func (s *Local) Scratch(p storepath.Path) (scratch storepath.Path, real string, err error) {
	scratch, err = storepath.Make("scratch", nixhash.Sum(nixhash.SHA256, []byte(p.String())), p.Name())
	if err != nil {
		return storepath.Path{}, "", err
	}
	if err := s.TempRoot(scratch); err != nil {
		return storepath.Path{}, "", err
	}
	real = s.RealPath(scratch)
	if _, err := RemoveTree(real); err != nil {
		return storepath.Path{}, "", err
	}
	return scratch, real, nil
}
