package build

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"golang.org/x/sys/unix"

	"gonix/derivation"
	"gonix/derivation/nar"
	"gonix/derivation/nixhash"
	"gonix/derivation/store"
	"gonix/derivation/storepath"
)

// hashMismatch says that a fixed output is not what was asked for.
type hashMismatch struct {
	drv       storepath.Path
	want, got nixhash.Hash
}

func (e *hashMismatch) Error() string {
	return fmt.Sprintf("hash mismatch in fixed-output derivation '%s':\n  specified: %s\n     got:    %s", e.drv, e.want.SRI(), e.got.SRI())
}

// notDeterministic says that a rebuild gave something else.
type notDeterministic struct {
	drv    storepath.Path
	output storepath.Path
	kept   string
}

func (e *notDeterministic) Error() string {
	s := fmt.Sprintf("derivation '%s' may not be deterministic: output '%s' differs", e.drv, e.output)
	if e.kept != "" {
		s += fmt.Sprintf(" from '%s'", e.kept)
	}
	return s
}

// missingOutput says that a builder succeeded without making an output.
type missingOutput struct {
	drv, output storepath.Path
	name        string
}

func (e *missingOutput) Error() string {
	return fmt.Sprintf("builder for '%s' failed to produce output path for output '%s' at '%s'", e.drv, e.name, e.output)
}

// kindOf classifies what went wrong once the builder had been started.
func kindOf(err error) Kind {
	var (
		hash    *hashMismatch
		check   *notDeterministic
		timeout *timeoutError
		limit   *logLimitError
	)
	switch {
	case errors.As(err, &hash):
		return HashMismatch
	case errors.As(err, &check):
		return CheckMismatch
	case errors.As(err, &timeout):
		return TimedOut
	case errors.As(err, &limit):
		return Misc
	}
	return BuildFailed
}

// showsLog reports whether the last lines of the log help to understand err.
func showsLog(err error) bool {
	var (
		exit    *ExitError
		missing *missingOutput
		timeout *timeoutError
	)
	return errors.As(err, &exit) || errors.As(err, &missing) || errors.As(err, &timeout)
}

// isFull reports whether err comes from a full disk.
func isFull(err error) bool {
	return errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT)
}

// nearlyFull is the free space below which a failed build suggests a full disk.
const nearlyFull = 8 << 20

// diskFull reports whether hardly anything is left of the disk that dir is on.
func diskFull(dir string) bool {
	var st unix.Statfs_t
	return unix.Statfs(dir, &st) == nil && uint64(st.Bavail)*uint64(st.Bsize) < nearlyFull
}

// examine makes the outputs canonical, reads them for references and hashes,
// and checks all that the derivation demands of them.
func (r *runner) examine(job *Job) ([]store.Info, error) {
	names := job.Drv.OutputNames()
	for _, name := range names {
		if err := checkShape(job, name); err != nil {
			return nil, err
		}
	}
	candidates := slices.Clone(job.Inputs)
	for _, p := range job.Outputs {
		candidates = append(candidates, p)
	}
	slices.SortFunc(candidates, storepath.Compare)
	candidates = slices.Compact(candidates)
	discard := discarded(job)
	var infos []store.Info
	for _, name := range names {
		dest := job.Dest[name]
		if err := store.Canonicalise(dest); err != nil {
			return nil, fmt.Errorf("output '%s' of '%s': %w", name, job.DrvPath, err)
		}
		scan, err := store.ScanAndHash(r.ctx, dest, candidates)
		if err != nil {
			return nil, fmt.Errorf("output '%s' of '%s': %w", name, job.DrvPath, err)
		}
		info := store.Info{
			Path: job.Outputs[name], Deriver: job.DrvPath, Ultimate: true,
			NarHash: scan.NarHash, NarSize: scan.NarSize, References: scan.References,
		}
		if discard[name] {
			info.References = nil
		}
		if err := r.checkFixed(job, name, &info); err != nil {
			return nil, err
		}
		infos = append(infos, info)
	}
	if err := checkCycles(job, infos); err != nil {
		return nil, err
	}
	for i := range infos {
		if r.opts.Sign == nil || job.Check {
			break
		}
		if err := r.opts.Sign(&infos[i]); err != nil {
			return nil, err
		}
	}
	return infos, r.checkReferences(job, infos)
}

// checkShape checks that the output exists and is what it may be.
func checkShape(job *Job, name string) error {
	info, err := os.Lstat(job.Dest[name])
	if errors.Is(err, os.ErrNotExist) {
		return &missingOutput{job.DrvPath, job.Outputs[name], name}
	}
	if err != nil {
		return err
	}
	// Those that we write ourselves depend on the umask we were started with.
	if builderName(job.Drv) == "" && info.Mode()&os.ModeSymlink == 0 && info.Mode().Perm()&0o022 != 0 {
		return fmt.Errorf("suspicious ownership or permission on '%s'; rejecting this build output", job.Outputs[name])
	}
	method, want, err := job.Drv.Outputs[name].Fixed()
	if err != nil {
		return err
	}
	if want.IsZero() || method == derivation.Recursive {
		return nil
	}
	if !info.Mode().IsRegular() || info.Mode().Perm()&0o100 != 0 {
		return fmt.Errorf("output path '%s' should be a non-executable regular file since recursive hashing is not enabled (one of outputHashMode={flat,text} is true)", job.Outputs[name])
	}
	return nil
}

