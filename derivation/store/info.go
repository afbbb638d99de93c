package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gonix/derivation/nixhash"
	"gonix/derivation/storepath"
)

// Info is what a store knows about a valid object.
type Info struct {
	Path       storepath.Path
	Deriver    storepath.Path   // zero if unknown
	NarHash    nixhash.Hash     // SHA-256 of the object's archive
	NarSize    int64            // bytes of that archive
	References []storepath.Path // sorted; may hold Path itself
	RegTime    time.Time        // zero when registering means now
	Ultimate   bool             // built here, and so trusted without a signature
	Sigs       []string         // "key:signature"
	CA         string           // how Path follows from the content; "" if it does not
}

// Store answers questions about valid objects.
type Store interface {
	// Info returns what is known about the object at p; the error wraps
	// ErrNotFound if it is not valid.
	Info(ctx context.Context, p storepath.Path) (*Info, error)
}

// ErrNotFound is wrapped by errors about paths that are not valid in a store.
var ErrNotFound = errors.New("not found in the store")

// ErrReadOnly is wrapped by errors about changes to a store that was opened for
// reading, or that belongs to someone else.
var ErrReadOnly = errors.New("the store cannot be written")

// invalidPath is the error about a path that is not valid.
type invalidPath struct{ path storepath.Path }

func (e *invalidPath) Error() string { return fmt.Sprintf("path '%s' is not valid", e.path) }

func (e *invalidPath) Unwrap() error { return ErrNotFound }
