package instantiate

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"gonix/derivation"
	"gonix/derivation/nixhash"
	"gonix/derivation/storepath"
	"gonix/eval/render"
	"gonix/eval/symbol"
	"gonix/eval/value"
	"gonix/parser/source"
)

// derivationStrict is Nix's function of that name: it forces all attributes.
// The lazy wrapper around it is the language's derivation.
func (s *State) derivationStrict(th *value.Thread, pos source.Pos, args []value.Value) (value.Value, error) {
	attrs, err := th.Attrs(args[0], pos, "while evaluating the argument passed to builtins.derivationStrict")
	if err != nil {
		return nil, err
	}
	nameAttr, ok := attrs.Get(symbol.Name)
	if !ok {
		err := th.Errorf(source.NoPos, value.MissingAttr, "attribute 'name' missing")
		return nil, value.WithFrame(err, source.NoPos, "in the attrset passed as argument to builtins.derivationStrict")
	}
	name, err := th.StringNoCtx(nameAttr.Val, pos, "while evaluating the `name` attribute passed to builtins.derivationStrict")
	if err != nil {
		return nil, value.WithFrame(err, nameAttr.Pos, "while evaluating the derivation attribute 'name'")
	}
	v, err := s.instantiate(th, pos, name, attrs)
	if err != nil {
		// The place is part of the text, without a snippet: what is written
		// there is the name, not what went wrong.
		return nil, value.WithFrame(err, source.NoPos, "while evaluating derivation '%s'\n  whose name attribute is located at %s",
			name, showPos(th, nameAttr.Pos))
	}
	return v, nil
}

func showPos(th *value.Thread, pos source.Pos) string {
	if pos == source.NoPos {
		return "«none»:0"
	}
	return th.ShowPos(pos)
}

// draft is a derivation whose attributes are being read.
type draft struct {
	s    *State
	th   *value.Thread
	pos  source.Pos
	drv  *derivation.Derivation
	ctxs []*value.Context // what it depends on
	json *strings.Builder // the attributes so far, if they are structured

	outputs  []string // nil means "out"
	hash     string
	hasHash  bool
	hashAlgo nixhash.Algorithm
	mode     string // of outputHashMode; "" means flat
}

func (s *State) instantiate(th *value.Thread, pos source.Pos, name string, attrs *value.Attrs) (value.Value, error) {
	if err := storepath.CheckName(name); err != nil {
		return nil, th.Errorf(pos, value.EvalError, "invalid derivation name: %v. Please pass a different 'name'.", err)
	}
	d := &draft{s: s, th: th, pos: pos, drv: s.blank(name, attrs.Len()+1)}
	if err := d.readAll(attrs); err != nil {
		return nil, err
	}
	if err := s.addInputs(d.drv, value.Union(d.ctxs)); err != nil {
		return nil, value.AsError(err)
	}
	if err := d.complete(); err != nil {
		return nil, err
	}
	v, err := s.write(th, d.drv)
	s.unused = append(s.unused, d.drv)
	return v, err
}

// blank returns a derivation without anything but its name, in the maps of one
// that was written if there is one. size is about how many variables it will have.
func (s *State) blank(name string, size int) *derivation.Derivation {
	n := len(s.unused)
	if n == 0 {
		return &derivation.Derivation{
			Name:      name,
			Outputs:   map[string]derivation.Output{},
			InputDrvs: map[storepath.Path][]string{},
			Env:       make(map[string]string, size),
		}
	}
	d := s.unused[n-1]
	s.unused = s.unused[:n-1]
	clear(d.Outputs)
	clear(d.InputDrvs)
	clear(d.Env)
	clear(d.Args)
	*d = derivation.Derivation{Name: name, Outputs: d.Outputs, InputDrvs: d.InputDrvs, InputSrcs: d.InputSrcs[:0], Args: d.Args[:0], Env: d.Env}
	return d
}

// depend notes what a text depends on.
func (d *draft) depend(ctx *value.Context) {
	if n := len(d.ctxs); ctx != nil && (n == 0 || d.ctxs[n-1] != ctx) {
		d.ctxs = append(d.ctxs, ctx)
	}
}

func (d *draft) errorf(format string, args ...any) error {
	return d.th.Errorf(d.pos, value.EvalError, format, args...)
}

// disabled is the error about a feature that Nix has behind a switch.
func (d *draft) disabled(feature, why string) error {
	if d.s.opt.Feature(feature) {
		return d.errorf("it needs the experimental Nix feature '%s', which gonix does not have", feature)
	}
	return d.errorf("experimental Nix feature '%[1]s' is disabled%[2]s; add '--extra-experimental-features %[1]s' to enable it", feature, why)
}