// checkFixed compares a fixed output with the hash that it must have.
func (r *runner) checkFixed(job *Job, name string, info *store.Info) error {
	method, want, err := job.Drv.Outputs[name].Fixed()
	if err != nil || want.IsZero() {
		return err
	}
	got := info.NarHash
	switch {
	case method != derivation.Recursive:
		got, err = hashFile(r.ctx, job.Dest[name], want.Algo)
	case want.Algo != nixhash.SHA256:
		got, err = hashTree(job.Dest[name], want.Algo)
	}
	if err != nil {
		return err
	}
	if len(info.References) > 0 && (method == derivation.Flat || method == derivation.Recursive && want.Algo != nixhash.SHA256) {
		// There is no path for such an object, whatever its hash.
		return fmt.Errorf("fixed output derivation '%s' is not allowed to refer to other store paths, e.g. '%s'.\nYou may need to use the 'unsafeDiscardReferences' derivation attribute", job.DrvPath, info.References[0])
	}
	if !got.Equal(want) {
		return &hashMismatch{job.DrvPath, want, got}
	}
	if len(info.References) > 0 && method != derivation.Text {
		return fmt.Errorf("fixed output derivations must not reference store paths: '%s' references %d distinct paths, e.g. '%s'",
			job.DrvPath, len(info.References), info.References[0])
	}
	info.CA = contentAddress(method, got)
	return nil
}

func hashFile(ctx context.Context, path string, algo nixhash.Algorithm) (nixhash.Hash, error) {
	f, err := os.Open(path)
	if err != nil {
		return nixhash.Hash{}, err
	}
	defer f.Close()
	h := algo.New()
	if _, err := io.Copy(h, f); err != nil {
		return nixhash.Hash{}, fmt.Errorf("hash %s: %w", path, err)
	}
	return nixhash.Of(algo, h), ctx.Err()
}

func hashTree(path string, algo nixhash.Algorithm) (nixhash.Hash, error) {
	h := algo.New()
	if err := nar.Dump(h, path); err != nil {
		return nixhash.Hash{}, err
	}
	return nixhash.Of(algo, h), nil
}

// checkCycles refuses outputs that refer to each other in a circle: none of
// them could be deleted or copied before the others.
func checkCycles(job *Job, infos []store.Info) error {
	nameOf, refs := map[storepath.Path]string{}, map[storepath.Path][]storepath.Path{}
	for name, p := range job.Outputs {
		nameOf[p] = name
	}
	for i := range infos {
		refs[infos[i].Path] = infos[i].References
	}
	var visit func(p storepath.Path, above []storepath.Path) error
	visit = func(p storepath.Path, above []storepath.Path) error {
		for _, q := range refs[p] {
			if _, own := refs[q]; !own || q == p {
				continue
			}
			if slices.Contains(above, q) {
				return fmt.Errorf("cycle detected in build of '%s' in the references of output '%s' from output '%s'", job.DrvPath, nameOf[q], nameOf[p])
			}
			if err := visit(q, append(above, q)); err != nil {
				return err
			}
		}
		return nil
	}
	for i := range infos {
		if err := visit(infos[i].Path, []storepath.Path{infos[i].Path}); err != nil {
			return err
		}
	}
	return nil
}

// install moves the outputs that are not valid yet into place and registers
// them in one transaction.
func (r *runner) install(job *Job, infos []store.Info, valid map[storepath.Path]bool) (err error) {
	var fresh []store.Info
	defer func() {
		if err != nil {
			for i := range fresh {
				_, rmErr := store.RemoveTree(r.store.RealPath(fresh[i].Path))
				err = errors.Join(err, rmErr)
			}
		}
	}()
	var mended []store.Info
	for i, name := range job.Drv.OutputNames() {
		if valid[infos[i].Path] {
			if r.opts.Repair {
				done, err := r.mend(job.Dest[name], infos[i])
				if err != nil {
					return fmt.Errorf("repair output '%s' of '%s': %w", name, job.DrvPath, err)
				}
				if done {
					mended = append(mended, infos[i])
				}
			}
			continue
		}
		fresh = append(fresh, infos[i])
		if err := r.store.AutoOptimiseAt(r.ctx, job.Dest[name]); err != nil {
			return fmt.Errorf("optimise output '%s' of '%s': %w", name, job.DrvPath, err)
		}
		if err := store.Move(job.Dest[name], r.store.RealPath(infos[i].Path)); err != nil {
			return fmt.Errorf("move output '%s' of '%s' into the store: %w", name, job.DrvPath, err)
		}
	}
	if err := r.store.Register(r.ctx, append(mended, fresh...)); err != nil {
		return fmt.Errorf("register the outputs of '%s': %w", job.DrvPath, err)
	}
	return nil
}

// compare finds out whether a rebuild gave the same as before. With KeepFailed,
// what differs is kept beside the output.
func (r *runner) compare(job *Job, infos []store.Info, valid map[storepath.Path]bool) error {
	for i, name := range job.Drv.OutputNames() {
		if !valid[infos[i].Path] {
			continue // another output was asked for
		}
		before, err := r.store.Info(r.ctx, infos[i].Path)
		if err != nil {
			return err
		}
		if before.NarHash.Equal(infos[i].NarHash) {
			continue
		}
		e := &notDeterministic{drv: job.DrvPath, output: infos[i].Path}
		if job.KeepFailed {
			kept := r.store.RealPath(infos[i].Path) + ".check"
			if _, err := store.RemoveTree(kept); err != nil {
				return errors.Join(e, err)
			}
			if err := store.Move(job.Dest[name], kept); err != nil {
				return errors.Join(e, err)
			}
			e.kept = r.store.LogicalFile(kept)
			if r.store.Dir() != storepath.Dir {
				e.kept = kept
			}
		}
		return e
	}
	return nil
}
