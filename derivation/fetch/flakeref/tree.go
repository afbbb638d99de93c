package flakeref

import "gonix/derivation/storepath"

// Tree is what an input stands for, once it is fetched.
type Tree struct {
	Path storepath.Path
	// Input has all attributes of the tree, narHash among them, and is final.
	Input Input
	// RevCount counts the commits that led to the tree, which takes time; nil
	// if that has no meaning or stands in the input already.
	RevCount func() (uint64, error)
}

// Counted is the input with its number of commits, if there is one.
func (t Tree) Counted() (Input, error) {
	if t.RevCount == nil {
		return t.Input, nil
	}
	n, err := t.RevCount()
	if err != nil {
		return t.Input, err
	}
	return t.Input.With("revCount", Number(n)), nil
}

// MismatchError says that a tree or file is not the one that was asked for.
type MismatchError struct {
	Msg string
	// Stored says that all was well with fetching, and only what came out of
	// it is another tree.
	Stored bool
}

// Error says what differs.
func (e *MismatchError) Error() string { return e.Msg }
