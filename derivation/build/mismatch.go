package build

import (
	"errors"

	"gonix/derivation"
	"gonix/derivation/nixhash"
	"gonix/derivation/store"
	"gonix/derivation/storepath"
)

// saveMismatch makes a fixed output that is not what was asked for valid at the
// path that its content has, so that correcting the hash in the expression does
// not mean to build or download it again. It is no error if that cannot be done
// now. (Nix: registerOutputs)
func (r *runner) saveMismatch(job *Job, buildErr error) {
	var mismatch *hashMismatch
	if !errors.As(buildErr, &mismatch) || job.Check {
		return
	}
	name := job.Drv.OutputNames()[0]
	method, _, err := job.Drv.Outputs[name].Fixed()
	if err != nil || method == derivation.Text {
		return
	}
	p, err := storepath.FixedOutput(job.Drv.Name, method == derivation.Recursive, mismatch.got, nil, false)
	if err != nil || r.store.TempRoot(p) != nil {
		return
	}
	// Somebody who holds the lock may be waiting for us.
	lock, ok, err := r.store.TryLock(p)
	if err != nil || !ok {
		return
	}
	defer lock.Unlock()
	if valid, err := r.store.IsValid(r.ctx, p); valid || err != nil {
		return
	}
	real := r.store.RealPath(p)
	if _, err := store.RemoveTree(real); err != nil {
		return
	}
	scan, err := store.ScanAndHash(r.ctx, job.Dest[name], job.Inputs)
	if err != nil || len(scan.References) > 0 || store.Move(job.Dest[name], real) != nil {
		return
	}
	info := store.Info{Path: p, NarHash: scan.NarHash, NarSize: scan.NarSize, CA: contentAddress(method, mismatch.got)}
	if r.store.Register(r.ctx, []store.Info{info}) != nil {
		store.RemoveTree(real)
	}
}

// contentAddress is what the database says about a fixed output.
func contentAddress(method derivation.Method, hash nixhash.Hash) string {
	switch method {
	case derivation.Recursive:
		return "fixed:r:" + hash.Prefixed32()
	case derivation.Text:
		return "text:" + hash.Prefixed32()
	}
	return "fixed:" + hash.Prefixed32()
}
