// Package build makes the outputs of derivations: goals and a store go in,
// valid store objects come out.
//
// The scheduler reads the graph of derivations from the store, leaves out what
// is valid already, and runs the rest in topological order, several at a time.
// How one derivation becomes a file tree is the business of a [Builder]; what
// is true of every object in the store is looked after here: locks, canonical
// metadata, references, hashes, checks on references, fixed hashes, logs, and
// one transaction for all outputs of a derivation.
//
// What must hold: nobody sees an output before it is complete. Builders leave
// outputs below a private directory inside the store directory, so that moving
// them into place is a rename, and registering comes last. All that a build
// leaves behind when it is killed is named in a journal that is locked as long
// as the process lives; the next run removes what unlocked journals name (see
// journal.go).
//
// The order of things and the words of errors follow C++ Nix
// (libstore/build/, DerivationGoal and LocalDerivationGoal).
package build
