package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"gonix/derivation/nixhash"
	"gonix/derivation/storepath"
)

// infos makes n registrations of empty content, each referring to the one
// before and to itself.
func infos(n int) []Info {
	list := make([]Info, n)
	for i, p := range candidates(n) {
		list[i] = Info{Path: p, NarHash: nixhash.Sum(nixhash.SHA256, []byte(p.String())), NarSize: 100, References: []storepath.Path{p}}
		if i > 0 {
			list[i].References = append(list[i].References, list[i-1].Path)
		}
		slices.SortFunc(list[i].References, storepath.Compare)
	}
	return list
}

func TestRegister(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	s := openTest(t, Options{Now: func() time.Time { return now }})
	ctx := t.Context()
	list := infos(5)
	list[2].Sigs = []string{"k:a", "k:b"}
	list[2].CA = "fixed:sha256:x"
	list[2].Ultimate = true
	list[2].Deriver = list[0].Path
	slices.Reverse(list) // the order does not matter
	if err := s.Register(ctx, list); err != nil {
		t.Fatal(err)
	}
	for _, want := range list {
		got, err := s.Info(ctx, want.Path)
		if err != nil {
			t.Fatal(err)
		}
		want.RegTime = now
		if fmt.Sprint(*got) != fmt.Sprint(want) {
			t.Errorf("got  %+v\nwant %+v", *got, want)
		}
	}
	first, last := list[4].Path, list[0].Path
	closure, err := s.Closure(ctx, last)
	if err != nil || len(closure) != 5 || !slices.IsSortedFunc(closure, storepath.Compare) {
		t.Errorf("closure %v, %v", closure, err)
	}
	if generic, err := Closure(ctx, s, last); err != nil || !slices.Equal(generic, closure) {
		t.Errorf("closure %v, %v", generic, err)
	}
	order, err := TopoSort(ctx, s, closure)
	if err != nil || order[0] != first || order[4] != last {
		t.Errorf("order %v, %v", order, err)
	}
	referrers, err := s.Referrers(ctx, first)
	if err != nil || len(referrers) != 2 {
		t.Errorf("referrers %v, %v", referrers, err)
	}
	if p, err := s.FromHashPart(ctx, first.HashPart()); err != nil || p != first {
		t.Errorf("from hash part: %v, %v", p, err)
	}
	if p, err := s.FromHashPart(ctx, strings.Repeat("0", 32)); err != nil || !p.IsZero() {
		t.Errorf("from hash part: %v, %v", p, err)
	}
	if _, err := s.Delete(ctx, first); err == nil || !strings.Contains(err.Error(), "it is in use by") {
		t.Errorf("delete: %v", err)
	}
	if _, err := s.Delete(ctx, last); err != nil {
		t.Error(err)
	}
	if _, err := s.Info(ctx, last); !errors.Is(err, ErrNotFound) || err.Error() != "path '"+last.String()+"' is not valid" {
		t.Errorf("info: %v", err)
	}
}

func TestRegisterAllOrNothing(t *testing.T) {
	cases := []struct {
		name   string
		damage func(list []Info)
		want   string
	}{
		{"missing reference", func(l []Info) { l[3].References = append(l[3].References, candidates(9)[8]) }, "is not valid"},
		{"cycle", func(l []Info) { l[0].References = append(l[0].References, l[3].Path) }, "cycle detected in the references of"},
		{"no hash", func(l []Info) { l[3].NarHash = nixhash.Hash{} }, "hash or size is missing"},
		{"no derivation", func(l []Info) {
			l[3].Path = storepath.MustParse(l[3].Path.String() + ".drv")
			l[3].References = nil
		}, "no such file"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := openTest(t, Options{})
			list := infos(4)
			c.damage(list)
			err := s.Register(t.Context(), list)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %s", err, c.want)
			}
			if all, err := s.All(t.Context()); err != nil || len(all) != 0 {
				t.Errorf("registered: %v, %v", all, err)
			}
		})
	}
	t.Run("cancelled", func(t *testing.T) {
		s := openTest(t, Options{})
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := s.Register(ctx, infos(2)); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		if err := s.Register(t.Context(), infos(2)); err != nil {
			t.Error(err)
		}
	})
}

func TestTopoSortLongChain(t *testing.T) {
	const n = 20_000
	refs := make(map[storepath.Path][]storepath.Path, n)
	var last storepath.Path
	for i, p := range candidates(n) {
		if i > 0 {
			refs[p] = []storepath.Path{last}
		} else {
			refs[p] = nil
		}
		last = p
	}
	order, err := topoSort(refs)
	if err != nil || order[n-1] != last {
		t.Errorf("last is %v, want %v: %v", order[n-1], last, err)
	}
}

// BenchmarkRegister registers 10,000 paths in one transaction.
func BenchmarkRegister(b *testing.B) {
	list := infos(10_000)
	for b.Loop() {
		b.StopTimer()
		s := openTest(b, Options{})
		b.StartTimer()
		if err := s.Register(context.Background(), list); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		s.Close()
		b.StartTimer()
	}
}

func BenchmarkOpen(b *testing.B) {
	s := openTest(b, Options{})
	if err := s.Register(context.Background(), infos(1000)); err != nil {
		b.Fatal(err)
	}
	s.Close()
	for b.Loop() {
		s, err := Open(s.Root(), Options{})
		if err != nil {
			b.Fatal(err)
		}
		s.Close()
	}
}

func BenchmarkIsValid(b *testing.B) {
	s := openTest(b, Options{})
	list := infos(1000)
	if err := s.Register(context.Background(), list); err != nil {
		b.Fatal(err)
	}
	n := 0
	for b.Loop() {
		if ok, err := s.IsValid(context.Background(), list[n%1000].Path); !ok || err != nil {
			b.Fatal(err)
		}
		n++
	}
}

func BenchmarkAddText(b *testing.B) {
	s := openTest(b, Options{})
	n := 0
	for b.Loop() {
		mustText(b, s, "text", fmt.Sprint(n))
		n++
	}
}
