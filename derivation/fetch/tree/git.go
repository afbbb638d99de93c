package tree

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"gonix/derivation/fetch/flakeref"
	"gonix/derivation/fetch/git"
	"gonix/derivation/nar"
	"gonix/derivation/nixhash"
)

// git is a commit or the work tree of a repository.
func (f *Fetcher) git(ctx context.Context, in flakeref.Input) (source, error) {
	for _, name := range []string{"exportIgnore", "lfs", "verifyCommit"} {
		if _, _, err := in.Attrs.Flag(name); err != nil {
			return source{}, err
		}
	}
	place, err := f.place(in)
	if err != nil {
		return source{}, err
	}
	switch {
	case in.Flag("exportIgnore") && in.Flag("submodules"):
		return source{}, errors.New("exportIgnore and submodules are not supported together yet")
	case in.Flag("lfs"):
		return source{}, fmt.Errorf("input '%s' asks for files of Git LFS, which cannot be fetched here", in)
	case in.Flag("verifyCommit") || in.Text("publicKey") != "" || in.Text("publicKeys") != "":
		return source{}, fmt.Errorf("input '%s' asks for the signature of a commit, which cannot be checked here", in)
	}
	_, hasRef := in.Attrs["ref"]
	_, hasRev := in.Attrs["rev"]
	if place.work && !hasRef && !hasRev {
		return f.gitWork(ctx, in, place)
	}
	return f.gitCommit(ctx, in, place)
}

// place is where a repository is.
type place struct {
	text string // as messages show it: a path or a URL
	dir  string // on this machine; "" if it is elsewhere
	work bool   // it has a work tree
}

func (f *Fetcher) place(in flakeref.Input) (place, error) {
	if rev, ok, err := in.Attrs.Text("rev"); ok && err == nil {
		if h, err := nixhash.Parse(rev, nixhash.Unknown); err == nil && h.Algo != nixhash.SHA1 && h.Algo != nixhash.SHA256 {
			return place{}, fmt.Errorf("Hash '%s' is not supported by Git. Supported types are sha1 and sha256.", rev)
		}
	}
	u, err := flakeref.ParseURL(in.Text("url"), false)
	if err != nil {
		return place{}, err
	}
	if u.Scheme != "file" {
		delete(u.Query, "dir")
		return place{text: u.String()}, nil
	}
	dir, err := u.FilePath()
	if err != nil {
		return place{}, err
	}
	if !strings.HasPrefix(dir, "/") {
		f.Warn(fmt.Sprintf("Fetching Git repository '%s', which uses a path relative to the current directory. "+
			"This is not supported and will stop working in a future release. "+
			"See https://github.com/NixOS/nix/issues/12281 for details.", u))
		dir = filepath.Join(f.Cwd, dir)
	}
	if git.IsBare(dir) {
		u.Query = nil
		return place{text: u.String(), dir: dir}, nil
	}
	if _, err := os.Stat(dir); err != nil {
		return place{}, fmt.Errorf("Git repository %q does not exist.", dir)
	}
	return place{text: dir, dir: dir, work: true}, nil
}

