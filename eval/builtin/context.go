package builtin

import (
	"strings"

	"gonix/eval/symbol"
	"gonix/eval/value"
	"gonix/parser/source"
)

func contextTable(h Host) []*value.Builtin {
	return []*value.Builtin{
		{Name: "hasContext", Params: []string{"s"}, Fn: hasContext,
			Doc: "Return whether a string refers to store objects."},
		{Name: "getContext", Params: []string{"s"}, Fn: getContext,
			Doc: "Return what store objects a string refers to: a set from store paths to { path; allOutputs; outputs; }."},
		{Name: "appendContext", Params: []string{"s", "context"}, Fn: appendContext(h),
			Doc: "Return the string s with references added that are written as getContext writes them."},
		{Name: "unsafeDiscardStringContext", Params: []string{"s"}, Fn: unsafeDiscardStringContext,
			Doc: "Return the string s without its references."},
		{Name: "unsafeDiscardOutputDependency", Params: []string{"s"}, Fn: unsafeDiscardOutputDependency,
			Doc: "Return the string s with references to derivations and all their outputs made references to the derivation files alone."},
		{Name: "addDrvOutputDependencies", Params: []string{"s"}, Fn: addDrvOutputDependencies,
			Doc: "Return the string s with its one reference to a derivation file made a reference to the derivation and all its outputs."},
	}
}

func hasContext(th *value.Thread, pos source.Pos, args []value.Value) (value.Value, error) {
	s, err := th.String(args[0], pos, "while evaluating the argument passed to builtins.hasContext")
	if err != nil {
		return nil, err
	}
	return value.Bool(len(s.Ctx.Elems()) > 0), nil
}

func getContext(th *value.Thread, pos source.Pos, args []value.Value) (value.Value, error) {
	s, err := th.String(args[0], pos, "while evaluating the argument passed to builtins.getContext")
	if err != nil {
		return nil, err
	}
	type info struct {
		path, allOutputs bool
		outputs          []value.Value
	}
	var paths []string
	infos := map[string]*info{}
	for _, e := range s.Ctx.Elems() {
		i := infos[e.Path]
		if i == nil {
			i = &info{}
			infos[e.Path] = i
			paths = append(paths, e.Path)
		}
		switch e.Kind {
		case value.Opaque:
			i.path = true
		case value.DrvDeep:
			i.allOutputs = true
		case value.Built:
			i.outputs = append(i.outputs, value.NewString(e.Output))
		}
	}
	set := value.NewBuilder(len(paths))
	for _, p := range paths {
		i, b := infos[p], value.NewBuilder(3)
		if i.path {
			b.Add(symbol.Path, source.NoPos, value.Bool(true))
		}
		if i.allOutputs {
			b.Add(th.Symbols.Intern("allOutputs"), source.NoPos, value.Bool(true))
		}
		if i.outputs != nil {
			b.Add(th.Symbols.Intern("outputs"), source.NoPos, value.NewList(i.outputs...))
		}
		set.Add(th.Symbols.Intern(p), source.NoPos, b.Finish())
	}
	return th.MakeSet(set), nil
}

func appendContext(h Host) builtinFunc {
	return func(th *value.Thread, pos source.Pos, args []value.Value) (value.Value, error) {
		s, err := th.String(args[0], pos, "while evaluating the first argument passed to builtins.appendContext")
		if err != nil {
			return nil, err
		}
		set, err := th.Attrs(args[1], pos, "while evaluating the second argument passed to builtins.appendContext")
		if err != nil {
			return nil, err
		}
		var elems []value.ContextElem
		for _, at := range set.Sorted(th.Symbols) {
			name := th.Symbols.Name(at.Sym)
			if object, ok := h.StoreObject(name); !ok || object != name {
				return nil, th.Errorf(at.Pos, value.EvalError, "context key '%s' is not a store path", name)
			}
			more, err := contextOf(th, name, at)
			if err != nil {
				return nil, err
			}
			elems = append(elems, more...)
		}
		return &value.String{S: s.S, Ctx: s.Ctx.Union(value.NewContext(elems...))}, nil
	}
}

