// Package nixpkgslite holds the package set that <nixpkgs> means when nothing
// else is said: Nix code, from a toolchain of pinned binary packages up to
// dockerTools. The files are part of the program; default.nix is the entry.
//
// A folder becomes part of the set by being named below. Files are data: none
// is executable, as the embedded copy could not say so and a store path of it
// would differ from the one made of the files on disk.
package nixpkgslite

import "embed"

// FS is the tree of the package set, with default.nix at its root.
//
//go:embed default.nix
//go:embed bootstrap build-support lib overlays pkgs stdenv tests top-level
var FS embed.FS

// Mount is where the tree seems to lie in evaluations: messages and
// builtins.toString show it.
const Mount = "/gonix/nixpkgs-lite"
