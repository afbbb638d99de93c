// Package render writes values as text: the form that nix-instantiate --eval
// prints ([Text], [LazyText]), the form of traces and nix eval ([Show]), JSON
// ([JSON]) and XML ([XML]).
//
// All of them write the attributes of a set in the order of their names, and
// all bound their recursion by the thread's depth limit, so that an infinite
// or very deep value ends with an error.
package render
