// Package store keeps store objects: file trees under names that say where they
// come from, with a record of which refers to which.
//
// [Local] is a directory in the layout of C++ Nix: the objects in
// ROOT/nix/store, the SQLite database of schema 10 and the lock files where Nix
// has them, so both can work on one store, even at the same time. [Memory] holds
// objects in memory and [Computing] holds nothing but computes paths.
//
// What must hold: an object is valid when the database says so. It gets there
// in this order: content complete on disk, metadata canonical, then one
// transaction that registers it together with its references, all of which are
// valid. A crash at any moment therefore leaves either a valid object or an
// unregistered leftover, which the next producer of the same path removes while
// it holds the path's lock.
//
// Paths are logical (/nix/store/...) everywhere but in [Local.RealPath].
package store
