package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"gonix/derivation"
	"gonix/derivation/build"
	"gonix/derivation/nar"
	"gonix/derivation/nixhash"

	"github.com/mikelolasagasti/xz"
)

// URL is the Builder behind builtin:fetchurl.
type URL struct {
	Client  *Client
	Mirrors *Mirrors
	// Hashed are bases under which files are found by their hash, as
	// BASE/sha256/<hex> (Nix: hashed-mirrors). They are tried first.
	Hashed []string
	// Partial is a directory for downloads that broke off, so that the next
	// run takes them up; "" keeps none.
	Partial string
}

var _ build.Builder = (*URL)(nil)

// MismatchError says that a file came whole but is another one.
type MismatchError struct {
	URL       string
	Want, Got nixhash.Hash
}

// Error shows both hashes in SRI form.
func (e *MismatchError) Error() string {
	return fmt.Sprintf("'%s' has another hash:\n  specified: %s\n     got:    %s", e.URL, e.Want.SRI(), e.Got.SRI())
}

// UnreachableError lists every address that was tried and what became of it.
type UnreachableError struct {
	URL   string
	Tried []Attempt
}

// Attempt is one address and how it failed.
type Attempt struct {
	URL string
	Err error
}

// Error names each address on a line of its own.
func (e *UnreachableError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "unable to download '%s'; tried:", e.URL)
	for _, t := range e.Tried {
		fmt.Fprintf(&b, "\n  %s: %v", t.URL, t.Err)
	}
	if rest, ok := strings.CutPrefix(e.URL, "mirror://"); ok {
		name, _, _ := strings.Cut(rest, "/")
		fmt.Fprintf(&b, "\n  (a mirror within reach can be named in NIX_MIRRORS_%s)", name)
	}
	return b.String()
}

// Unwrap returns the causes.
func (e *UnreachableError) Unwrap() []error {
	errs := make([]error, len(e.Tried))
	for i, t := range e.Tried {
		errs[i] = t.Err
	}
	return errs
}

// Build downloads to the output out.
func (u *URL) Build(ctx context.Context, job *build.Job) error {
	env := job.Drv.Env
	dest, ok := job.Dest["out"]
	if !ok {
		return errors.New("builtin:fetchurl: the derivation has no output 'out'")
	}
	if job.Drv.Outputs["out"].Hash == "" {
		return errors.New("'builtin:fetchurl' must be a fixed-output or impure derivation: give it an outputHash")
	}
	var urls []string
	for _, s := range append([]string{env["url"]}, strings.Fields(env["urls"])...) {
		if s != "" && (len(urls) == 0 || urls[0] != s) {
			urls = append(urls, s)
		}
	}
	if len(urls) == 0 {
		return errors.New("builtin:fetchurl: the derivation names no 'url'")
	}
	unpack, executable := env["unpack"] == "1", env["executable"] == "1"

	// The hash of the very bytes that are downloaded, where it is known.
	var want *nixhash.Hash
	method, hash, err := job.Drv.Outputs["out"].Fixed()
	if err != nil {
		return err
	}
	if method == derivation.Flat && !hash.IsZero() {
		want = &hash
	}
	file, done, err := u.fetch(ctx, job, urls, want)
	if err != nil {
		return err
	}
	defer done()
	if unpack {
		return unpackNAR(file, dest, strings.HasSuffix(urls[0], ".xz"))
	}
	mode := os.FileMode(0o644)
	if executable {
		mode = 0o755
	}
	if err := moveFile(file, dest); err != nil {
		return err
	}
	return os.Chmod(dest, mode)
}