// readAll reads the attributes in the order of their names.
func (d *draft) readAll(attrs *value.Attrs) error {
	structured, err := d.flag(attrs, structuredAttrs)
	if err != nil {
		return err
	}
	ignoreNull, err := d.flag(attrs, ignoreNulls)
	if err != nil {
		return err
	}
	if structured {
		d.json = &strings.Builder{}
		d.json.WriteByte('{')
	}
	for _, a := range attrs.Sorted(d.th.Symbols) {
		key := d.th.Symbols.Name(a.Sym)
		if key == ignoreNulls {
			continue
		}
		if err := d.read(key, a.Val, ignoreNull); err != nil {
			return value.WithFrame(err, a.Pos, "while evaluating attribute '%s' of derivation '%s'", d.th.AttrName(a.Sym), d.drv.Name)
		}
	}
	if structured {
		d.json.WriteByte('}')
		d.drv.Env[jsonAttr] = d.json.String()
		d.warnIneffective(attrs)
	}
	return nil
}

// Attributes that say how the others are read.
const (
	structuredAttrs = "__structuredAttrs"
	ignoreNulls     = "__ignoreNulls"
	jsonAttr        = "__json"
)

func (d *draft) flag(attrs *value.Attrs, name string) (bool, error) {
	sym, ok := d.th.Symbols.Lookup(name)
	if !ok {
		return false, nil
	}
	a, ok := attrs.Get(sym)
	if !ok {
		return false, nil
	}
	return d.th.Bool(a.Val, d.pos, "while evaluating the `"+name+"` attribute passed to builtins.derivationStrict")
}

// features are attributes that turn on what is behind a switch of Nix's.
var features = map[string]string{
	"__contentAddressed": "ca-derivations",
	"__impure":           "impure-derivations",
}

// read takes up one attribute.
func (d *draft) read(key string, v value.Value, ignoreNull bool) error {
	if ignoreNull {
		forced, err := d.th.Force(v, d.pos)
		if err != nil {
			return err
		}
		if _, null := forced.(value.Null); null {
			return nil
		}
	}
	if feature, ok := features[key]; ok {
		on, err := d.th.Bool(v, d.pos, "")
		if err == nil && on {
			err = d.disabled(feature, "")
		}
		return err
	}
	if key == "args" {
		return d.readArgs(v)
	}
	if d.json != nil {
		if key == structuredAttrs {
			return nil
		}
		return d.readStructured(key, v)
	}
	str, err := d.coerce(v, "")
	if err != nil {
		return err
	}
	if key == jsonAttr {
		if !json.Valid([]byte(str)) {
			return d.errorf("cannot process __json attribute: it is no JSON")
		}
		d.s.opt.Warn("In derivation '" + d.drv.Name + "': setting structured attributes via '__json' is deprecated, and may be disallowed in future versions of Nix. Set '__structuredAttrs = true' instead.")
	}
	d.drv.Env[key] = str
	if key == "outputs" {
		return d.setOutputs(strings.FieldsFunc(str, func(r rune) bool { return strings.ContainsRune(" \t\n\r", r) }))
	}
	return d.set(key, str)
}

// coerce turns v into text for the builder, noting what it depends on.
func (d *draft) coerce(v value.Value, why string) (string, error) {
	str, err := d.th.Coerce(v, d.pos, value.CoerceOptions{More: true, CopyToStore: true}, why)
	if err != nil {
		return "", err
	}
	d.depend(str.Ctx)
	return str.S, nil
}

func (d *draft) readArgs(v value.Value) error {
	list, err := d.th.List(v, d.pos, "")
	if err != nil {
		return err
	}
	for _, e := range list.Elems {
		arg, err := d.coerce(e, "while evaluating an element of the argument list")
		if err != nil {
			return err
		}
		d.drv.Args = append(d.drv.Args, arg)
	}
	return nil
}

// special are the attributes that are more than data for the builder.
var special = map[string]bool{
	"builder": true, "system": true, "outputHash": true, "outputHashAlgo": true, "outputHashMode": true,
}

// readStructured adds one attribute to the JSON text. Keys arrive sorted.
func (d *draft) readStructured(key string, v value.Value) error {
	text, ctx, err := render.JSON(d.th, v, d.pos, true, true)
	if err != nil {
		return err
	}
	d.depend(ctx)
	if d.json.Len() > 1 {
		d.json.WriteByte(',')
	}
	name, _, err := render.JSON(d.th, value.NewString(key), d.pos, true, false)
	if err != nil {
		return err
	}
	d.json.WriteString(name)
	d.json.WriteByte(':')
	d.json.WriteString(text)

	switch {
	case key == "outputs":
		list, err := d.th.List(v, d.pos, "")
		if err != nil {
			return err
		}
		outputs := make([]string, 0, len(list.Elems))
		for _, e := range list.Elems {
			o, err := d.th.StringNoCtx(e, d.pos, "")
			if err != nil {
				return err
			}
			outputs = append(outputs, o)
		}
		return d.setOutputs(outputs)
	case key == "builder":
		str, err := d.th.String(v, d.pos, "")
		if err != nil {
			return err
		}
		d.depend(str.Ctx)
		return d.set(key, str.S)
	case special[key]:
		str, err := d.th.StringNoCtx(v, d.pos, "")
		if err != nil {
			return err
		}
		return d.set(key, str)
	}
	return nil
}

