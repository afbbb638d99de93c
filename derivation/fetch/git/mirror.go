package git

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	gogit "github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/config"
	"github.com/go-git/go-git/v5/plumbing"
)

// Mirror is the copy of a repository elsewhere that is kept in a folder.
type Mirror struct {
	Dir string // made when it is needed
	URL string // of https, http, ssh or git
	// TTL is how long a branch is taken to be as it was when it was fetched
	// last (Nix: tarball-ttl).
	TTL  time.Duration
	Now  func() time.Time
	Warn func(msg string)
	// Authorities has certificates that are trusted beside the machine's, in PEM;
	// nil for none.
	Authorities func() ([]byte, error)
}

// authorities are those of the mirror, if it has any.
func (m *Mirror) authorities() ([]byte, error) {
	if m.Authorities == nil {
		return nil, nil
	}
	return m.Authorities()
}

// Want is what is asked of a mirror.
type Want struct {
	Ref     string // a branch, or any reference that begins with refs/; HEAD
	Rev     string // a commit; "" for what Ref leads to
	AllRefs bool   // fetch everything
	Shallow bool   // fetch no history
}

// DefaultRef returns what the repository's HEAD stands for, "" if that cannot
// be told.
func (m *Mirror) DefaultRef(ctx context.Context) (string, error) {
	remembered := filepath.Join(m.Dir, "gonix-head")
	if st, err := os.Stat(remembered); err == nil && m.Now().Sub(st.ModTime()) < m.TTL {
		if text, err := os.ReadFile(remembered); err == nil && len(text) > 0 {
			return string(text), nil
		}
	}
	remote := gogit.NewRemote(nil, &config.RemoteConfig{Name: "origin", URLs: []string{m.URL}})
	trusted, err := m.authorities()
	if err != nil {
		return "", err
	}
	refs, err := remote.ListContext(ctx, &gogit.ListOptions{CABundle: trusted})
	if err != nil {
		return "", fmt.Errorf("read the references of '%s': %w", m.URL, err)
	}
	for _, ref := range refs {
		if ref.Name() != plumbing.HEAD || ref.Type() != plumbing.SymbolicReference {
			continue
		}
		name := ref.Target().String()
		if err := os.MkdirAll(m.Dir, 0o755); err != nil {
			return "", err
		}
		return name, os.WriteFile(remembered, []byte(name), 0o644)
	}
	return "", nil
}

// Open returns the repository with what is wanted in it, fetched if it was not
// there. The commit itself may still be missing, if nobody has it.
func (m *Mirror) Open(ctx context.Context, want Want) (*Repository, error) {
	if err := os.MkdirAll(m.Dir, 0o755); err != nil {
		return nil, err
	}
	lock, err := os.OpenFile(m.Dir+".lock", os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return nil, fmt.Errorf("lock '%s': %w", lock.Name(), err)
	}
	if _, err := os.Stat(filepath.Join(m.Dir, "HEAD")); err != nil {
		if _, err := gogit.PlainInit(m.Dir, true); err != nil {
			return nil, fmt.Errorf("make a Git repository at '%s': %w", m.Dir, err)
		}
	}
	r, err := Open(m.Dir)
	if err != nil {
		return nil, err
	}
	if !m.stale(r, want) {
		return r, nil
	}
	err = m.fetch(ctx, r, want)
	if err != nil && ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err != nil {
		if _, known := r.Resolve(want.Ref); known != nil {
			return nil, err
		}
		m.Warn(err.Error())
		m.Warn(fmt.Sprintf("could not update local clone of Git repository '%s'; continuing with the most recent version", m.URL))
	} else if want.Rev == "" {
		now := m.Now()
		if f, err := os.Create(m.stamp(want.Ref)); err == nil {
			f.Close()
			os.Chtimes(f.Name(), now, now)
		}
	}
	return Open(m.Dir)
}

// stamp is a file that is as old as what is known of a reference.
func (m *Mirror) stamp(ref string) string {
	return filepath.Join(m.Dir, "gonix-fetched-"+strings.ReplaceAll(ref, "/", "!"))
}

func (m *Mirror) stale(r *Repository, want Want) bool {
	switch {
	case want.Rev != "":
		return !r.Has(want.Rev)
	case want.AllRefs:
		return true
	}
	st, err := os.Stat(m.stamp(want.Ref))
	return err != nil || m.Now().Sub(st.ModTime()) >= m.TTL
}

func (m *Mirror) fetch(ctx context.Context, r *Repository, want Want) error {
	remote := gogit.NewRemote(r.repo.Storer, &config.RemoteConfig{Name: "origin", URLs: []string{m.URL}})
	trusted, err := m.authorities()
	if err != nil {
		return err
	}
	fetch := func(depth int, specs ...config.RefSpec) error {
		err := remote.FetchContext(ctx, &gogit.FetchOptions{RefSpecs: specs, Depth: depth, Tags: gogit.NoTags, Force: true, CABundle: trusted})
		if errors.Is(err, gogit.NoErrAlreadyUpToDate) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("Failed to fetch git repository '%s': %w", m.URL, err)
		}
		return nil
	}
	depth := 0
	if want.Shallow {
		depth = 1
	}
	const everything = "+refs/*:refs/*"
	switch ref := want.Ref; {
	case want.AllRefs:
		return fetch(depth, everything)
	case want.Rev != "":
		// Not every server hands out single commits.
		if err := fetch(depth, config.RefSpec(want.Rev+":refs/gonix/"+want.Rev)); err == nil || ctx.Err() != nil {
			return err
		}
		return fetch(0, everything)
	case strings.HasPrefix(ref, "refs/"):
		return fetch(depth, config.RefSpec("+"+ref+":"+ref))
	case ref == "HEAD":
		return fetch(depth, "+HEAD:refs/heads/HEAD")
	default:
		return fetch(depth, config.RefSpec("+refs/heads/"+ref+":refs/heads/"+ref))
	}
}
