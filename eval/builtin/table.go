package builtin

import (
	"slices"

	"gonix/derivation/storepath"
	"gonix/eval/value"
)

// Table returns all builtins of this package, for use with h. Names have no
// leading underscores; each is an attribute of builtins, and a global variable
// too: as it is if [GlobalNames] has it, else as __name.
func Table(h Host) []*value.Builtin {
	return slices.Concat(
		arithmeticTable(),
		kindTable(),
		listTable(),
		foldTable(),
		attrsTable(),
		mapAttrsTable(),
		textTable(),
		patternTable(),
		hashTable(h),
		versionTable(),
		dataTable(h),
		controlTable(),
		traceTable(h),
		contextTable(h),
		fileTable(h),
	)
}

// NixVersion is the version of Nix whose language this is, and what
// builtins.nixVersion says.
const NixVersion = "2.34.0"

// LangVersion is builtins.langVersion.
const LangVersion = 6

// Constants returns the attributes of builtins that are not functions, except
// builtins itself.
func Constants(h Host) map[string]value.Value {
	c := map[string]value.Value{
		"true":        value.Bool(true),
		"false":       value.Bool(false),
		"null":        value.Null{},
		"nixVersion":  value.NewString(NixVersion),
		"langVersion": value.Int(LangVersion),
		"storeDir":    value.NewString(storepath.Dir),
		"nixPath":     searchPathValue(h),
	}
	if t, ok := h.Now(); ok {
		c["currentTime"] = value.Int(t)
	}
	if s := h.System(); s != "" {
		c["currentSystem"] = value.NewString(s)
	}
	return c
}

func searchPathValue(h Host) value.Value {
	entries := h.SearchPath()
	path, prefix := h.Symbols().Intern("path"), h.Symbols().Intern("prefix")
	list := make([]value.Value, len(entries))
	for i, e := range entries {
		b := value.NewBuilder(2)
		b.Add(path, 0, value.NewString(e.Path))
		b.Add(prefix, 0, value.NewString(e.Prefix))
		list[i] = b.Finish()
	}
	return value.NewList(list...)
}

// GlobalNames returns the names that are variables without a prefix. All other
// builtins and constants are variables with the prefix __.
func GlobalNames() map[string]bool {
	names := map[string]bool{}
	for _, n := range []string{
		"abort", "baseNameOf", "break", "builtins", "derivation", "derivationStrict",
		"dirOf", "false", "fetchGit", "fetchMercurial", "fetchTarball", "fetchTree",
		"fromTOML", "import", "isNull", "map", "null", "placeholder", "removeAttrs",
		"scopedImport", "throw", "toString", "true",
	} {
		names[n] = true
	}
	return names
}
