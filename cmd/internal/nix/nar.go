package nix

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"gonix/cmd/internal/process"
	"gonix/derivation/nar"
)

// fileListing is what nar ls and store ls know of a file.
type fileListing struct {
	header   nar.Header
	inNAR    bool
	children []*fileListing // sorted
}

func (l *fileListing) name() string { return path.Base(l.header.Path) }

// child returns what is at a path below l, nil if there is nothing.
func (l *fileListing) child(name string) *fileListing {
	for part := range strings.SplitSeq(strings.Trim(path.Clean("/"+name), "/"), "/") {
		if part == "" {
			continue
		}
		i := slices.IndexFunc(l.children, func(c *fileListing) bool { return c.name() == part })
		if i < 0 {
			return nil
		}
		l = l.children[i]
	}
	return l
}

// readListing reads the index of an archive.
func readListing(r io.Reader) (*fileListing, error) {
	var root *fileListing
	dirs := map[string]*fileListing{}
	for in := nar.NewReader(r); ; {
		h, err := in.Next()
		if errors.Is(err, io.EOF) {
			return root, nil
		}
		if err != nil {
			return nil, err
		}
		l := &fileListing{header: *h, inNAR: true}
		if root == nil {
			root = l
		} else {
			parent := dirs[strings.TrimSuffix(path.Dir(h.Path), ".")]
			parent.children = append(parent.children, l)
		}
		if h.Type == nar.Directory {
			dirs[h.Path] = l
		}
	}
}

// listFiles lists a tree on the disk.
func listFiles(file, name string) (*fileListing, error) {
	info, err := os.Lstat(file)
	if err != nil {
		return nil, err
	}
	l := &fileListing{header: nar.Header{Path: name}}
	switch {
	case info.IsDir():
		l.header.Type = nar.Directory
		entries, err := os.ReadDir(file)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			c, err := listFiles(filepath.Join(file, e.Name()), strings.TrimPrefix(name+"/"+e.Name(), "/"))
			if err != nil {
				return nil, err
			}
			l.children = append(l.children, c)
		}
	case info.Mode()&os.ModeSymlink != 0:
		l.header.Type = nar.Symlink
		l.header.Target, err = os.Readlink(file)
	default:
		l.header.Type, l.header.Size = nar.Regular, info.Size()
		l.header.Executable = info.Mode()&0o100 != 0
	}
	return l, err
}

// listFlags are those of ls.
type listFlags struct{ recursive, long, directory bool }

// json is the listing in Nix's form; entries of a directory that is not gone
// into are empty.
func (l *fileListing) json(deep, top bool) map[string]any {
	if !top && !deep {
		return map[string]any{}
	}
	h := &l.header
	object := map[string]any{"type": h.Type.String()}
	switch h.Type {
	case nar.Directory:
		entries := map[string]any{}
		for _, c := range l.children {
			entries[c.name()] = c.json(deep, false)
		}
		object["entries"] = entries
	case nar.Regular:
		object["size"], object["executable"] = h.Size, h.Executable
		if l.inNAR {
			object["narOffset"] = h.Offset
		}
	case nar.Symlink:
		object["target"] = h.Target
	}
	return object
}

// print lists l as Nix does; name is what it is called in the list.
func (l *fileListing) print(w io.Writer, f listFlags, name string, itself bool) {
	if l.header.Type == nar.Directory && !itself {
		for _, c := range l.children {
			c.print(w, f, name+"/"+c.name(), true)
		}
		return
	}
	if f.long {
		mode := map[nar.Type]string{nar.Regular: "-r--r--r--", nar.Symlink: "lrwxrwxrwx", nar.Directory: "dr-xr-xr-x"}[l.header.Type]
		if l.header.Executable {
			mode = "-r-xr-xr-x"
		}
		line := fmt.Sprintf("%s %20d %s", mode, l.header.Size, name)
		if l.header.Type == nar.Symlink {
			line += " -> " + l.header.Target
		}
		fmt.Fprintln(w, line)
	} else {
		fmt.Fprintln(w, name)
	}
	if f.recursive && l.header.Type == nar.Directory {
		l.print(w, f, name, false)
	}
}

// ls prints what is at a path.
func (x *run) ls(f *flags, lf listFlags, l *fileListing) error {
	x.Progress.Close()
	if f.json {
		if lf.directory {
			return errors.New("'--directory' is useless with '--json'")
		}
		return x.End(writeJSON(x.Out, l.json(lf.recursive, true)))
	}
	name := l.name()
	if l.header.Type == nar.Directory {
		name = "."
	}
	l.print(x.Out, lf, name, lf.directory)
	return x.End(nil)
}

func (lf *listFlags) declare(f *flags, fs flagSet) {
	fs.BoolVarP(&lf.recursive, "recursive", "R", false, "list what is in folders, too")
	fs.BoolVarP(&lf.long, "long", "l", false, "show what each file is")
	fs.BoolVarP(&lf.directory, "directory", "d", false, "show folders, not what is in them")
	fs.BoolVar(&f.json, "json", false, "print JSON")
}

func narLs(ctx context.Context, w *process.World, name string, args []string) error {
	f, fs := newFlags(name, false, nil)
	var lf listFlags
	lf.declare(f, fs)
	set, stop, err := f.begin(w, fs, args)
	if set == nil {
		return err
	}
	defer stop()
	if len(f.Args) != 2 {
		return errors.New("an archive and a path in it are needed")
	}
	x, shut, err := f.open(ctx, w, set, true)
	if err != nil {
		return err
	}
	defer shut()
	in, err := os.Open(w.Abs(f.Args[0]))
	if err != nil {
		return err
	}
	defer in.Close()
	root, err := readListing(in)
	if err != nil {
		return err
	}
	l := root.child(f.Args[1])
	if l == nil {
		return fmt.Errorf("path '%s' does not exist", path.Clean("/"+f.Args[1]))
	}
	return x.ls(f, lf, l)
}

func narCat(ctx context.Context, w *process.World, name string, args []string) error {
	f, fs := newFlags(name, false, nil)
	set, stop, err := f.begin(w, fs, args)
	if set == nil {
		return err
	}
	defer stop()
	if len(f.Args) != 2 {
		return errors.New("an archive and a path in it are needed")
	}
	in, err := os.Open(w.Abs(f.Args[0]))
	if err != nil {
		return err
	}
	defer in.Close()
	want := strings.TrimPrefix(path.Clean("/"+f.Args[1]), "/")
	found := false
	// The whole archive is read, so that a damaged one is not taken for a good
	// one.
	for r := nar.NewReader(in); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if h.Path == want && h.Type == nar.Regular {
			found = true
			if _, err := r.WriteTo(w.Stdout); err != nil {
				return err
			}
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	if !found {
		return fmt.Errorf("NAR does not contain regular file '%s'", f.Args[1])
	}
	return nil
}

func narDump(ctx context.Context, w *process.World, name string, args []string) error {
	f, fs := newFlags(name, false, nil)
	set, stop, err := f.begin(w, fs, args)
	if set == nil {
		return err
	}
	defer stop()
	x, shut, err := f.open(ctx, w, set, true)
	if err != nil {
		return err
	}
	defer shut()
	return x.End(x.Dump())
}
