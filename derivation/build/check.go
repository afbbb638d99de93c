package build

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"gonix/derivation/store"
	"gonix/derivation/storepath"
)

// demands are what a derivation says about one output.
type demands struct {
	lists          map[string][]string // by the name of the rule; absent is not the same as empty
	maxSize        int64               // 0 for no limit
	maxClosureSize int64
	ignoreSelfRefs bool
}

// rules are the attributes that restrict references.
var rules = []struct {
	attr      string
	allowed   bool // the list is all that may be, else what may not be
	recursive bool // it is about the closure, else about the output's own references
}{
	{"allowedReferences", true, false},
	{"allowedRequisites", true, true},
	{"disallowedReferences", false, false},
	{"disallowedRequisites", false, true},
}

// demandsOn reads the demands on one output, from outputChecks of structured
// attributes or from plain attributes, which are about all outputs.
func demandsOn(job *Job, output string) (*demands, error) {
	d := &demands{lists: map[string][]string{}, ignoreSelfRefs: true}
	text, ok := job.Drv.Structured()
	if !ok {
		for _, rule := range rules {
			if v, ok := job.Drv.Env[rule.attr]; ok {
				d.lists[rule.attr] = strings.Fields(v)
			}
		}
		return d, nil
	}
	attrs, err := parseAttrs(text)
	if err != nil {
		return nil, err
	}
	all, ok := attrs["outputChecks"].(map[string]any)
	if !ok {
		return d, nil
	}
	checks, ok := all[output].(map[string]any)
	if !ok {
		return d, nil
	}
	for _, rule := range rules {
		v, ok := checks[rule.attr]
		if !ok || v == nil {
			continue
		}
		list, ok := v.([]any)
		words, ok2 := stringList(list)
		if !ok || !ok2 {
			return nil, fmt.Errorf("attribute '%s' of derivation '%s' must be a list of strings", rule.attr, job.DrvPath)
		}
		d.lists[rule.attr] = words
	}
	for _, size := range []struct {
		name string
		to   *int64
	}{{"maxSize", &d.maxSize}, {"maxClosureSize", &d.maxClosureSize}} {
		v, ok := checks[size.name]
		if !ok {
			continue
		}
		n, ok := v.(json.Number)
		if !ok {
			return nil, fmt.Errorf("attribute '%s' of derivation '%s' must be a number", size.name, job.DrvPath)
		}
		if *size.to, err = n.Int64(); err != nil {
			return nil, fmt.Errorf("attribute '%s' of derivation '%s' must be a whole number", size.name, job.DrvPath)
		}
	}
	if v, ok := checks["ignoreSelfRefs"].(bool); ok {
		d.ignoreSelfRefs = v
	}
	return d, nil
}

// discarded are the outputs whose references do not count, by
// unsafeDiscardReferences of structured attributes.
func discarded(job *Job) map[string]bool {
	names := map[string]bool{}
	text, ok := job.Drv.Structured()
	if !ok {
		return names
	}
	attrs, err := parseAttrs(text)
	if err != nil {
		return names
	}
	set, _ := attrs["unsafeDiscardReferences"].(map[string]any)
	for name, v := range set {
		names[name] = v == true
	}
	return names
}

// checkReferences checks all demands of the derivation (Nix: checkOutputs).
func (r *runner) checkReferences(job *Job, infos []store.Info) error {
	own := map[storepath.Path]*store.Info{}
	for i := range infos {
		own[infos[i].Path] = &infos[i]
	}
	for _, name := range job.Drv.OutputNames() {
		d, err := demandsOn(job, name)
		if err != nil {
			return err
		}
		info := own[job.Outputs[name]]
		if d.maxSize > 0 && info.NarSize > d.maxSize {
			return fmt.Errorf("path '%s' is too large at %d bytes; limit is %d bytes", info.Path, info.NarSize, d.maxSize)
		}
		var closure []storepath.Path
		if d.maxClosureSize > 0 || d.lists["allowedRequisites"] != nil || d.lists["disallowedRequisites"] != nil {
			var size int64
			if closure, size, err = r.closure(info.Path, own); err != nil {
				return err
			}
			if d.maxClosureSize > 0 && size > d.maxClosureSize {
				return fmt.Errorf("closure of path '%s' is too large at %d bytes; limit is %d bytes", info.Path, size, d.maxClosureSize)
			}
		}
		for _, rule := range rules {
			list, ok := d.lists[rule.attr]
			if !ok {
				continue
			}
			used := info.References
			if rule.recursive {
				used = closure
			}
			spec, err := specifiers(job, name, list)
			if err != nil {
				return err
			}
			var bad []string
			for _, p := range used {
				if rule.recursive && d.ignoreSelfRefs && p == info.Path {
					continue
				}
				if spec[p] != rule.allowed {
					bad = append(bad, "\n  "+p.String())
				}
			}
			if len(bad) > 0 {
				return fmt.Errorf("output '%s' is not allowed to refer to the following paths:%s", info.Path, strings.Join(bad, ""))
			}
		}
	}
	return nil
}

// specifiers reads a list of store paths and names of outputs.
func specifiers(job *Job, output string, list []string) (map[storepath.Path]bool, error) {
	spec := map[storepath.Path]bool{}
	for _, word := range list {
		if p, ok := job.Outputs[word]; ok {
			spec[p] = true
			continue
		}
		p, err := storepath.Parse(word)
		if err != nil {
			return nil, fmt.Errorf("derivation '%s' output check for '%s' contains output name '%s', but this is not a valid output of this derivation. (Valid outputs are [%s].)",
				job.DrvPath, output, word, strings.Join(slices.Sorted(maps.Keys(job.Outputs)), ", "))
		}
		spec[p] = true
	}
	return spec, nil
}

// closure returns the closure of an output that is not registered yet, sorted,
// and its size.
func (r *runner) closure(root storepath.Path, own map[storepath.Path]*store.Info) ([]storepath.Path, int64, error) {
	seen := map[storepath.Path]bool{}
	var size int64
	for todo := []storepath.Path{root}; len(todo) > 0; {
		p := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if seen[p] {
			continue
		}
		seen[p] = true
		info, ok := own[p]
		if !ok {
			var err error
			if info, err = r.store.Info(r.ctx, p); err != nil {
				return nil, 0, err
			}
		}
		size += info.NarSize
		todo = append(todo, info.References...)
	}
	return slices.SortedFunc(maps.Keys(seen), storepath.Compare), size, nil
}
