package tree

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"gonix/derivation/fetch"
	"gonix/derivation/fetch/flakeref"
	"gonix/derivation/nar"
	"gonix/derivation/nixhash"
	"gonix/derivation/store"
	"gonix/derivation/storepath"
)

// fileEntry is what is known of an address that has a file.
type fileEntry struct {
	ETag string
	Path string // in the store
}

// FetchFile adds the file at an address to the store, by the hash of its
// content, which it returns (Nix: downloadFile).
func (f *Fetcher) FetchFile(ctx context.Context, url, name string) (storepath.Path, nixhash.Hash, error) {
	return f.download(ctx, fetch.Request{URL: url}, name)
}

func (f *Fetcher) download(ctx context.Context, r fetch.Request, name string) (p storepath.Path, h nixhash.Hash, err error) {
	key := name + " " + r.URL
	var known fileEntry
	have := f.recall("file", key, &known)
	if have {
		p, err = storepath.Parse(known.Path)
		if err == nil {
			h, err = f.flatHash(ctx, p)
		}
		if have = err == nil; have && f.fresh("file", key) {
			return p, h, nil
		}
	}
	dir, err := os.MkdirTemp("", "gonix-fetch-")
	if err != nil {
		return p, h, err
	}
	defer store.RemoveTree(dir)
	file, err := os.Create(filepath.Join(dir, "file"))
	if err != nil {
		return p, h, err
	}
	defer file.Close()
	if have {
		r.ETag = known.ETag
	}
	got, err := f.URL.Fetch(ctx, r, file)
	switch {
	case err != nil && have && ctx.Err() == nil:
		f.Warn(fmt.Sprintf("%v; using cached version", err))
		return p, h, nil
	case err != nil:
		return p, h, err
	case got.NotModified:
		f.refresh("file", key)
		return p, h, nil
	}
	p, err = f.Store.AddTree(ctx, name, nar.Tree{FS: nar.OS{}, Root: file.Name()}, store.Ingestion{Flat: true})
	if err != nil {
		return p, h, err
	}
	f.remember("file", key, fileEntry{got.ETag, p.String()})
	h, err = f.flatHash(ctx, p)
	return p, h, err
}

// flatHash is the hash of a file in the store, which must be valid.
func (f *Fetcher) flatHash(ctx context.Context, p storepath.Path) (nixhash.Hash, error) {
	if _, err := f.Store.Info(ctx, p); err != nil {
		return nixhash.Hash{}, err
	}
	file, err := os.Open(f.Store.RealPath(p))
	if err != nil {
		return nixhash.Hash{}, err
	}
	defer file.Close()
	return flatHash(file)
}

// file is an input that is one file.
func (f *Fetcher) file(ctx context.Context, in flakeref.Input) (source, error) {
	url, err := needURL(in)
	if err != nil {
		return source{}, err
	}
	p, _, err := f.download(ctx, fetch.Request{URL: url}, in.Name())
	if err != nil {
		return source{}, err
	}
	info, err := f.Store.Info(ctx, p)
	if err != nil {
		return source{}, err
	}
	in = in.With("narHash", flakeref.Text(info.NarHash.SRI()))
	return source{tree: nar.Tree{FS: nar.OS{}, Root: f.Store.RealPath(p)}, input: in}, nil
}

func needURL(in flakeref.Input) (string, error) {
	url, ok, err := in.Attrs.Text("url")
	if err == nil && !ok {
		err = fmt.Errorf("input attribute 'url' is missing")
	}
	return url, err
}

// archiveEntry is what is known of an address that has an archive.
type archiveEntry struct {
	ETag         string
	Immutable    string
	NARHash      string
	LastModified uint64
}

// archive is an archive, taken apart.
type archive struct {
	archiveEntry
	tree nar.Tree       // in a temporary folder, or
	path storepath.Path // in the store
}

// tarball is an input that is an archive.
func (f *Fetcher) tarball(ctx context.Context, in flakeref.Input) (source, func(), error) {
	nothing := func() {}
	url, err := needURL(in)
	if err != nil {
		return source{}, nothing, err
	}
	a, cleanup, err := f.unpacked(ctx, fetch.Request{URL: url}, in.Name(), "")
	if err != nil {
		return source{}, nothing, err
	}
	if a.Immutable != "" {
		u, err := flakeref.ParseURL(a.Immutable, true)
		var moved flakeref.Input
		if err == nil {
			moved, err = flakeref.Parser{Flakes: true}.InputFromURL(u, true)
		}
		if err == nil && moved.Type() != "tarball" {
			err = fmt.Errorf("tarball 'Link' headers that redirect to non-tarball URLs are not supported")
		}
		if err != nil {
			cleanup()
			return source{}, nothing, err
		}
		in = moved
	}
	if _, given := in.Attrs["lastModified"]; !given && a.LastModified != 0 {
		in = in.With("lastModified", flakeref.Number(a.LastModified))
	}
	in = in.With("narHash", flakeref.Text(a.NARHash))
	return source{tree: a.tree, path: a.path, input: in}, cleanup, nil
}

