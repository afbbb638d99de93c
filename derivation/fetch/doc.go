// Package fetch realises the derivations that bring files in from outside:
// builtin:fetchurl downloads, builtin:unpack takes archives apart.
//
// What comes in is a derivation's environment; what goes out is a file or tree
// at the place that the scheduler names. Hashes of whole outputs are the
// scheduler's business; a download whose flat hash is known is checked here
// too, while it streams, so that a mirror with a wrong file is passed over in
// favour of the next one.
//
// Follows Nix's builtins/fetchurl.cc (builtinFetchurl) for the environment
// (url, urls, unpack, executable) and for hashed mirrors.
package fetch
