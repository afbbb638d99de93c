// Package sandbox runs programs apart from the machine: what a derivation's
// builder sees is its declared inputs and nothing else.
//
// [Builder] runs the builder of a derivation as an unprivileged user in new
// user, mount, pid, net, ipc and uts namespaces, with a root directory made for
// it: the closure of the inputs at /nix/store, read-only, beside the outputs
// that it makes there; /build, /tmp, /proc, a few devices, and a static shell at
// /bin/sh if there is one. [RunInRoot] runs a program as root of a directory
// tree and records what only real root could do to it. [Direct] and
// [DirectInRoot] do the same without any of this.
//
// No privileges are needed, and having them changes nothing: every namespace
// lies below a user namespace that maps a single user. [Check] tells whether
// the machine allows that.
//
// Three processes take part, all of the same executable, which is why [Main]
// must be called first in main:
//
//	parent   the program that uses this package; starts init, reads the log
//	init     first process in the namespaces; mounts the root, starts the
//	         payload, reaps, answers what the recorder asks; everything in the
//	         sandbox dies with it, and it dies with the parent
//	payload  waits until the root is there, gives up all privileges, and becomes
//	         the builder
//
// What must hold: init starts the payload before it changes the root, so no
// file of the machine is needed afterwards; and no mount that can be written
// leads to a file which another build or the machine uses.
package sandbox
