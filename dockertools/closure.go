package dockertools

import (
	"context"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"gonix/derivation/refscan"
	"gonix/derivation/storepath"
	"gonix/dockertools/image"
	"gonix/dockertools/layer"
	"gonix/dockertools/tarball"
)

// closure returns the store paths that belong into the image, sorted: the
// closure of everything that the config and the files outside of the store
// refer to.
func (a *assembly) closure(ctx context.Context, custom []tarball.Entry) ([]storepath.Path, error) {
	scanner := refscan.NewScanner(a.job.Inputs)
	if _, err := scanner.Write(a.spec.RawConfig); err != nil {
		return nil, err
	}
	if err := a.checkConfigPaths(); err != nil {
		return nil, err
	}
	if !a.spec.IncludeStorePaths {
		return nil, nil
	}
	for i := range custom {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		e := &custom[i]
		// Zero bytes keep a hash from being found across two texts.
		if _, err := io.WriteString(scanner, "\x00"+e.Target+"\x00"); err != nil {
			return nil, err
		}
		if err := scanFile(scanner, e); err != nil {
			return nil, err
		}
	}
	closure, err := a.job.Store.Closure(ctx, scanner.Found()...)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(closure, storepath.Compare)
	for _, p := range closure {
		if _, ok := slices.BinarySearchFunc(a.job.Inputs, p, storepath.Compare); !ok {
			return nil, fmt.Errorf("'%s' belongs into the image, but is not among the inputs of the derivation", p)
		}
	}
	return closure, nil
}

func scanFile(w io.Writer, e *tarball.Entry) error {
	if e.Kind != tarball.Regular || e.Size == 0 {
		return nil
	}
	if e.Source == "" {
		_, err := w.Write(e.Data)
		return err
	}
	f, err := os.Open(e.Source)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.CopyBuffer(struct{ io.Writer }{w}, f, make([]byte, 256<<10))
	return err
}

var storePathPattern = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`/nix/store/[0-9a-df-np-sv-z]{32}-[0-9a-zA-Z+._?=-]+`)
})

// checkConfigPaths refuses store paths in the config that cannot be in the image.
func (a *assembly) checkConfigPaths() error {
	for _, name := range storePathPattern().FindAllString(string(a.spec.RawConfig), -1) {
		p, err := storepath.Parse(name)
		if err != nil {
			continue // some other text
		}
		same := func(q storepath.Path) bool { return q.HashPart() == p.HashPart() }
		if slices.ContainsFunc(a.job.Inputs, same) || slices.ContainsFunc(a.spec.Absent, same) {
			continue
		}
		if _, ok := a.tree.Has(strings.TrimPrefix(name, "/")); ok {
			continue
		}
		return fmt.Errorf("config refers to '%s', which is neither an input of the derivation nor in the base image; was its string context discarded?", name)
	}
	return nil
}

// layerPlan is a layer to be written.
type layerPlan struct {
	entries []tarball.Entry
	sizes   []PathSize // of the store paths in it
	key     string     // in the cache of layers, "" if it does not belong there
}

// bytes is how much the files of the layer hold.
func (l *layerPlan) bytes() int64 {
	total := int64(0)
	for i := range l.entries {
		total += l.entries[i].Size
	}
	return total
}

// plan cuts the closure and the files outside of the store into layers. Store
// paths that the base has are left out. A strategy that puts all store paths
// together puts the other files there too, and everything has one time, as
// nixpkgs' buildImage has it; otherwise these have the topmost layer to
// themselves, and the layers of store paths depend on the paths alone.
func (a *assembly) plan(ctx context.Context, paths []storepath.Path, custom []tarball.Entry) ([]layerPlan, error) {
	together := a.spec.Layers.Name == layer.Single
	stamp := tarball.Stamp{Time: a.spec.Mtime}
	if a.spec.Layered {
		stamp.UID, stamp.GID, stamp.User, stamp.Group = a.spec.UID, a.spec.GID, a.spec.User, a.spec.Group
	}
	if together {
		stamp.Time = tarball.LayerTime
	}
	var graph layer.Graph
	files := make(map[storepath.Path][]tarball.Entry, len(paths))
	sizes := make(map[storepath.Path]int64, len(paths))
	listed, err := a.list(ctx, paths, stamp)
	if err != nil {
		return nil, err
	}
	for i, p := range paths {
		entries := listed[i]
		if a.inBase(entries) {
			continue
		}
		info, err := a.job.Store.Info(ctx, p)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			sizes[p] += e.Size
		}
		files[p] = entries
		graph = append(graph, layer.Item{Path: p, Size: sizes[p], NarSize: info.NarSize, References: info.References})
	}
	groups, err := a.cut(graph, together)
	if err != nil {
		return nil, err
	}
	var plans []layerPlan
	for _, group := range groups {
		l := layerPlan{entries: tarball.StoreDirs(stamp)}
		for _, p := range group {
			l.entries = append(l.entries, files[p]...)
			l.sizes = append(l.sizes, PathSize{Path: p.String(), Bytes: sizes[p]})
		}
		if !together || len(custom) == 0 {
			if l.key, err = a.layerKey(ctx, group, stamp, l.bytes()); err != nil {
				return nil, err
			}
		}
		plans = append(plans, l)
	}
	switch {
	case together && len(plans) == 1:
		plans[0].entries = append(plans[0].entries, shareFiles(plans[0].entries, custom)...)
	case len(custom) > 0 || len(plans) == 0 && a.base == nil:
		plans = append(plans, layerPlan{entries: custom})
	}
	if top := len(plans) - 1; top >= 0 && len(custom) > 0 {
		if plans[top].key, err = a.filesKey(ctx, plans[top].entries, plans[top].bytes()); err != nil {
			return nil, err
		}
	}
	return plans, nil
}

