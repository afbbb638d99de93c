// Package builtin holds the builtin functions that need no store: arithmetic,
// lists, sets, strings, regular expressions, JSON, hashes, versions, files,
// errors and contexts.
//
// [Table] has one row per function; a row's Go function gets its arguments
// unforced, as Nix's primops do, and says in its messages what Nix says. What
// the functions need of the outside world comes from a [Host]. The functions
// that make store objects are those of eval/instantiate.
package builtin
