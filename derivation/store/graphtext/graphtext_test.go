package graphtext

import (
	"os"
	"strings"
	"testing"

	"gonix/derivation/store"
	"gonix/derivation/storepath"
)

// planted is a store with a text that refers to two others, one of which refers
// to the other one, too.
func planted(t *testing.T) (*store.Local, []storepath.Path, *strings.Replacer) {
	t.Helper()
	root := t.TempDir()
	st, err := store.Open(root, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		st.Close()
		store.RemoveTree(root)
	})
	var list []storepath.Path
	var names []string
	for _, name := range []string{"low", "middle", "top"} {
		content := "text of " + name
		for _, p := range list {
			content += " " + p.String()
		}
		p, err := st.AddText(t.Context(), name, content, list)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, p)
		names = append(names, p.String(), strings.ToUpper(name), p.Base(), name)
	}
	return st, list, strings.NewReplacer(names...)
}

func TestTree(t *testing.T) {
	st, list, short := planted(t)
	var b strings.Builder
	if err := Tree(t.Context(), &b, st, list[2:]); err != nil {
		t.Fatal(err)
	}
	want := "TOP\n├───LOW\n└───MIDDLE\n    └───LOW [...]\n"
	if got := short.Replace(b.String()); got != want {
		t.Errorf("got\n%s", got)
	}
}

func TestDot(t *testing.T) {
	st, list, short := planted(t)
	var b strings.Builder
	if err := Dot(t.Context(), &b, st, list[1:2]); err != nil {
		t.Fatal(err)
	}
	want := `digraph G {
"middle" [label = "middle", shape = box, style = filled, fillcolor = "#ff0000"];
"low" -> "middle" [color = "black"];
"low" [label = "low", shape = box, style = filled, fillcolor = "#ff0000"];
}
`
	if got := short.Replace(b.String()); got != want {
		t.Errorf("got\n%s", got)
	}
}

func TestGraphML(t *testing.T) {
	st, list, short := planted(t)
	var b strings.Builder
	if err := GraphML(t.Context(), &b, st, list[1:2]); err != nil {
		t.Fatal(err)
	}
	got := short.Replace(b.String())
	for _, want := range []string{`<edge source="middle" target="low"/>`, `<node id="low">`, `<data key="type">output-path</data>`} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in\n%s", want, got)
		}
	}
}

func TestWhy(t *testing.T) {
	st, list, short := planted(t)
	for _, c := range []struct {
		why  Why
		want string
	}{
		{Why{}, "TOP\n└───LOW\n"},
		{Why{All: true}, "TOP\n├───LOW\n└───MIDDLE\n    └───LOW\n"},
		{Why{Precise: true}, "TOP\n└───/: …text of top LOW MIDDLE…\n    →LOW\n"},
	} {
		var b strings.Builder
		found, err := c.why.Depends(t.Context(), &b, st, list[2], list[0])
		if err != nil || !found {
			t.Fatal(found, err)
		}
		got := strings.ReplaceAll(short.Replace(b.String()), "→ ", "→")
		if c.why.Precise {
			// How much is shown around the hash is not what this is about.
			if !strings.HasPrefix(got, "TOP\n└───/: …") || !strings.HasSuffix(got, "…\n    →LOW\n") {
				t.Errorf("%+v: got\n%s", c.why, got)
			}
			continue
		}
		if got != c.want {
			t.Errorf("%+v: got\n%s", c.why, got)
		}
	}
	if found, err := (Why{}).Depends(t.Context(), &strings.Builder{}, st, list[0], list[2]); found || err != nil {
		t.Errorf("%v, %v", found, err)
	}
}

// TestMentions: a hash at the border of two pieces of a large file is found, with
// what is around it.
func TestMentions(t *testing.T) {
	p := storepath.MustParse("/nix/store/00000000000000000000000000000000-x")
	for _, at := range []int{0, 10, 1<<20 - 40, 1<<20 - 16, 1<<20 - 1, 1 << 20, 1<<20 + 50, 3 << 20} {
		file := t.TempDir() + "/f"
		content := strings.Repeat(".", at) + p.HashPart() + strings.Repeat("-", 100)
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		var got []string
		err := mentions(file, []*reason{{path: p}}, func(_ *reason, around string) { got = append(got, around) })
		want := strings.Repeat(".", min(at, margin)) + p.HashPart() + strings.Repeat("-", margin)
		if err != nil || len(got) != 1 || got[0] != want {
			t.Errorf("at %d: %q, %v", at, got, err)
		}
	}
}