// list returns the files of each of the paths. Where there are many files, to find
// them takes a while.
func (a *assembly) list(ctx context.Context, paths []storepath.Path, stamp tarball.Stamp) ([][]tarball.Entry, error) {
	listed := make([][]tarball.Entry, len(paths))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(max(1, a.job.Cores))
	for i, p := range paths {
		group.Go(func() (err error) {
			if err := context.Cause(ctx); err != nil {
				return err
			}
			listed[i], err = tarball.StorePath(nil, p.Base(), a.job.Store.RealPath(p), stamp)
			return err
		})
	}
	return listed, group.Wait()
}

// cut decides which store paths share a layer.
func (a *assembly) cut(graph layer.Graph, together bool) ([]layer.Group, error) {
	pipeline, err := a.pipeline()
	if err != nil {
		return nil, err
	}
	limit := a.spec.MaxLayers
	if pipeline != nil {
		limit = image.MaxLayers
	}
	budget := limit - len(a.baseSizes)
	if !together {
		budget-- // for the files outside of the store
	}
	if budget < 1 {
		return nil, fmt.Errorf("no layer is left for store paths of the %d that 'maxLayers' allows: the base image has %d, and the files outside of the store take one", limit, len(a.baseSizes))
	}
	if pipeline == nil {
		return a.spec.Layers.Cut(graph, layer.Budget{Layers: budget}), nil
	}
	groups, err := pipeline.Cut(graph)
	if err != nil {
		return nil, fmt.Errorf("'layeringPipeline': %w", err)
	}
	if len(groups) > budget {
		return nil, fmt.Errorf("'layeringPipeline' makes %d layers, but clients load no image with more than %d, of which %d are left; limit_layers joins them", len(groups), limit, budget)
	}
	return groups, nil
}

// pipeline returns how the user wants layers to be cut, nil without a wish.
func (a *assembly) pipeline() (*layer.Pipeline, error) {
	if a.spec.PipelineFile == "" {
		return a.spec.Pipeline, nil
	}
	file, err := a.contents().Resolve(a.spec.PipelineFile)
	if err != nil {
		return nil, fmt.Errorf("read 'layeringPipeline' %s: %w", a.spec.PipelineFile, err)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read 'layeringPipeline': %w", err)
	}
	p, err := layer.ParsePipeline(data)
	if err != nil {
		return nil, fmt.Errorf("'layeringPipeline' %s: %w", a.spec.PipelineFile, err)
	}
	return p, nil
}

// inBase reports whether the base image has all files of a store path.
func (a *assembly) inBase(files []tarball.Entry) bool {
	if a.base == nil {
		return false
	}
	for _, f := range files {
		e, ok := a.tree.Has(f.Name)
		if !ok || e.Kind != f.Kind || e.Size != f.Size || e.Target != f.Target {
			return false
		}
	}
	return true
}

// shareFiles returns custom without the directories that store has, and with
// every file that store has too, and that does not differ in owner or mode, as a
// hard link to it: so contents whose store path is in the image as well are
// there once.
func shareFiles(store, custom []tarball.Entry) []tarball.Entry {
	bySource := make(map[string]*tarball.Entry, len(store))
	names := make(map[string]bool, len(store))
	for i := range store {
		e := &store[i]
		names[e.Name] = true
		if e.Kind == tarball.Regular && e.Size > 0 {
			bySource[e.Source] = e
		}
	}
	out := make([]tarball.Entry, 0, len(custom))
	for _, e := range custom {
		if names[e.Name] {
			continue
		}
		if s := bySource[e.Source]; s != nil && e.Kind == tarball.Regular && e.Size > 0 &&
			s.Mode == e.Mode && s.UID == e.UID && s.GID == e.GID && len(e.Xattrs) == 0 {
			e = tarball.Entry{Name: e.Name, Kind: tarball.HardLink, Target: s.Name, Mode: s.Mode, UID: s.UID, GID: s.GID, Time: s.Time}
		}
		out = append(out, e)
	}
	return out
}
