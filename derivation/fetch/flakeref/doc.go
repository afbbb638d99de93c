// Package flakeref reads and writes references to source trees: the URL-like
// text that names one (github:owner/repo/branch?dir=sub) on one side, a set of
// attributes on the other.
//
// An [Input] says where a tree is to be had and, once it is locked, exactly
// which one it is; a [Ref] is an input and a folder in it. Nothing is fetched
// here. The schemes, their attributes and the messages are those of Nix
// (libfetchers: Input, InputScheme; libflake: FlakeRef); URLs follow RFC 3986
// with Nix's leniency (libutil: parseURL).
package flakeref
