package nix

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"gonix/cmd/internal/process"
	"gonix/derivation/nixhash"
	"gonix/derivation/store"
	"gonix/derivation/store/gc"
	"gonix/derivation/storepath"
)

// pathInfo is gonix path-info, which is nix path-info.
type pathInfo struct {
	*run
	size, closureSize, human, sigs bool
}

func pathInfoCommand(ctx context.Context, w *process.World, name string, args []string) error {
	f, fs := newFlags(name, true, nil)
	f.remote = true
	var q pathInfo
	var all, recursive bool
	var format int
	fs.BoolVarP(&q.size, "size", "s", false, "print the size of each path")
	fs.BoolVarP(&q.closureSize, "closure-size", "S", false, "print the size of all that each path needs")
	fs.BoolVarP(&q.human, "human-readable", "h", false, "print sizes in KiB, MiB and so on")
	fs.BoolVar(&q.sigs, "sigs", false, "print signatures")
	fs.BoolVarP(&recursive, "recursive", "r", false, "what the paths need, too")
	fs.BoolVar(&all, "all", false, "all paths of the store")
	fs.BoolVar(&f.json, "json", false, "print JSON")
	fs.IntVar(&format, "json-format", 0, "`version` of that JSON: 1, with whole paths, or 2")
	set, stop, err := f.begin(w, fs, args)
	if set == nil {
		return err
	}
	defer stop()
	if format < 0 || format > 2 {
		return fmt.Errorf("JSON format %d is not supported: it is 1 or 2", format)
	}
	if f.json && format == 0 {
		w.Warn("'--json' without '--json-format' is deprecated; please specify '--json-format 1' or '--json-format 2'. This will become an error in a future release.")
		format = 1
	}
	x, shut, err := f.open(ctx, w, set, false)
	if err != nil {
		return err
	}
	defer shut()
	q.run = x
	paths, err := q.subjects(f, all, recursive)
	if err != nil {
		return err
	}
	x.Progress.Close()
	if f.json {
		err = q.printJSON(paths, format)
	} else {
		err = q.printLines(paths)
	}
	return x.End(err)
}

func (q *pathInfo) subjects(f *flags, all, recursive bool) ([]storepath.Path, error) {
	if all {
		if len(f.Args) > 0 {
			return nil, errors.New("'--all' does not expect arguments")
		}
		return q.all()
	}
	list, err := q.installables(f)
	if err != nil {
		return nil, err
	}
	paths, err := q.pathsOf(f, list)
	if err != nil || !recursive {
		return paths, err
	}
	closure, err := q.closure(paths...)
	if err != nil {
		return nil, err
	}
	return q.sorted(closure)
}

func (q *pathInfo) printLines(paths []storepath.Path) error {
	width := 0
	for _, p := range paths {
		width = max(width, len(p.String()))
	}
	for _, p := range paths {
		info, err := q.info(p)
		if err != nil {
			return err
		}
		line := p.String()
		if q.size || q.closureSize || q.sigs {
			line += strings.Repeat(" ", width-len(line))
		}
		if q.size {
			line += q.bytes(info.NarSize)
		}
		if q.closureSize {
			n, err := q.closureBytes(p)
			if err != nil {
				return err
			}
			line += q.bytes(n)
		}
		if q.sigs {
			var words []string
			if info.Ultimate {
				words = append(words, "ultimate")
			}
			if info.CA != "" {
				words = append(words, "ca:"+info.CA)
			}
			line += "\t" + strings.Join(append(words, info.Sigs...), " ")
		}
		q.Println(line)
	}
	return nil
}

// bytes is a column with a size.
func (q *pathInfo) bytes(n int64) string {
	if !q.human {
		return fmt.Sprintf("\t%11d", n)
	}
	number, unit, _ := strings.Cut(gc.Size(n), " ")
	return fmt.Sprintf("\t%6s %s", number, unit)
}

func (q *pathInfo) closureBytes(p storepath.Path) (int64, error) {
	closure, err := q.closure(p)
	if err != nil {
		return 0, err
	}
	var sum int64
	for _, p := range closure {
		info, err := q.info(p)
		if err != nil {
			return 0, err
		}
		sum += info.NarSize
	}
	return sum, nil
}

func (q *pathInfo) printJSON(paths []storepath.Path, format int) error {
	name := storepath.Path.String
	if format > 1 {
		name = storepath.Path.Base
	}
	all := map[string]any{}
	for _, p := range paths {
		info, err := q.info(p)
		if errors.Is(err, store.ErrNotFound) {
			all[name(p)] = nil
			continue
		}
		if err != nil {
			return err
		}
		object := infoJSON(info, format)
		if q.closureSize {
			if object["closureSize"], err = q.closureBytes(p); err != nil {
				return err
			}
		}
		all[name(p)] = object
	}
	if format == 1 {
		return writeJSON(q.Out, all)
	}
	return writeJSON(q.Out, map[string]any{"info": all, "storeDir": storepath.Dir, "version": format})
}

// infoJSON is what is known about a path, in Nix's form.
func infoJSON(info *store.Info, format int) map[string]any {
	name := storepath.Path.String
	if format > 1 {
		name = storepath.Path.Base
	}
	refs := []string{}
	for _, r := range info.References {
		refs = append(refs, name(r))
	}
	var deriver, ca any
	if !info.Deriver.IsZero() {
		deriver = name(info.Deriver)
	}
	if info.CA != "" {
		ca = info.CA
		if format > 1 {
			ca = contentAddressJSON(info.CA)
		}
	}
	sigs := slices.Clone(info.Sigs)
	if sigs == nil {
		sigs = []string{}
	}
	return map[string]any{
		"ca": ca, "deriver": deriver, "narHash": info.NarHash.SRI(), "narSize": info.NarSize, "references": refs,
		"registrationTime": info.RegTime.Unix(), "signatures": sigs, "storeDir": storepath.Dir,
		"ultimate": info.Ultimate, "version": format,
	}
}

// contentAddressJSON takes "fixed:r:sha256:..." apart.
func contentAddressJSON(ca string) any {
	method, rest := "flat", strings.TrimPrefix(ca, "fixed:")
	if text, ok := strings.CutPrefix(ca, "text:"); ok {
		method, rest = "text", text
	} else if archive, ok := strings.CutPrefix(rest, "r:"); ok {
		method, rest = "nar", archive
	}
	h, err := nixhash.Parse(rest, nixhash.Unknown)
	if err != nil {
		return ca
	}
	return map[string]any{"method": method, "hash": h.SRI()}
}