// gitWork is the work tree as it is now.
func (f *Fetcher) gitWork(ctx context.Context, in flakeref.Input, at place) (source, error) {
	repo, err := git.Open(at.dir)
	if err != nil {
		return source{}, err
	}
	w, err := repo.WorkTree()
	if err != nil {
		return source{}, err
	}
	mounts := map[string]nar.Tree{}
	if in.Flag("submodules") {
		modules, err := w.Submodules()
		if err != nil {
			return source{}, err
		}
		for _, m := range modules {
			dir := filepath.Join(at.dir, m.Path)
			sub, err := f.submodule(ctx, in, flakeref.Attrs{"url": flakeref.Text(dir)})
			if err != nil {
				return source{}, err
			}
			if _, clean := sub.input.Attrs["rev"]; !clean {
				w.Dirty = true
			}
			w.Mountpoint(m.Path)
			mounts[m.Path] = sub.tree
		}
	}
	out := source{tree: git.Mount(w.Tree(in.Flag("exportIgnore")), mounts)}
	var modified uint64
	if w.Head != "" {
		if modified, err = repo.LastModified(w.Head); err != nil {
			return source{}, err
		}
	}
	switch {
	case !w.Dirty:
		ref, err := repo.HeadRef()
		if err != nil {
			return source{}, err
		}
		if ref != "" {
			in = in.With("ref", flakeref.Text(ref))
		}
		rev := w.Head
		if rev == "" {
			rev = git.NullRev
		}
		in = in.With("rev", flakeref.Text(rev))
		switch {
		case in.Flag("shallow"):
		case w.Head == "":
			in = in.With("revCount", flakeref.Number(0))
		default:
			out.input = in
			if out, err = f.counted(out, repo, rev); err != nil {
				return source{}, err
			}
			in = out.input
		}
	case f.RefuseDirty:
		return source{}, fmt.Errorf("Git tree '%s' is dirty", at.text)
	default:
		if !f.QuietDirty {
			f.Warn(fmt.Sprintf("Git tree '%s' is dirty", at.text))
		}
		if w.Head != "" {
			in = in.With("dirtyRev", flakeref.Text(w.Head+"-dirty")).With("dirtyShortRev", flakeref.Text(w.Head[:7]+"-dirty"))
		}
	}
	out.input = in.With("lastModified", flakeref.Number(modified))
	return out, nil
}

// gitCommit is the tree of a commit.
func (f *Fetcher) gitCommit(ctx context.Context, in flakeref.Input, at place) (source, error) {
	ref, hasRef, err := in.Attrs.Text("ref")
	if err != nil {
		return source{}, err
	}
	rev, err := in.Rev()
	if err != nil {
		return source{}, err
	}
	repo, ref, err := f.repository(ctx, in, at, ref, hasRef, rev)
	if err != nil {
		return source{}, err
	}
	if rev == "" {
		if rev, err = repo.Resolve(ref); err != nil {
			if !at.work {
				err = fmt.Errorf("Failed to fetch git repository '%s': %w", at.text, err)
			}
			return source{}, err
		}
	}
	if repo.Shallow() && !in.Flag("shallow") {
		return source{}, fmt.Errorf("'%s' is a shallow Git repository, but shallow repositories are only allowed when `shallow = true;` is specified", at.text)
	}
	in = in.With("ref", flakeref.Text(ref)).With("rev", flakeref.Text(rev))
	modified, err := repo.LastModified(rev)
	if err != nil {
		return source{}, err
	}
	out := source{input: in.With("lastModified", flakeref.Number(modified))}
	if !in.Flag("shallow") {
		if out, err = f.counted(out, repo, rev); err != nil {
			return source{}, err
		}
	}
	t, err := repo.Tree(rev, in.Flag("exportIgnore"))
	if err != nil {
		return source{}, err
	}
	out.key = "git " + rev
	if in.Flag("exportIgnore") {
		// In a work tree its own gitattributes count as well.
		out.key = ""
		if !at.work {
			out.key = "git " + rev + " to export"
		}
	}
	mounts := map[string]nar.Tree{}
	if in.Flag("submodules") {
		out.key += " with submodules"
		modules, err := t.Submodules()
		if err != nil {
			return source{}, err
		}
		origin := ""
		if !at.work {
			origin = at.text
		}
		for _, m := range modules {
			attrs := flakeref.Attrs{
				"url":     flakeref.Text(repo.SubmoduleURL(m.URL, origin)),
				"rev":     flakeref.Text(m.Rev),
				"allRefs": flakeref.Flag(true),
			}
			switch m.Branch {
			case "":
			case ".":
				attrs["ref"] = flakeref.Text(ref)
			default:
				attrs["ref"] = flakeref.Text(m.Branch)
			}
			sub, err := f.submodule(ctx, in, attrs)
			if err != nil {
				return source{}, err
			}
			mounts[m.Path] = sub.tree
		}
	}
	out.tree = git.Mount(nar.Tree{FS: t}, mounts)
	return out, nil
}

