package fetch

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// Fetch brings a file into f, from the first of its mirrors that has it. It is
// what evaluation fetches with; derivations know hashes and go by [URL.Build].
func (u *URL) Fetch(ctx context.Context, r Request, f *os.File) (Response, error) {
	addrs, err := u.Mirrors.Expand(r.URL)
	if err != nil {
		return Response{}, err
	}
	var tried []Attempt
	for _, addr := range addrs {
		one := r
		one.URL = addr
		got, err := u.Client.Get(ctx, one, f, func(done, total int64) {})
		if err == nil {
			return got, nil
		}
		if ctx.Err() != nil {
			return got, context.Cause(ctx)
		}
		tried = append(tried, Attempt{addr, err})
	}
	if len(tried) == 1 {
		return Response{}, fmt.Errorf("unable to download '%s': %w", tried[0].URL, tried[0].Err)
	}
	return Response{}, &UnreachableError{r.URL, tried}
}

// Extract takes an archive apart into the new folder dest. Root is dest, or
// the one folder in it if there is nothing else; newest is the time of the
// youngest entry. (Nix: unpackTarfileToSink, dereferenceSingletonDirectory)
func Extract(ctx context.Context, dest, archive string) (root string, newest time.Time, err error) {
	if err := os.Mkdir(dest, 0o755); err != nil {
		return "", newest, err
	}
	r, err := os.OpenRoot(dest)
	if err != nil {
		return "", newest, err
	}
	defer r.Close()
	t := &tree{ctx: ctx, root: r}
	if err := t.unpack(archive); err != nil {
		return "", newest, err
	}
	entries, err := os.ReadDir(dest)
	if err == nil && len(entries) == 1 && entries[0].IsDir() {
		dest = filepath.Join(dest, entries[0].Name())
	}
	return dest, t.newest, err
}