// fetch brings one of urls into a file; done removes what is left of it.
func (u *URL) fetch(ctx context.Context, job *build.Job, urls []string, want *nixhash.Hash) (*os.File, func(), error) {
	path, unlock := u.partialFile(job, want)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		unlock()
		return nil, nil, err
	}
	done := func() {
		f.Close()
		os.Remove(path)
		unlock()
	}
	var tried []Attempt
	wrong := false // f holds a whole file, but not the one that is wanted
	try := func(addr string) (ok bool, fatal error) {
		fmt.Fprintf(job.Log, "trying %s\n", addr)
		if wrong {
			if err := restart(f); err != nil {
				return false, err
			}
		}
		err := u.fetchOne(ctx, job, addr, f, want)
		if err == nil {
			return true, nil
		}
		var local *localError
		var mismatch *MismatchError
		wrong = errors.As(err, &mismatch)
		switch {
		case ctx.Err() != nil:
			return false, context.Cause(ctx)
		case errors.As(err, &local):
			return false, fmt.Errorf("write download of %s: %w", addr, err)
		}
		fmt.Fprintf(job.Log, "%v\n", err)
		tried = append(tried, Attempt{addr, err})
		return false, nil
	}
	var addrs []string
	if want != nil {
		for _, base := range u.Hashed {
			addrs = append(addrs, strings.TrimSuffix(base, "/")+"/"+want.Algo.String()+"/"+want.Base16())
		}
	}
	for _, url := range urls {
		more, err := u.Mirrors.Expand(url)
		if err != nil {
			done()
			return nil, nil, err
		}
		addrs = append(addrs, more...)
	}
	for _, addr := range addrs {
		ok, fatal := try(addr)
		if ok {
			return f, done, nil
		}
		if fatal != nil {
			// A transfer that was interrupted can be taken up later.
			if u.Partial == "" || want == nil || ctx.Err() == nil {
				os.Remove(path)
			}
			f.Close()
			unlock()
			return nil, nil, fatal
		}
	}
	if wrong {
		// The scheduler compares again and says it as it does of any output.
		return f, done, nil
	}
	done()
	return nil, nil, &UnreachableError{urls[0], tried}
}

// fetchOne downloads addr and checks it; a beginning left by an earlier run
// that turns out to belong to another file is dropped and the whole fetched.
func (u *URL) fetchOne(ctx context.Context, job *build.Job, addr string, f *os.File, want *nixhash.Hash) error {
	had, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	if had > 0 && want == nil {
		had = 0
		if err := restart(f); err != nil {
			return err
		}
	}
	progress := func(done, total int64) {
		job.Report(build.Event{Kind: build.Bytes, Done: done, Total: total, Text: addr})
	}
	for {
		if err := u.Client.Download(ctx, addr, f, progress); err != nil {
			return err
		}
		if want == nil {
			return nil
		}
		got, err := hashFile(f, want.Algo)
		if err != nil {
			return err
		}
		if got.Equal(*want) {
			return nil
		}
		if had == 0 {
			return &MismatchError{addr, *want, got}
		}
		had = 0
		if err := restart(f); err != nil {
			return err
		}
	}
}

func hashFile(f *os.File, algo nixhash.Algorithm) (nixhash.Hash, error) {
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nixhash.Hash{}, err
	}
	h := algo.New()
	if _, err := io.Copy(h, f); err != nil {
		return nixhash.Hash{}, err
	}
	return nixhash.Of(algo, h), nil
}

// partialFile chooses where the download grows: a place that the next run
// finds again when the hash is known, else one that goes with the job. The
// scheduler's lock on the output keeps other processes away from it.
func (u *URL) partialFile(job *build.Job, want *nixhash.Hash) (string, func()) {
	if u.Partial != "" && want != nil && os.MkdirAll(u.Partial, 0o755) == nil {
		return filepath.Join(u.Partial, job.Outputs["out"].Base()+".part"), func() {}
	}
	return filepath.Join(job.TmpDir, "download"), func() {}
}

func moveFile(f *os.File, dest string) error {
	if err := os.Rename(f.Name(), dest); err == nil {
		return nil
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	out, err := os.OpenFile(dest, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, f); err != nil {
		out.Close()
		return err
	}
	return out.Close()
}

func unpackNAR(f *os.File, dest string, isXZ bool) error {
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	var r io.Reader = f
	if isXZ {
		x, err := xz.NewReader(f, 0)
		if err != nil {
			return fmt.Errorf("decompress archive: %w", err)
		}
		r = x
	}
	return nar.Restore(r, dest)
}
