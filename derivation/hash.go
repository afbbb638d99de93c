package derivation

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"gonix/derivation/nixhash"
	"gonix/derivation/storepath"
)

// Resolver returns for an input derivation what each of its outputs hashes to:
// HashModulo without masking. Whoever provides one remembers results, or a
// large graph takes exponential time.
type Resolver func(drv storepath.Path) (map[string]nixhash.Hash, error)

// HashModulo returns for each output the hash that stands for it in the hashes
// of derivations that use it. Fixed outputs are represented by their content
// alone, so that a change in how they are obtained changes nothing further on;
// this goes down through all inputs. With mask, output paths count as empty,
// which gives the hash that the output paths are made of (Nix:
// hashDerivationModulo).
func (d *Derivation) HashModulo(resolve Resolver, mask bool) (map[string]nixhash.Hash, error) {
	if err := d.checkOutputs(); err != nil {
		return nil, err
	}
	if d.IsFixedOutput() {
		return d.hashFixed()
	}
	w := writers.Get().(*writer)
	defer writers.Put(w)
	w.inputs = w.inputs[:0]
	for p, outs := range d.InputDrvs {
		hashes, err := resolve(p)
		if err != nil {
			return nil, err
		}
		for i, o := range outs {
			h, ok := hashes[o]
			if !ok {
				return nil, fmt.Errorf("derivation '%s' has no output '%s', which '%s' needs", p, o, d.Name)
			}
			w.inputs = append(w.inputs, input{digest: h.Digest, outputs: outs[i : i+1]})
		}
	}
	w.joinByDigest()
	w.text = w.appendTo(w.text[:0], d, mask)
	h := nixhash.Sum(nixhash.SHA256, w.text)
	hashes := make(map[string]nixhash.Hash, len(d.Outputs))
	for name := range d.Outputs {
		hashes[name] = h
	}
	return hashes, nil
}

func (d *Derivation) hashFixed() (map[string]nixhash.Hash, error) {
	o := d.Outputs["out"]
	p, err := d.fixedPath(o)
	if err != nil {
		return nil, err
	}
	text := "fixed:out:" + o.HashAlgo + ":" + o.Hash + ":" + p.String()
	return map[string]nixhash.Hash{"out": nixhash.Sum(nixhash.SHA256, []byte(text))}, nil
}

// checkOutputs refuses what is no derivation, and content-addressed outputs
// whose hash is not known beforehand: their paths depend on the build.
func (d *Derivation) checkOutputs() error {
	if len(d.Outputs) == 0 {
		return fmt.Errorf("derivation '%s' must have at least one output", d.Name)
	}
	for _, name := range d.OutputNames() {
		switch o := d.Outputs[name]; {
		case o.HashAlgo != "" && o.Hash == "":
			return fmt.Errorf("derivation '%s' has the content-addressed output '%s' without a hash, which is not supported", d.Name, name)
		case o.Hash != "" && len(d.Outputs) > 1:
			return fmt.Errorf("derivation '%s' mixes a fixed output '%s' with others", d.Name, name)
		case o.Hash != "" && name != "out":
			return fmt.Errorf("derivation '%s': single fixed output is named '%s' instead of 'out'", d.Name, name)
		}
	}
	return nil
}

func (d *Derivation) fixedPath(o Output) (storepath.Path, error) {
	method, h, err := o.Fixed()
	if err != nil {
		return storepath.Path{}, fmt.Errorf("derivation '%s': %w", d.Name, err)
	}
	if method == Text {
		return storepath.Text(d.Name, h, nil)
	}
	return storepath.FixedOutput(d.Name, method == Recursive, h, nil, false)
}

// OutputPaths computes the paths of all outputs.
func (d *Derivation) OutputPaths(resolve Resolver) (map[string]storepath.Path, error) {
	hashes, err := d.HashModulo(resolve, true)
	if err != nil {
		return nil, err
	}
	paths := make(map[string]storepath.Path, len(d.Outputs))
	for name, o := range d.Outputs {
		var p storepath.Path
		if d.IsFixedOutput() {
			p, err = d.fixedPath(o)
		} else {
			p, err = storepath.Output(name, hashes[name], d.Name)
		}
		if err != nil {
			return nil, err
		}
		paths[name] = p
	}
	return paths, nil
}

// FillOutputPaths computes the paths of all outputs and sets them, in Outputs
// and in the environment.
func (d *Derivation) FillOutputPaths(resolve Resolver) error {
	paths, err := d.OutputPaths(resolve)
	if err != nil {
		return err
	}
	if d.Env == nil {
		d.Env = map[string]string{}
	}
	for name, p := range paths {
		o := d.Outputs[name]
		o.Path = p
		d.Outputs[name] = o
		d.Env[name] = p.String()
	}
	return nil
}

// CheckOutputPaths reports an output whose path is not the one that follows
// from the derivation, as in a .drv file that was forged or damaged.
func (d *Derivation) CheckOutputPaths(resolve Resolver) error {
	paths, err := d.OutputPaths(resolve)
	if err != nil {
		return err
	}
	for _, name := range d.OutputNames() {
		if got := d.Outputs[name].Path; got != paths[name] {
			return fmt.Errorf("derivation '%s' has incorrect output '%s', should be '%s'", d.Name, got, paths[name])
		}
		// A variable of the output's name may be absent but not say otherwise.
		if v, ok := d.Env[name]; ok && v != paths[name].String() {
			return fmt.Errorf("derivation '%s' has incorrect environment variable '%s', should be '%s'", d.Name, name, paths[name])
		}
	}
	return nil
}

// DrvPath returns the path of d's .drv file (Nix: writeDerivation).
func (d *Derivation) DrvPath() (storepath.Path, error) {
	w := writers.Get().(*writer)
	defer writers.Put(w)
	w.text = w.appendWhole(w.text[:0], d)
	return DrvPath(d.Name, w.text, d.References())
}

// DrvPath returns the path of a .drv file with that text and references.
func DrvPath(name string, text []byte, refs []storepath.Path) (storepath.Path, error) {
	return storepath.Text(name+storepath.DrvSuffix, nixhash.Sum(nixhash.SHA256, text), refs)
}

// References returns what the .drv file refers to, sorted: all inputs.
func (d *Derivation) References() []storepath.Path {
	refs := slices.AppendSeq(slices.Clone(d.InputSrcs), maps.Keys(d.InputDrvs))
	slices.SortFunc(refs, storepath.Compare)
	return slices.Compact(refs)
}

// NewResolver returns a resolver that gets derivations from load and remembers
// what they hash to. It is not safe for concurrent use.
func NewResolver(load func(drv storepath.Path) (*Derivation, error)) Resolver {
	known := map[storepath.Path]map[string]nixhash.Hash{}
	var resolve Resolver
	resolve = func(drv storepath.Path) (map[string]nixhash.Hash, error) {
		if hashes, ok := known[drv]; ok {
			if hashes == nil {
				return nil, fmt.Errorf("derivation '%s' depends on itself", drv)
			}
			return hashes, nil
		}
		known[drv] = nil
		d, err := load(drv)
		if err == nil && d == nil {
			err = errors.New("no such derivation")
		}
		var hashes map[string]nixhash.Hash
		if err == nil {
			hashes, err = d.HashModulo(resolve, false)
		}
		if err != nil {
			delete(known, drv)
			return nil, fmt.Errorf("hash derivation '%s': %w", drv, err)
		}
		known[drv] = hashes
		return hashes, nil
	}
	return resolve
}
