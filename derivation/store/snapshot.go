package store

import (
	"context"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"gonix/derivation/storepath"
)

// Object is one valid object in a [Snapshot].
type Object struct {
	Path       storepath.Path
	NarSize    int64
	References []int32        // indices of other objects
	Outputs    []int32        // of a derivation: those of its outputs that are valid
	Deriver    int32          // -1 if there is none that is valid
	deriver    storepath.Path // zero if none is known
}

// Snapshot is the whole graph of a store at one moment, for questions about all
// of it: one query each for objects, references and outputs.
type Snapshot struct {
	Objects []Object
	index   map[storepath.Path]int32
}

// Index returns the index of p in Objects; false if p was not valid.
func (s *Snapshot) Index(p storepath.Path) (int32, bool) {
	i, ok := s.index[p]
	return i, ok
}

// Snapshot reads the graph of all valid objects.
func (s *Local) Snapshot(ctx context.Context) (*Snapshot, error) {
	snap := &Snapshot{index: map[storepath.Path]int32{}}
	err := s.read(ctx, func(conn *sqlite.Conn) (err error) {
		end := sqlitex.Transaction(conn)
		defer end(&err)
		return snap.load(conn)
	})
	if err != nil {
		return nil, err
	}
	return snap, nil
}

func (s *Snapshot) load(conn *sqlite.Conn) error {
	byRow := map[int64]int32{}
	err := rows(conn, `select id, path, deriver, narSize from ValidPaths`, func(st *sqlite.Stmt) error {
		p, err := storepath.Parse(st.ColumnText(1))
		if err != nil {
			return err
		}
		o := Object{Path: p, NarSize: st.ColumnInt64(3), Deriver: -1}
		if text := st.ColumnText(2); text != "" {
			o.deriver, _ = storepath.Parse(text) // one of another store does not count
		}
		i := int32(len(s.Objects))
		byRow[st.ColumnInt64(0)], s.index[p] = i, i
		s.Objects = append(s.Objects, o)
		return nil
	})
	if err != nil {
		return err
	}
	for i := range s.Objects {
		if j, ok := s.index[s.Objects[i].deriver]; ok {
			s.Objects[i].Deriver = j
		}
	}
	err = rows(conn, `select referrer, reference from Refs`, func(st *sqlite.Stmt) error {
		from, to := byRow[st.ColumnInt64(0)], byRow[st.ColumnInt64(1)]
		s.Objects[from].References = append(s.Objects[from].References, to)
		return nil
	})
	if err != nil {
		return err
	}
	return rows(conn, `select drv, path from DerivationOutputs`, func(st *sqlite.Stmt) error {
		p, err := storepath.Parse(st.ColumnText(1))
		if err != nil {
			return err
		}
		if out, ok := s.index[p]; ok {
			drv := byRow[st.ColumnInt64(0)]
			s.Objects[drv].Outputs = append(s.Objects[drv].Outputs, out)
		}
		return nil
	})
}

// Live marks what is reached from roots by references and bonds.
func (s *Snapshot) Live(bonds Bonds, roots []int32, live []bool) {
	todo := append([]int32(nil), roots...)
	for len(todo) > 0 {
		i := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if live[i] {
			continue
		}
		live[i] = true
		o := &s.Objects[i]
		todo = append(todo, o.References...)
		if bonds.Outputs {
			todo = append(todo, o.Outputs...)
		}
		if bonds.Derivers && o.Deriver >= 0 {
			todo = append(todo, o.Deriver)
		}
	}
}

// Referrers returns for each object the objects that refer to it, without
// itself.
func (s *Snapshot) Referrers() [][]int32 {
	list := make([][]int32, len(s.Objects))
	for i := range s.Objects {
		for _, to := range s.Objects[i].References {
			if to != int32(i) {
				list[to] = append(list[to], int32(i))
			}
		}
	}
	return list
}

// ReferrersFirst returns the indices of all objects in an order in which each
// comes before what it refers to, so that a prefix can always be deleted.
func (s *Snapshot) ReferrersFirst() []int32 {
	order := make([]int32, 0, len(s.Objects))
	done := make([]bool, len(s.Objects))
	type frame struct {
		object int32
		next   int
	}
	var stack []frame
	for start := range s.Objects {
		if done[start] {
			continue
		}
		done[start] = true
		stack = append(stack, frame{object: int32(start)})
		for len(stack) > 0 {
			top := &stack[len(stack)-1]
			refs := s.Objects[top.object].References
			if top.next == len(refs) {
				order = append(order, top.object)
				stack = stack[:len(stack)-1]
				continue
			}
			ref := refs[top.next]
			top.next++
			if !done[ref] {
				done[ref] = true
				stack = append(stack, frame{object: ref})
			}
		}
	}
	// So far what is referred to comes first.
	for i, j := 0, len(order)-1; i < j; i, j = i+1, j-1 {
		order[i], order[j] = order[j], order[i]
	}
	return order
}
