package store

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"sync"

	"gonix/derivation"
	"gonix/derivation/nar"
	"gonix/derivation/nixhash"
	"gonix/derivation/storepath"
)

// Memory is a store that keeps its objects in memory. The zero value is empty
// and ready.
type Memory struct {
	mu      sync.Mutex
	infos   map[storepath.Path]*Info
	content map[storepath.Path][]byte // archives
	texts   map[storepath.Path]string
}

var (
	_ Store = (*Memory)(nil)
	_ Adder = (*Memory)(nil)
)

// AddText adds a text; refs must be in the store.
func (m *Memory) AddText(ctx context.Context, name, content string, refs []storepath.Path) (storepath.Path, error) {
	hash := nixhash.SumString(nixhash.SHA256, content)
	p, err := storepath.Text(name, hash, refs)
	if err != nil {
		return storepath.Path{}, err
	}
	var archive bytes.Buffer
	if err := nar.DumpString(&archive, content); err != nil {
		return storepath.Path{}, err
	}
	info := textInfo(p, content, hash, refs)
	if err := m.put(&info, archive.Bytes()); err != nil {
		return storepath.Path{}, fmt.Errorf("add '%s' to the store: %w", name, err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.texts == nil {
		m.texts = make(map[storepath.Path]string)
	}
	m.texts[p] = content
	return p, nil
}

// WriteDerivation adds the text of a derivation.
func (m *Memory) WriteDerivation(ctx context.Context, d *derivation.Derivation) (storepath.Path, error) {
	return m.AddText(ctx, d.Name+storepath.DrvSuffix, string(d.AppendTo(nil)), d.References())
}

// AddTree adds a file tree.
func (m *Memory) AddTree(ctx context.Context, name string, tree nar.Tree, as Ingestion) (storepath.Path, error) {
	in := newIntake(ctx, tree, as)
	p, hash, err := in.path(name)
	if err != nil {
		return storepath.Path{}, err
	}
	var content, archive bytes.Buffer
	if err := in.write(&content); err != nil {
		return storepath.Path{}, err
	}
	if as.Flat {
		if err := nar.DumpString(&archive, content.String()); err != nil {
			return storepath.Path{}, err
		}
	} else {
		archive = content
	}
	info := &Info{
		Path:       p,
		NarHash:    nixhash.Sum(nixhash.SHA256, archive.Bytes()),
		NarSize:    int64(archive.Len()),
		References: sortedPaths(as.References),
		CA:         as.ca(hash),
	}
	return p, m.put(info, archive.Bytes())
}

func (m *Memory) put(info *Info, archive []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, ref := range info.References {
		if m.infos[ref] == nil && ref != info.Path {
			return &invalidPath{ref}
		}
	}
	if m.infos == nil {
		m.infos = make(map[storepath.Path]*Info)
		m.content = make(map[storepath.Path][]byte)
	}
	m.infos[info.Path] = info
	m.content[info.Path] = archive
	return nil
}

// Info returns what is known about p.
func (m *Memory) Info(ctx context.Context, p storepath.Path) (*Info, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if info := m.infos[p]; info != nil {
		return info, nil
	}
	return nil, &invalidPath{p}
}

// Text returns the content of a text object.
func (m *Memory) Text(p storepath.Path) (string, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	text, ok := m.texts[p]
	return text, ok
}

// NAR returns the archive of the object at p.
func (m *Memory) NAR(p storepath.Path) (io.Reader, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.infos[p] == nil {
		return nil, &invalidPath{p}
	}
	return bytes.NewReader(m.content[p]), nil
}

// All returns the paths in the store, sorted.
func (m *Memory) All() []storepath.Path {
	m.mu.Lock()
	defer m.mu.Unlock()
	var list []storepath.Path
	for p := range m.infos {
		list = append(list, p)
	}
	slices.SortFunc(list, storepath.Compare)
	return list
}

// Computing is an Adder that keeps nothing: it only computes the paths. It is
// what an evaluation uses that must not write (a dry run).
type Computing struct{}

var _ Adder = Computing{}

// AddText returns the path that the text would have.
func (Computing) AddText(ctx context.Context, name, content string, refs []storepath.Path) (storepath.Path, error) {
	return storepath.Text(name, nixhash.SumString(nixhash.SHA256, content), refs)
}

// WriteDerivation returns the path that the derivation would have.
func (Computing) WriteDerivation(ctx context.Context, d *derivation.Derivation) (storepath.Path, error) {
	return d.DrvPath()
}

// AddTree reads the tree and returns the path that it would have.
func (Computing) AddTree(ctx context.Context, name string, tree nar.Tree, as Ingestion) (storepath.Path, error) {
	if !as.Expected.IsZero() {
		return as.path(name, as.Expected)
	}
	p, _, err := newIntake(ctx, tree, as).path(name)
	return p, err
}