// unpacked is the archive at an address, which is what it was before if its key
// is not "", and else is asked for again after a while.
func (f *Fetcher) unpacked(ctx context.Context, r fetch.Request, name, key string) (archive, func(), error) {
	nothing := func() {}
	forever := key != ""
	if !forever {
		key = r.URL
		if err := checkArchive(r.URL); err != nil {
			return archive{}, nothing, err
		}
	}
	var a archive
	have := f.recall("archive", key, &a.archiveEntry)
	if have {
		h, err := nixhash.ParseSRI(a.NARHash)
		if err == nil {
			a.path, have, err = f.present(ctx, name, h)
		}
		if have = have && err == nil; have && (forever || f.fresh("archive", key)) {
			return a, nothing, nil
		}
	}
	dir, err := os.MkdirTemp("", "gonix-fetch-")
	if err != nil {
		return a, nothing, err
	}
	cleanup := func() { store.RemoveTree(dir) }
	file, err := os.Create(filepath.Join(dir, "file"))
	if err != nil {
		cleanup()
		return a, nothing, err
	}
	defer file.Close()
	if have {
		r.ETag = a.ETag
	}
	got, err := f.URL.Fetch(ctx, r, file)
	if err == nil && got.NotModified {
		cleanup()
		f.refresh("archive", key)
		return a, nothing, nil
	}
	if err == nil {
		a, err = f.unpack(ctx, dir, file.Name(), r.URL, got)
	}
	if err != nil {
		cleanup()
		return a, nothing, err
	}
	f.remember("archive", key, a.archiveEntry)
	return a, cleanup, nil
}

func (f *Fetcher) unpack(ctx context.Context, dir, file, url string, got fetch.Response) (archive, error) {
	root, newest, err := fetch.Extract(ctx, filepath.Join(dir, "tree"), file)
	if err != nil {
		return archive{}, fmt.Errorf("unpack '%s': %w", url, err)
	}
	tree := nar.Tree{FS: nar.OS{}, Root: root}
	h := nixhash.SHA256.New()
	if err := tree.Dump(h); err != nil {
		return archive{}, err
	}
	e := archiveEntry{ETag: got.ETag, Immutable: got.Immutable, NARHash: nixhash.Of(nixhash.SHA256, h).SRI()}
	if newest.Unix() > 0 {
		e.LastModified = uint64(newest.Unix())
	}
	return archive{archiveEntry: e, tree: tree}, nil
}

// checkArchive finds common mistakes in addresses of this machine.
func checkArchive(url string) error {
	u, err := flakeref.ParseURL(url, false)
	if err != nil || u.Scheme != "file" {
		return err
	}
	file, err := u.FilePath()
	if err != nil {
		return err
	}
	if !strings.HasPrefix(file, "/") {
		return fmt.Errorf("tarball '%s' must use an absolute path. The 'file' scheme does not support relative paths.", u)
	}
	st, err := os.Stat(file)
	switch {
	case err != nil:
		return fmt.Errorf("tarball %q does not exist.", file)
	case !st.IsDir():
		return nil
	}
	if _, err := os.Stat(filepath.Join(file, ".git")); err == nil {
		return fmt.Errorf("tarball %q is a git repository, not a tarball. Please use `git+file` as the scheme.", file)
	}
	return fmt.Errorf("tarball %q is a directory, not a file.", file)
}

// header is the token for a host, in the form that the forge wants.
func (f *Fetcher) header(forge, host, owner, repo string) http.Header {
	token, best := f.Tokens[host], -1
	place := host + "/" + owner + "/" + repo
	for prefix, t := range f.Tokens {
		if (place == prefix || strings.HasPrefix(place, prefix+"/")) && len(prefix) > best {
			token, best = t, len(prefix)
		}
	}
	if token == "" {
		return nil
	}
	switch forge {
	case "github":
		return http.Header{"Authorization": {"token " + token}}
	case "sourcehut":
		return http.Header{"Authorization": {"Bearer " + token}}
	}
	kind, secret, _ := strings.Cut(token, ":")
	switch kind {
	case "OAuth2":
		return http.Header{"Authorization": {"Bearer " + secret}}
	case "PAT":
		return http.Header{"Private-Token": {secret}}
	}
	f.Warn(fmt.Sprintf("Unrecognized GitLab token type %s", kind))
	return http.Header{http.CanonicalHeaderKey(kind): {secret}}
}