// counted adds the number of commits. It is counted when somebody asks, or at
// once if it is to be compared.
func (f *Fetcher) counted(src source, repo *git.Repository, rev string) (source, error) {
	src.count = func() (uint64, error) {
		var known struct{ RevCount uint64 }
		if f.recall("count", rev, &known) {
			return known.RevCount, nil
		}
		n, err := repo.RevCount(rev)
		if err == nil && !repo.Shallow() {
			f.remember("count", rev, struct{ RevCount uint64 }{n})
		}
		return n, err
	}
	if _, given := src.input.Number("revCount"); given {
		n, err := src.count()
		if err != nil {
			return src, err
		}
		src.input, src.count = src.input.With("revCount", flakeref.Number(n)), nil
	}
	return src, nil
}

// repository opens what has the commit, and says which reference led there.
func (f *Fetcher) repository(ctx context.Context, in flakeref.Input, at place, ref string, hasRef bool, rev string) (*git.Repository, string, error) {
	master := func(found string, err error) (string, error) {
		if err == nil && found == "" {
			f.Warn(fmt.Sprintf("could not read HEAD ref from repo at '%s', using 'master'", at.text))
			found = "master"
		}
		return found, err
	}
	if at.dir != "" {
		repo, err := git.Open(at.dir)
		if err != nil {
			if !at.work {
				err = fmt.Errorf("Failed to fetch git repository '%s': %w", at.text, err)
			}
			return nil, "", err
		}
		if !hasRef {
			if ref, err = master(repo.HeadRef()); err != nil {
				return nil, "", err
			}
		}
		if rev != "" && !at.work && !repo.Has(rev) {
			return nil, "", noRevision(rev, ref, at)
		}
		return repo, ref, nil
	}
	shallow := in.Flag("shallow")
	kind := "git"
	if shallow {
		kind = "git-shallow"
	}
	m := &git.Mirror{Dir: strings.TrimSuffix(f.entry(kind, at.text), ".json"), URL: at.text, TTL: f.TTL, Now: f.Now, Warn: f.Warn, Authorities: f.Authorities}
	if !hasRef {
		var err error
		if ref, err = master(m.DefaultRef(ctx)); err != nil {
			return nil, "", err
		}
	}
	repo, err := m.Open(ctx, git.Want{Ref: ref, Rev: rev, AllRefs: in.Flag("allRefs"), Shallow: shallow})
	if err != nil {
		return nil, "", err
	}
	if rev != "" && !repo.Has(rev) {
		return nil, "", noRevision(rev, ref, at)
	}
	return repo, ref, nil
}

func noRevision(rev, ref string, at place) error {
	return fmt.Errorf("Cannot find Git revision '%s' in ref '%s' of repository '%s'! "+
		"Please make sure that the rev exists on the ref you've specified or add allRefs = true; to fetchGit.", rev, ref, at.text)
}

// submodule finds the tree of a repository inside another.
func (f *Fetcher) submodule(ctx context.Context, outer flakeref.Input, attrs flakeref.Attrs) (source, error) {
	attrs["type"] = flakeref.Text("git")
	attrs["exportIgnore"] = flakeref.Flag(outer.Flag("exportIgnore"))
	attrs["submodules"] = flakeref.Flag(true)
	in, err := flakeref.Parser{Flakes: true}.InputFromAttrs(attrs)
	if err != nil {
		return source{}, err
	}
	src, err := f.git(ctx, in)
	if err != nil {
		return source{}, fmt.Errorf("fetch the submodule '%s': %w", in, err)
	}
	return src, nil
}
