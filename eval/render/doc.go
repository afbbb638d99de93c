// Package render writes values as text: the form that nix-instantiate --eval
// prints ([Text], [LazyText]), JSON ([JSON]) and XML ([XML]). The form of traces
// and of nix eval is that of [value.Thread.ShowAs].
//
// All of them write the attributes of a set in the order of their names, and
// all bound their recursion by the thread's depth limit, so that an infinite
// or very deep value ends with an error.
package render
