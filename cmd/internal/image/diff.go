package image

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strings"

	"gonix/cmd/internal/process"
	"gonix/cmd/internal/terminal"
	"gonix/derivation/storepath"
	"gonix/dockertools/archive"
	"gonix/dockertools/image"
	"gonix/dockertools/listing"

	"github.com/spf13/pflag"
)

// diffJSON is what diff --json shows; where an image does not have something, that
// is null.
type diffJSON struct {
	Settings   []settingJSON `json:"settings"`
	StorePaths []pathJSON    `json:"storePaths"` // that only one of them has, with sizes
	Files      []changeJSON  `json:"files"`
}

type settingJSON struct {
	Name string          `json:"name"`
	Old  json.RawMessage `json:"old"`
	New  json.RawMessage `json:"new"`
}

type pathJSON struct {
	Path string `json:"path"`
	Old  *int64 `json:"old"`
	New  *int64 `json:"new"`
}

type changeJSON struct {
	Old *fileJSON `json:"old"`
	New *fileJSON `json:"new"`
}

func diffVerb(ctx context.Context, w *process.World, fs *pflag.FlagSet, f *flags) func([]string) error {
	files := fs.Bool("files", false, "name the files of store paths that only one image has, too")
	asJSON := fs.Bool("json", false, "write JSON")
	return func(args []string) error {
		if len(args) != 2 {
			return errArguments
		}
		var images [2]archive.Tagged
		var lists [2]*listing.Listing
		for i, arg := range args {
			var err error
			if images[i], err = f.open(ctx, w, arg); err != nil {
				return err
			}
			if lists[i], err = listing.Read(ctx, images[i].Image); err != nil {
				return fmt.Errorf("read the image %s: %w", arg, err)
			}
		}
		d := diffJSON{[]settingJSON{}, []pathJSON{}, []changeJSON{}}
		for _, c := range image.DiffSettings(images[0].Image.Config(), images[1].Image.Config()) {
			d.Settings = append(d.Settings, settingJSON{c.Name, c.Old, c.New})
		}
		was, is := lists[0].StorePaths(), lists[1].StorePaths()
		for _, p := range slices.Sorted(maps.Keys(was)) {
			if _, ok := is[p]; !ok {
				size := was[p]
				d.StorePaths = append(d.StorePaths, pathJSON{storepath.Dir + "/" + p, &size, nil})
			}
		}
		for _, p := range slices.Sorted(maps.Keys(is)) {
			if _, ok := was[p]; !ok {
				size := is[p]
				d.StorePaths = append(d.StorePaths, pathJSON{storepath.Dir + "/" + p, nil, &size})
			}
		}
		changes := listing.Diff(lists[0], lists[1])
		differ := len(d.Settings)+len(changes) > 0
		if !*files {
			changes = slices.DeleteFunc(changes, func(c listing.Change) bool {
				p := listing.StorePath(c.Name)
				_, inOld := was[p]
				_, inNew := is[p]
				return p != "" && inOld != inNew
			})
		}
		for _, c := range changes {
			d.Files = append(d.Files, changeJSON{newFileJSON(c.Old), newFileJSON(c.New)})
		}
		write := writeDiff
		if *asJSON {
			write = func(out io.Writer, d diffJSON, _ []listing.Change) error { return writeIndented(out, d) }
		}
		if err := write(w.Stdout, d, changes); err != nil {
			return err
		}
		if differ {
			return process.Exit(1) // as diff(1)
		}
		return nil
	}
}

// writeDiff writes d, of whose files changes says more, for people.
func writeDiff(to io.Writer, d diffJSON, changes []listing.Change) error {
	out := bufio.NewWriter(to)
	for _, s := range d.Settings {
		switch {
		case s.Old == nil:
			fmt.Fprintf(out, "+ %9s  %s %s\n", "setting", terminal.Printable(s.Name), terminal.Printable(string(s.New)))
		case s.New == nil:
			fmt.Fprintf(out, "- %9s  %s %s\n", "setting", terminal.Printable(s.Name), terminal.Printable(string(s.Old)))
		default:
			fmt.Fprintf(out, "~ %9s  %s %s, was %s\n", "setting", terminal.Printable(s.Name), terminal.Printable(string(s.New)), terminal.Printable(string(s.Old)))
		}
	}
	for _, p := range d.StorePaths {
		if p.Old != nil {
			fmt.Fprintf(out, "- %9s  %s\n", terminal.ByteSize(*p.Old), terminal.Printable(p.Path))
		} else {
			fmt.Fprintf(out, "+ %9s  %s\n", terminal.ByteSize(*p.New), terminal.Printable(p.Path))
		}
	}
	for _, c := range changes {
		name := terminal.Printable(path.Join("/", c.Name))
		switch {
		case c.Old == nil:
			fmt.Fprintf(out, "+ %9s  %s\n", terminal.ByteSize(c.New.Size), name)
		case c.New == nil:
			fmt.Fprintf(out, "- %9s  %s\n", terminal.ByteSize(c.Old.Size), name)
		default:
			fmt.Fprintf(out, "~ %9s  %s (%s)\n", terminal.ByteSize(c.New.Size), name, changeText(c))
		}
	}
	return out.Flush()
}

// changeText says all that became of a file.
func changeText(c listing.Change) string {
	o, n := c.Old, c.New
	var all []string
	switch {
	case o.Kind != n.Kind:
		all = append(all, fmt.Sprintf("%s, was %s", n.Kind, o.Kind))
	case o.Digest != n.Digest || o.Size != n.Size:
		all = append(all, fmt.Sprintf("contents, was %s", terminal.ByteSize(o.Size)))
	case o.Target != n.Target:
		all = append(all, fmt.Sprintf("to %s, was %s", terminal.Printable(n.Target), terminal.Printable(o.Target)))
	case o.Major != n.Major || o.Minor != n.Minor:
		all = append(all, fmt.Sprintf("device %d:%d, was %d:%d", n.Major, n.Minor, o.Major, o.Minor))
	}
	if o.Mode != n.Mode {
		all = append(all, fmt.Sprintf("mode %04o, was %04o", n.Mode, o.Mode))
	}
	if o.UID != n.UID || o.GID != n.GID {
		all = append(all, fmt.Sprintf("owner %d:%d, was %d:%d", n.UID, n.GID, o.UID, o.GID))
	}
	names := maps.Clone(o.Xattrs)
	if names == nil {
		names = map[string]string{}
	}
	maps.Copy(names, n.Xattrs)
	for _, x := range slices.Sorted(maps.Keys(names)) {
		was, had := o.Xattrs[x]
		is, has := n.Xattrs[x]
		switch x := terminal.Printable(x); {
		case !had:
			all = append(all, fmt.Sprintf("attribute %s %q", x, is))
		case !has:
			all = append(all, "without attribute "+x)
		case was != is:
			all = append(all, fmt.Sprintf("attribute %s %q, was %q", x, is, was))
		}
	}
	return strings.Join(all, "; ")
}