// set notes the meaning of one of the special attributes.
func (d *draft) set(key, str string) error {
	switch key {
	case "builder":
		d.drv.Builder = str
	case "system":
		d.drv.Platform = str
	case "outputHash":
		d.hash, d.hasHash = str, true
	case "outputHashAlgo":
		// What is no algorithm is as good as none: the hash may name it.
		d.hashAlgo, _ = nixhash.ParseAlgorithm(str)
	case "outputHashMode":
		switch str {
		case "flat", "recursive", "nar":
			d.mode = str
		case "text":
			return d.disabled("dynamic-derivations", fmt.Sprintf(" (text-hashed derivation '%s', outputHashMode = \"text\")", d.drv.Name))
		case "git":
			return d.disabled("git-hashing", "")
		default:
			return d.errorf("invalid value '%s' for 'outputHashMode' attribute", str)
		}
	}
	return nil
}

func (d *draft) setOutputs(names []string) error {
	d.outputs = names
	seen := make(map[string]bool, len(names))
	for _, name := range names {
		if seen[name] {
			return d.errorf("duplicate derivation output '%s'", name)
		}
		// The result has an attribute of this name already.
		if name == "drvPath" {
			return d.errorf("invalid derivation output name 'drvPath'")
		}
		seen[name] = true
	}
	if len(names) == 0 {
		return d.errorf("derivation cannot have an empty set of outputs")
	}
	return nil
}

// ineffective are checks that structured attributes have in outputChecks.
var ineffective = []string{
	"allowedReferences", "allowedRequisites", "disallowedReferences", "disallowedRequisites", "maxClosureSize", "maxSize",
}

func (d *draft) warnIneffective(attrs *value.Attrs) {
	for _, name := range ineffective {
		sym, ok := d.th.Symbols.Lookup(name)
		if !ok {
			continue
		}
		if _, ok := attrs.Get(sym); ok {
			d.s.opt.Warn("In a derivation named '" + d.drv.Name + "', 'structuredAttrs' disables the effect of the derivation attribute '" + name +
				"'; use 'outputChecks.<output>." + name + "' instead")
		}
	}
}

// complete checks that nothing is missing and computes the output paths.
func (d *draft) complete() error {
	if d.drv.Builder == "" {
		return d.errorf("required attribute 'builder' missing")
	}
	if d.drv.Platform == "" {
		return d.errorf("required attribute 'system' missing")
	}
	if strings.HasSuffix(d.drv.Name, storepath.DrvSuffix) {
		return d.errorf("derivation names are allowed to end in '%s' only if they produce a single derivation file", storepath.DrvSuffix)
	}
	if d.outputs == nil {
		d.outputs = []string{"out"}
	}
	var out derivation.Output
	if d.hasHash {
		if len(d.outputs) != 1 || d.outputs[0] != "out" {
			return d.errorf("multiple outputs are not supported in fixed-output derivations")
		}
		h, err := d.s.parseHash(d.hash, d.hashAlgo)
		if err != nil {
			return d.errorf("%v", err)
		}
		method := derivation.Flat
		if d.mode == "recursive" || d.mode == "nar" {
			method = derivation.Recursive
		}
		out = derivation.Output{HashAlgo: method.String() + h.Algo.String(), Hash: h.Base16()}
	}
	for _, name := range d.outputs {
		d.drv.Outputs[name] = out
		d.drv.Env[name] = ""
	}
	if err := d.drv.FillOutputPaths(d.s.modulo); err != nil {
		return d.errorf("%v", err)
	}
	return nil
}

// parseHash reads a hash of the program. The empty text is a hash that no file
// has, so that a build reports the right one (Nix: newHashAllowEmpty).
func (s *State) parseHash(text string, algo nixhash.Algorithm) (nixhash.Hash, error) {
	if text != "" {
		return nixhash.Parse(text, algo)
	}
	if algo == nixhash.Unknown {
		return nixhash.Hash{}, errors.New("empty hash requires explicit hash algorithm")
	}
	h := nixhash.Hash{Algo: algo, Digest: make([]byte, algo.Size())}
	s.opt.Warn("found empty hash, assuming '" + h.SRI() + "'")
	return h, nil
}

// write adds drv to the store and returns its paths as strings that depend on
// it.
func (s *State) write(th *value.Thread, drv *derivation.Derivation) (value.Value, error) {
	p, err := s.opt.Store.WriteDerivation(s.ctx, drv)
	if err != nil {
		return nil, value.AsError(err)
	}
	if _, ok := s.objects[p]; !ok {
		modulo, err := drv.HashModulo(s.modulo, false)
		if err != nil {
			return nil, value.AsError(err)
		}
		s.objects[p] = &object{refs: drv.References(), outputs: drv.OutputNames(), modulo: modulo}
	}
	path := p.String()
	b := value.NewBuilder(1 + len(drv.Outputs))
	b.Add(symbol.DrvPath, source.NoPos, &value.String{S: path,
		Ctx: value.NewContext(value.ContextElem{Kind: value.DrvDeep, Path: path})})
	for _, name := range drv.OutputNames() {
		b.Add(th.Symbols.Intern(name), source.NoPos, &value.String{S: drv.Outputs[name].Path.String(),
			Ctx: value.NewContext(value.ContextElem{Kind: value.Built, Path: path, Output: name})})
	}
	return th.MakeSet(b), nil
}
