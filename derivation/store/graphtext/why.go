package graphtext

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"gonix/derivation/store"
	"gonix/derivation/storepath"
)

// Why says how to answer why an object needs another.
type Why struct {
	All     bool // all ways, not only a shortest one
	Precise bool // in which files each refers to the next
}

// reason is an object on the way.
type reason struct {
	path      storepath.Path
	refs      []storepath.Path
	referrers []storepath.Path
	distance  int // to what is needed; -1 if it does not need it
	visited   bool
}

type whyPrinter struct {
	Why
	ctx      context.Context
	w        *bufio.Writer
	st       *store.Local
	from, to storepath.Path
	graph    map[storepath.Path]*reason
}

// Depends draws the ways from an object to one that it needs, as trees, the
// shortest first. It reports false if there is none. (Nix: CmdWhyDepends)
func (y Why) Depends(ctx context.Context, w io.Writer, st *store.Local, from, to storepath.Path) (bool, error) {
	p := whyPrinter{Why: y, ctx: ctx, w: bufio.NewWriter(w), st: st, from: from, to: to, graph: map[storepath.Path]*reason{}}
	closure, err := st.Closure(ctx, from)
	if err != nil {
		return false, err
	}
	for _, c := range closure {
		info, err := st.Info(ctx, c)
		if err != nil {
			return false, err
		}
		p.graph[c] = &reason{path: c, refs: info.References, distance: -1}
	}
	if p.graph[to] == nil {
		return false, nil
	}
	for _, c := range closure {
		for _, ref := range p.graph[c].refs {
			p.graph[ref].referrers = append(p.graph[ref].referrers, c)
		}
	}
	p.graph[to].distance = 0
	for todo := []storepath.Path{to}; len(todo) > 0; todo = todo[1:] {
		for _, r := range p.graph[todo[0]].referrers {
			if p.graph[r].distance < 0 {
				p.graph[r].distance = p.graph[todo[0]].distance + 1
				todo = append(todo, r)
			}
		}
	}
	if !y.Precise {
		fmt.Fprintln(p.w, from)
	}
	if _, err := p.node(p.graph[from], "", ""); err != nil {
		return true, err
	}
	return true, p.w.Flush()
}

// node draws the ways from n; enough says that one way was enough.
func (p *whyPrinter) node(n *reason, first, rest string) (enough bool, err error) {
	if p.Precise {
		arrow := ""
		if first != "" {
			arrow = "→ "
		}
		fmt.Fprintf(p.w, "%s%s%s\n", first, arrow, n.path)
	}
	if n.path == p.to && !p.All && p.from != p.to {
		return true, nil
	}
	if n.visited {
		return false, nil
	}
	if p.Precise {
		n.visited = true
	}
	next := p.next(n)
	hits := map[storepath.Path][]string{}
	if p.Precise {
		if hits, err = p.hits(n.path, next); err != nil {
			return false, err
		}
	}
	for i, ref := range next {
		last := !p.All || i == len(next)-1
		mark, more := connector, line
		if last {
			mark, more = corner, blank
		}
		for j, hit := range hits[ref.path] {
			if j > 0 {
				mark = more
			}
			fmt.Fprintf(p.w, "%s%s%s\n", rest, mark, hit)
			if !p.All {
				break
			}
		}
		if !p.Precise {
			fmt.Fprintf(p.w, "%s%s%s\n", first, mark, ref.path)
			n.visited = true
		}
		enough, err := p.node(ref, rest+more, rest+more)
		if enough || err != nil {
			return enough, err
		}
	}
	return false, nil
}

// next returns the references of n that lead to what is needed, the nearest
// first.
func (p *whyPrinter) next(n *reason) []*reason {
	var list []*reason
	for _, ref := range n.refs {
		if ref == n.path && p.from != p.to {
			continue
		}
		if r := p.graph[ref]; r.distance >= 0 {
			list = append(list, r)
		}
	}
	slices.SortStableFunc(list, func(a, b *reason) int { return cmp.Compare(a.distance, b.distance) })
	return list
}

// hits finds the files and links of an object that mention the references.
func (p *whyPrinter) hits(object storepath.Path, refs []*reason) (map[storepath.Path][]string, error) {
	hits := map[storepath.Path][]string{}
	root := p.st.RealPath(object)
	err := filepath.WalkDir(root, func(path string, e os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if err := p.ctx.Err(); err != nil {
			return err
		}
		name := strings.TrimPrefix(strings.TrimPrefix(path, root), "/")
		if name == "" {
			name = "/"
		}
		switch {
		case e.Type() == os.ModeSymlink:
			target, err := os.Readlink(path)
			if err != nil {
				return err
			}
			for _, r := range refs {
				if strings.Contains(target, r.path.HashPart()) {
					hits[r.path] = append(hits[r.path], name+" -> "+target)
				}
			}
		case e.Type().IsRegular():
			return mentions(path, refs, func(r *reason, around string) {
				hits[r.path] = append(hits[r.path], name+": …"+around+"…")
			})
		}
		return nil
	})
	return hits, err
}

// margin is how much is shown before and after a hash.
const margin = 32

// mentions finds the first place in a file that mentions each of the references,
// reading it in pieces.
func mentions(file string, refs []*reason, each func(r *reason, around string)) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	found := map[*reason]bool{}
	const overlap = 2*margin + storepath.HashLen
	buf := make([]byte, 0, 1<<20)
	for len(found) < len(refs) {
		n, err := io.ReadFull(f, buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		end := err == io.EOF || err == io.ErrUnexpectedEOF
		if err != nil && !end {
			return err
		}
		for _, r := range refs {
			hash := []byte(r.path.HashPart())
			at := bytes.Index(buf, hash)
			// What comes after it may not have been read yet.
			if found[r] || at < 0 || !end && at+len(hash)+margin > len(buf) {
				continue
			}
			found[r] = true
			each(r, printable(buf[max(0, at-margin):min(len(buf), at+len(hash)+margin)]))
		}
		if end {
			return nil
		}
		keep := copy(buf, buf[len(buf)-overlap:])
		buf = buf[:keep]
	}
	return nil
}

// printable replaces what would disturb a terminal.
func printable(text []byte) string {
	out := bytes.Clone(text)
	for i, c := range out {
		if c < ' ' || c > '~' {
			out[i] = '.'
		}
	}
	return string(out)
}
