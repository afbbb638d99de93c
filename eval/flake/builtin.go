package flake

import (
	"fmt"

	"gonix/derivation/fetch/flakeref"
	"gonix/eval/value"
	"gonix/parser/source"
)

// Builtin returns builtins.getFlake.
func Builtin(host Host) *value.Builtin {
	return &value.Builtin{Name: "getFlake", Params: []string{"args"},
		Doc: "Fetch the flake that a reference names; return its outputs and what is known of it.",
		Fn: func(th *value.Thread, pos source.Pos, args []value.Value) (value.Value, error) {
			text, err := th.StringNoCtx(args[0], pos, "while evaluating the argument passed to builtins.getFlake")
			if err != nil {
				return nil, err
			}
			return get(host, th, pos, text)
		}}
}

// Fetch brings the tree that a reference names into the store and returns where
// it is, as an entry flake:… of the search path wants it: whether there is a
// flake in it does not matter.
func Fetch(host Host, text string) (string, error) {
	refs := host.Refs()
	if !refs.Flakes {
		return "", &flakeref.DisabledError{Feature: "flakes"}
	}
	ref, err := refs.Parse(text, flakeref.Options{})
	if err != nil {
		return "", err
	}
	t, err := host.FetchTree(ref.Input)
	if err != nil {
		return "", err
	}
	return t.Path.String(), nil
}

func get(host Host, th *value.Thread, pos source.Pos, text string) (value.Value, error) {
	refs := host.Refs()
	enabled := refs.Flakes
	refs.Flakes = true
	ref, err := refs.Parse(text, flakeref.Options{Tree: true})
	if err != nil {
		return nil, err
	}
	if !enabled {
		return nil, &flakeref.DisabledError{Feature: "flakes"}
	}
	if host.Pure() && !ref.Input.Locked() {
		return nil, fmt.Errorf("cannot call 'getFlake' on unlocked flake reference '%s', at «none»:0 (use --impure to override)", text)
	}
	e := &evaluation{host: host, th: th, dirs: map[*Node]place{}, overrides: map[string]override{}}
	f, err := e.fetch(ref, nil)
	if err != nil {
		return nil, err
	}
	if err := e.lockInputs(f); err != nil {
		return nil, value.WithFrame(err, source.NoPos, "while updating the lock file of flake '%s'", f.Locked.String())
	}
	c := &caller{e, map[*Node]*called{}}
	return th.Force(c.call(e.lock.Root).result, pos)
}
