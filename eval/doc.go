// Package eval evaluates Nix expressions: it loads files, finds attributes and
// derivations in what they evaluate to, and renders what went wrong.
//
// A [State] wires the parts: parser, resolve and code make programs of texts,
// builtin (and what the caller adds, such as instantiate) are the functions
// that programs may call, and the State is the [builtin.Host] that gives them
// files and imports. It knows no store: how paths are copied to one, derivations
// built and references found is passed in as [Options].
//
// All paths are logical: /nix/store is the store wherever it is kept, and
// directories of [Options.Mounts] are read from an fs.FS (see [Files]).
//
// A State is for one goroutine; a second one of its own, which Close ends, may
// parse files ahead. Nothing here reads the environment, the clock
// or flags; package cmd does, and fills in Options.
package eval
