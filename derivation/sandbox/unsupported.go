//go:build !linux || !(amd64 || arm64)

package sandbox

import (
	"context"
	"errors"

	"gonix/derivation/build"
)

// errUnsupported is what everything here comes to on other systems.
var errUnsupported = errors.New("building derivations needs Linux on x86_64 or aarch64")

// Builder runs the builders of derivations in sandboxes.
type Builder struct {
	// Shell is a static shell for /bin/sh, a physical file; "" for none.
	Shell string

	// Extra is visible in all sandboxes, besides the inputs.
	Extra []Bind
}

// Build always fails.
func (*Builder) Build(context.Context, *build.Job) error { return errUnsupported }

// Check always fails.
func (*Builder) Check(context.Context) error { return errUnsupported }

// Direct runs the builders of derivations on the machine as it is.
type Direct struct{}

// Build always fails.
func (Direct) Build(context.Context, *build.Job) error { return errUnsupported }

// Check always fails.
func (Direct) Check(context.Context) error { return errUnsupported }

// Main does nothing: there are no processes that this package starts.
func Main() {}

// Check finds out whether sandboxes can be made on this machine: no.
func Check(context.Context) error { return errUnsupported }

// DirectInRoot always fails.
func DirectInRoot(context.Context, RootCommand) (OwnerTable, error) { return nil, errUnsupported }

// CheckDirectInRoot always fails.
func CheckDirectInRoot(context.Context) error { return errUnsupported }

// RunInRoot always fails.
func RunInRoot(context.Context, RootCommand) (OwnerTable, error) { return nil, errUnsupported }