// contextOf reads one attribute of appendContext's set.
func contextOf(th *value.Thread, path string, at value.Attr) ([]value.ContextElem, error) {
	info, err := th.Attrs(at.Val, at.Pos, "while evaluating the value of a string context")
	if err != nil {
		return nil, err
	}
	var out []value.ContextElem
	isDrv := strings.HasSuffix(path, ".drv")
	if a, ok := info.Get(symbol.Path); ok {
		yes, err := th.Bool(a.Val, a.Pos, "while evaluating the `path` attribute of a string context")
		if err != nil {
			return nil, err
		}
		if yes {
			out = append(out, value.ContextElem{Kind: value.Opaque, Path: path})
		}
	}
	if a, ok := info.Get(th.Symbols.Intern("allOutputs")); ok {
		yes, err := th.Bool(a.Val, a.Pos, "while evaluating the `allOutputs` attribute of a string context")
		if err != nil {
			return nil, err
		}
		if yes && !isDrv {
			return nil, th.Errorf(at.Pos, value.EvalError, "tried to add all-outputs context of \"%s\", which is not a derivation, to a string", path)
		}
		if yes {
			out = append(out, value.ContextElem{Kind: value.DrvDeep, Path: path})
		}
	}
	outputs, ok := info.Get(th.Symbols.Intern("outputs"))
	if !ok {
		return out, nil
	}
	list, err := th.List(outputs.Val, outputs.Pos, "while evaluating the `outputs` attribute of a string context")
	if err != nil {
		return nil, err
	}
	if len(list.Elems) > 0 && !isDrv {
		return nil, th.Errorf(at.Pos, value.EvalError, "tried to add derivation output context of \"%s\", which is not a derivation, to a string", path)
	}
	for _, e := range list.Elems {
		name, err := th.StringNoCtx(e, outputs.Pos, "while evaluating an output name within a string context")
		if err != nil {
			return nil, err
		}
		out = append(out, value.ContextElem{Kind: value.Built, Path: path, Output: name})
	}
	return out, nil
}

func unsafeDiscardStringContext(th *value.Thread, pos source.Pos, args []value.Value) (value.Value, error) {
	s, err := th.Coerce(args[0], pos, stored, "while evaluating the argument passed to builtins.unsafeDiscardStringContext")
	if err != nil {
		return nil, err
	}
	return value.NewString(s.S), nil
}

func unsafeDiscardOutputDependency(th *value.Thread, pos source.Pos, args []value.Value) (value.Value, error) {
	s, err := th.Coerce(args[0], pos, stored, "while evaluating the argument passed to builtins.unsafeDiscardOutputDependency")
	if err != nil {
		return nil, err
	}
	elems := append([]value.ContextElem(nil), s.Ctx.Elems()...)
	for i := range elems {
		if elems[i].Kind == value.DrvDeep {
			elems[i].Kind = value.Opaque
		}
	}
	return &value.String{S: s.S, Ctx: value.NewContext(elems...)}, nil
}

func addDrvOutputDependencies(th *value.Thread, pos source.Pos, args []value.Value) (value.Value, error) {
	s, err := th.Coerce(args[0], pos, stored, "while evaluating the argument passed to builtins.addDrvOutputDependencies")
	if err != nil {
		return nil, err
	}
	elems := s.Ctx.Elems()
	if len(elems) != 1 {
		return nil, th.Errorf(pos, value.EvalError, "context of string '%s' must have exactly one element, but has %d", s.S, len(elems))
	}
	e := elems[0]
	switch e.Kind {
	case value.DrvDeep:
		return s, nil
	case value.Built:
		return nil, th.Errorf(pos, value.EvalError, "`addDrvOutputDependencies` can only act on derivations, not on a derivation output such as '%s'", e.Output)
	}
	if !strings.HasSuffix(e.Path, ".drv") {
		return nil, th.Errorf(pos, value.EvalError, "path '%s' is not a derivation", e.Path)
	}
	e.Kind = value.DrvDeep
	return &value.String{S: s.S, Ctx: value.NewContext(e)}, nil
}
