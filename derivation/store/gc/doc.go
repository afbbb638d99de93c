// Package gc deletes store objects that nothing needs any more: a local store and
// options go in, deleted paths and bytes come out.
//
// Roots are the links below gcroots and profiles, what running programs have open
// or mention, and the temporary roots of running processes. Alive is what they
// reach through references, and through the bonds that the settings keep-outputs
// and keep-derivations make. Everything else in the store directory goes,
// unregistered leftovers included.
//
// What must hold: an object is deleted from the database before its files, and
// after all that refers to it, so that a crash at any moment leaves valid objects
// whole and the rest for the next collection. Processes of this program and of
// Nix go on working meanwhile: who needs a path tells the collector through its
// socket, and is answered when the path is safe: spared, or completely gone
// (Nix: libstore/gc.cc).
package gc
