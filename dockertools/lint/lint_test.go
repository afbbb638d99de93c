package lint

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"gonix/dockertools/image"
	"gonix/dockertools/listing"
	"gonix/dockertools/tarball"
)

func TestCheck(t *testing.T) {
	tree := []listing.File{
		{Entry: tarball.Entry{Name: "bin", Kind: tarball.Symlink, Target: "usr/bin"}},
		{Entry: tarball.Entry{Name: "tmp", Kind: tarball.Directory, Mode: 0o1777}},
		{Entry: tarball.Entry{Name: "usr", Kind: tarball.Directory, Mode: 0o755}},
		{Entry: tarball.Entry{Name: "usr/bin", Kind: tarball.Directory, Mode: 0o755}},
		{Entry: tarball.Entry{Name: "usr/bin/a", Kind: tarball.Regular, Mode: 0o755}},
		{Entry: tarball.Entry{Name: "usr/bin/b", Kind: tarball.Regular, Mode: 0o644}},
		{Entry: tarball.Entry{Name: "usr/bin/c", Kind: tarball.Symlink, Target: "../../bin/a"}},
		{Entry: tarball.Entry{Name: "usr/bin/loop", Kind: tarball.Symlink, Target: "loop"}},
	}
	for _, c := range []struct {
		config, drop string
		layers       int
		want         string
	}{
		{`{"Cmd":["/bin/a"]}`, "", 1, ""},
		{`{"Cmd":["c"],"User":"5:6"}`, "", 1, ""},
		{`{"Entrypoint":["/bin/c"],"Cmd":["not a program"]}`, "", 1, ""},
		{`{"Cmd":["./a"],"WorkingDir":"/bin"}`, "", 1, ""},
		{`{"Cmd":["/bin/x"]}`, "", 1, "true command Cmd /bin/x is not in the image"},
		{`{"Cmd":["/bin/b"]}`, "", 1, "true command Cmd /bin/b is a regular file with mode 0644, not a program"},
		{`{"Cmd":["/bin/loop"]}`, "", 1, "true command Cmd /bin/loop is not in the image"},
		{`{"Cmd":["a"],"Env":["PATH=/sbin"]}`, "", 1, "true command Cmd a is in no directory of PATH (/sbin)"},
		{`{}`, "", 1, "false command neither Entrypoint nor Cmd is set; a container needs a command to be named"},
		{`{"Cmd":["a"],"User":"redis"}`, "tmp", 1, "true user User names the user 'redis', but there is no /etc/passwd to look it up in|false tmp there is no directory /tmp; many programs need one"},
		{`{"Cmd":["a"],"User":"0:wheel"}`, "", 1, "true user User names the group 'wheel', but there is no /etc/group to look it up in"},
		{`{"Cmd":["a"]}`, "", 121, "false layers 121 layers leave little room: clients take no more than 125"},
		{`{"Cmd":["a"]}`, "", 126, "true layers 126 layers, but clients take no more than 125"},
	} {
		cfg := image.Config{}
		if err := json.Unmarshal([]byte(c.config), &cfg.Settings); err != nil {
			t.Fatal(err)
		}
		files := slices.DeleteFunc(slices.Clone(tree), func(f listing.File) bool { return f.Name == c.drop })
		var got []string
		for _, f := range Check(cfg, &listing.Listing{Files: files, UnpackedSizes: make([]int64, c.layers)}, NewFacts()) {
			got = append(got, fmt.Sprint(f.Error, " ", f.Check, " ", f.Message))
		}
		if s := strings.Join(got, "|"); s != c.want {
			t.Errorf("%s: %s", c.config, s)
		}
	}
}
