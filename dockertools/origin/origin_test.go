package origin

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"gonix/derivation"
	"gonix/derivation/nixhash"
	"gonix/derivation/store"
	"gonix/derivation/storepath"
)

func storePath(c, name string) storepath.Path {
	return storepath.MustParse("/nix/store/" + strings.Repeat(c, 32) + "-" + name)
}

// fake is a store of derivations whose objects are all valid, but for those lost.
type fake struct {
	drvs map[storepath.Path]*derivation.Derivation
	lost map[storepath.Path]bool
}

func (f *fake) Info(_ context.Context, p storepath.Path) (*store.Info, error) {
	if f.lost[p] {
		return nil, store.ErrNotFound
	}
	list, _ := f.ValidDerivers(context.Background(), p)
	info := &store.Info{Path: p, NarHash: nixhash.SumString(nixhash.SHA256, p.String())}
	if len(list) > 0 {
		info.Deriver = list[0]
	}
	return info, nil
}

func (f *fake) ReadDerivation(_ context.Context, p storepath.Path) (*derivation.Derivation, error) {
	if d := f.drvs[p]; d != nil {
		return d, nil
	}
	return nil, store.ErrNotFound
}

func (f *fake) ValidDerivers(_ context.Context, p storepath.Path) ([]storepath.Path, error) {
	for drv, d := range f.drvs {
		if d.Outputs["out"].Path == p {
			return []storepath.Path{drv}, nil
		}
	}
	return nil, nil
}

// add makes the derivation of CCCC-name; inputs are of the same kind, or sources.
func (f *fake) add(c, name string, env map[string]string, inputs ...storepath.Path) storepath.Path {
	drv := storePath(c, name+".drv")
	d := &derivation.Derivation{Name: name, Platform: "x86_64-linux", Builder: storePath("b", "bash").String() + "/bin/bash", Outputs: map[string]derivation.Output{"out": {Path: storePath(c, name)}}, Env: env}
	for _, in := range inputs {
		if in.IsDerivation() {
			d.AddInput(in, "out")
		} else {
			d.AddSource(in)
		}
	}
	f.drvs[drv] = d
	return drv
}

func (f *fake) fetch(c, name, algo string, env map[string]string) storepath.Path {
	drv := f.add(c, name, env)
	f.drvs[drv].Outputs["out"] = derivation.Output{Path: storePath(c, name), HashAlgo: algo, Hash: strings.Repeat("0", 64)}
	return drv
}

// TestItem has an image of packages that are made in the ways that there are.
func TestItem(t *testing.T) {
	f := &fake{map[storepath.Path]*derivation.Derivation{}, map[storepath.Path]bool{}}
	debs := f.fetch("0", "bash.deb", "sha256", map[string]string{"url": "mirror://debian/pool/b/bash.deb"})
	unpacked := f.add("b", "bash", nil, debs)
	f.drvs[unpacked].Platform = "builtin"
	tarball := f.fetch("1", "x.tar.gz", "sha256", map[string]string{"urls": "mirror://nosuch/x https://example.org/x.tar.gz"})
	tree := f.fetch("2", "tree", "r:sha256", map[string]string{"__json": `{"urls":["https://example.org/tree.zip"]}`})
	patched := f.add("3", "x-src", map[string]string{"src": storePath("1", "x.tar.gz").String()}, tarball, unpacked)
	tool := f.add("4", "tool", map[string]string{"src": storePath("2", "tree").String()}, tree, unpacked)
	local, script := storePath("5", "local"), storePath("6", "builder.sh")
	x := f.add("7", "x-1.2", map[string]string{"src": storePath("3", "x-src").String()}, patched, tool, unpacked, script)
	y := f.add("8", "y", map[string]string{"__json": `{"pname":"why","version":"9","srcs":["` + local.String() + `"]}`}, tool, local, script)
	root := f.add("9", "image", map[string]string{"__json": `{"contents":"` + storePath("8", "y").String() + `"}`}, x, y, storePath("a", "gone.drv"))
	f.lost[script] = true

	o, err := Find(t.Context(), f, storePath("9", "image"))
	if err != nil || o.Drv != root || len(o.Contents) != 1 {
		t.Fatalf("%+v, error %v", o, err)
	}
	for p, want := range map[storepath.Path]string{
		storePath("7", "x-1.2"):    "built x 1.2 from x.tar.gz at mirror://nosuch/x https://example.org/x.tar.gz",
		storePath("8", "y"):        "built why 9 from local at",
		storePath("4", "tool"):     "built tool  from tree at https://example.org/tree.zip (recursive)",
		storePath("b", "bash"):     "built bash  from bash.deb at https://ftp.debian.org/debian/pool/b/bash.deb",
		storePath("1", "x.tar.gz"): "fetched x.tar.gz  from x.tar.gz at mirror://nosuch/x https://example.org/x.tar.gz",
		local:                      "added local ",
		storePath("c", "who-0.3"):  "unknown who 0.3",
	} {
		item, err := o.Item(t.Context(), p)
		if err != nil {
			t.Fatal(err)
		}
		got := fmt.Sprintf("%s %s %s", item.Kind, item.Name, item.Version)
		for _, s := range item.Sources {
			got += " from " + s.Path.Name() + " at"
			for _, u := range s.URLs {
				if !strings.Contains(u, "kernel.org") && !strings.Contains(u, "archive.debian.org") {
					got += " " + u
				}
			}
			if s.Recursive && len(s.URLs) > 0 {
				got += " (recursive)"
			}
		}
		if got != want {
			t.Errorf("%s: %s", p, got)
		}
	}
	materials, missing, err := o.Materials(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, m := range materials {
		names = append(names, fmt.Sprint(m.Path.Name(), " ", !m.Hash.IsZero()))
	}
	if s := strings.Join(names, ","); s != "bash.deb true,x.tar.gz true,tree true,local true,builder.sh false" || len(missing) != 1 {
		t.Errorf("materials %s, missing %v", s, missing)
	}
}
