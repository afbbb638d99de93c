package git

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	gogit "github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// NullRev is the commit of a repository that has none yet.
const NullRev = "0000000000000000000000000000000000000000"

// Repository is one on this machine, open for reading.
type Repository struct {
	dir  string // as it was opened
	work string // the work tree, "" if there is none
	git  string // where objects, refs and the index are
	repo *gogit.Repository
}

// Open opens the repository at dir, which has a work tree with .git in it or
// is bare.
func Open(dir string) (*Repository, error) {
	r, err := gogit.PlainOpenWithOptions(dir, &gogit.PlainOpenOptions{EnableDotGitCommonDir: true})
	if err != nil {
		if errors.Is(err, gogit.ErrRepositoryNotExists) {
			return nil, fmt.Errorf("opening Git repository \"%s\": could not find repository at '%s'", dir, dir)
		}
		return nil, fmt.Errorf("opening Git repository \"%s\": %w", dir, err)
	}
	out := &Repository{dir: dir, git: dir, repo: r}
	if _, err := os.Lstat(filepath.Join(dir, ".git")); err == nil {
		out.work = dir
		if out.git, err = gitDir(dir); err != nil {
			return nil, fmt.Errorf("opening Git repository \"%s\": %w", dir, err)
		}
	}
	return out, nil
}

// IsBare reports whether there is a repository at dir without a work tree, as
// far as a look at the folder tells (Nix: isBareRepository).
func IsBare(dir string) bool {
	if _, err := os.Stat(dir); err != nil {
		return false
	}
	_, err := os.Stat(filepath.Join(dir, ".git"))
	return err != nil
}

// gitDir is where .git in a work tree leads to.
func gitDir(work string) (string, error) {
	dir := filepath.Join(work, ".git")
	info, err := os.Stat(dir)
	if err != nil || info.IsDir() {
		return dir, err
	}
	text, err := os.ReadFile(dir)
	if err != nil {
		return "", err
	}
	target, ok := strings.CutPrefix(string(text), "gitdir:")
	if !ok {
		return "", fmt.Errorf("'%s' is neither a folder nor a link to one", dir)
	}
	target = strings.TrimSpace(target)
	if !filepath.IsAbs(target) {
		target = filepath.Join(work, target)
	}
	return target, nil
}

// HeadRef returns the reference that HEAD stands for, "" if it is a commit.
func (r *Repository) HeadRef() (string, error) {
	ref, err := r.repo.Reference(plumbing.HEAD, false)
	if err != nil {
		return "", fmt.Errorf("looking up HEAD: %w", err)
	}
	if ref.Type() == plumbing.SymbolicReference {
		return ref.Target().String(), nil
	}
	return "", nil
}

// Head returns the commit that HEAD leads to, "" if there is none yet.
func (r *Repository) Head() (string, error) {
	ref, err := r.repo.Reference(plumbing.HEAD, true)
	switch {
	case errors.Is(err, plumbing.ErrReferenceNotFound):
		return "", nil
	case err != nil:
		return "", fmt.Errorf("resolving HEAD: %w", err)
	}
	return ref.Hash().String(), nil
}

// refPlaces are where a short name of a reference is looked for
// (gitrevisions(7)).
var refPlaces = []string{"%s", "refs/%s", "refs/tags/%s", "refs/heads/%s", "refs/remotes/%s", "refs/remotes/%s/HEAD"}

// Resolve returns the commit that a reference leads to, through tags.
func (r *Repository) Resolve(name string) (string, error) {
	for _, place := range refPlaces {
		ref, err := r.repo.Reference(plumbing.ReferenceName(fmt.Sprintf(place, name)), true)
		if errors.Is(err, plumbing.ErrReferenceNotFound) {
			continue
		}
		if err != nil {
			break
		}
		c, err := r.commit(ref.Hash().String())
		if err != nil {
			return "", fmt.Errorf("resolving Git reference '%s': %w", name, err)
		}
		return c.Hash.String(), nil
	}
	if h, err := r.repo.ResolveRevision(plumbing.Revision(name)); err == nil {
		return h.String(), nil
	}
	return "", fmt.Errorf("resolving Git reference '%s': revspec '%s' not found", name, name)
}

// Has reports whether the repository has the object.
func (r *Repository) Has(rev string) bool {
	return r.repo.Storer.HasEncodedObject(plumbing.NewHash(rev)) == nil
}

// commit returns the commit at rev, or that a tag there leads to.
func (r *Repository) commit(rev string) (*object.Commit, error) {
	if len(rev) != len(NullRev) {
		return nil, fmt.Errorf("the commit '%s' is not named by a SHA-1, and others cannot be read", rev)
	}
	h := plumbing.NewHash(rev)
	for {
		c, err := r.repo.CommitObject(h)
		if err == nil {
			return c, nil
		}
		tag, tagErr := r.repo.TagObject(h)
		if tagErr != nil {
			if errors.Is(err, plumbing.ErrObjectNotFound) {
				err = fmt.Errorf("object not found - no match for id (%s)", rev)
			}
			return nil, fmt.Errorf("getting Git object '%s': %w", rev, err)
		}
		h = tag.Target
	}
}

// LastModified returns when the commit was made, in seconds since 1970.
func (r *Repository) LastModified(rev string) (uint64, error) {
	c, err := r.commit(rev)
	if err != nil {
		return 0, err
	}
	return uint64(c.Committer.When.Unix()), nil
}

// Shallow reports whether the history ends early.
func (r *Repository) Shallow() bool {
	hashes, err := r.repo.Storer.Shallow()
	return err == nil && len(hashes) > 0
}

// RevCount returns the number of commits in the history of rev, itself
// included, as far as the repository has it.
func (r *Repository) RevCount(rev string) (uint64, error) {
	c, err := r.commit(rev)
	if err != nil {
		return 0, err
	}
	shallow, err := r.repo.Storer.Shallow()
	if err != nil {
		return 0, err
	}
	seen := map[plumbing.Hash]bool{c.Hash: true}
	for todo := []*object.Commit{c}; len(todo) > 0; {
		c, todo = todo[len(todo)-1], todo[:len(todo)-1]
		if slices.Contains(shallow, c.Hash) {
			continue // it was fetched without its parents
		}
		for _, h := range c.ParentHashes {
			if seen[h] {
				continue
			}
			seen[h] = true
			parent, err := r.repo.CommitObject(h)
			if err != nil {
				return 0, fmt.Errorf("Failed to retrieve the parent of Git commit '%s': %w. "+
					"This may be due to an incomplete repository history. "+
					"To resolve this, either enable the shallow parameter in your flake URL (?shallow=1) "+
					"or add set the shallow parameter to true in builtins.fetchGit, "+
					"or fetch the complete history for this branch.", c.Hash, err)
			}
			todo = append(todo, parent)
		}
	}
	return uint64(len(seen)), nil
}
