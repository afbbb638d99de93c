package tree

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strings"

	"gonix/derivation/fetch"
	"gonix/derivation/fetch/flakeref"
	"gonix/derivation/nixhash"
)

// forge is a repository on a host that makes archives of its commits.
type forge struct {
	host string // if the input names none
	// commit asks which commit a branch stands for.
	commit func(q *query) (rev string, err error)
	// archive is the address of the archive of a commit; token says whether
	// there is a token for the host.
	archive func(q *query, rev string, token bool) string
}

var forges = map[string]forge{
	"github":    {"github.com", githubCommit, githubArchive},
	"gitlab":    {"gitlab.com", gitlabCommit, gitlabArchive},
	"sourcehut": {"git.sr.ht", sourcehutCommit, sourcehutArchive},
}

// query is one question to a forge.
type query struct {
	host, owner, repo, ref string

	in  flakeref.Input
	get func(url string) ([]byte, error)
}

func (f *Fetcher) forge(ctx context.Context, in flakeref.Input) (source, func(), error) {
	nothing := func() {}
	kind := forges[in.Type()]
	q := &query{host: in.Text("host"), owner: in.Text("owner"), repo: in.Text("repo"), ref: in.Text("ref"), in: in}
	if _, given := in.Attrs["host"]; !given {
		q.host = kind.host
	}
	if q.ref == "" {
		q.ref = "HEAD"
	}
	header := f.header(in.Type(), q.host, q.owner, q.repo)
	q.get = func(url string) ([]byte, error) { return f.content(ctx, url, header) }
	rev, err := in.Rev()
	if err == nil && rev == "" {
		rev, err = kind.commit(q)
	}
	if err != nil {
		return source{}, nothing, err
	}
	in = in.Without("ref").With("rev", flakeref.Text(rev))
	request := fetch.Request{URL: kind.archive(q, rev, len(header) > 0), Header: header}
	a, cleanup, err := f.unpacked(ctx, request, in.Name(), "commit "+rev)
	if err != nil {
		return source{}, nothing, err
	}
	in = in.With("lastModified", flakeref.Number(a.LastModified))
	return source{tree: a.tree, path: a.path, input: in}, cleanup, nil
}

// content is what an address answers.
func (f *Fetcher) content(ctx context.Context, url string, header http.Header) ([]byte, error) {
	p, _, err := f.download(ctx, fetch.Request{URL: url, Header: header}, "source")
	if err != nil {
		return nil, err
	}
	return os.ReadFile(f.Store.RealPath(p))
}

func parseCommit(text string) (string, error) {
	h, err := nixhash.Parse(text, nixhash.SHA1)
	return h.Base16(), err
}

func githubCommit(q *query) (string, error) {
	url := fmt.Sprintf("https://%s/api/v3/repos/%s/%s/commits/%s", q.host, q.owner, q.repo, q.ref)
	if q.host == "github.com" {
		url = fmt.Sprintf("https://api.github.com/repos/%s/%s/commits/%s", q.owner, q.repo, q.ref)
	}
	text, err := q.get(url)
	if err != nil {
		return "", err
	}
	var answer struct {
		SHA string `json:"sha"`
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return "", fmt.Errorf("read the answer of '%s': %w", url, err)
	}
	return parseCommit(answer.SHA)
}

func githubArchive(q *query, rev string, token bool) string {
	switch {
	case q.host != "github.com":
		return fmt.Sprintf("https://%s/api/v3/repos/%s/%s/tarball/%s", q.host, q.owner, q.repo, rev)
	case token:
		return fmt.Sprintf("https://api.github.com/repos/%s/%s/tarball/%s", q.owner, q.repo, rev)
	}
	return fmt.Sprintf("https://github.com/%s/%s/archive/%s.tar.gz", q.owner, q.repo, rev)
}

func gitlabCommit(q *query) (string, error) {
	url := fmt.Sprintf("https://%s/api/v4/projects/%s%%2F%s/repository/commits?ref_name=%s", q.host, q.owner, q.repo, q.ref)
	text, err := q.get(url)
	if err != nil {
		return "", err
	}
	var answer []struct {
		ID string `json:"id"`
	}
	switch err := json.Unmarshal(text, &answer); {
	case err != nil || len(answer) > 0 && answer[0].ID == "":
		return "", fmt.Errorf("Unexpected response received from GitLab: %s", text)
	case len(answer) == 0:
		return "", fmt.Errorf("No commits returned by GitLab API -- does the git ref really exist?")
	}
	return parseCommit(answer[0].ID)
}

func gitlabArchive(q *query, rev string, _ bool) string {
	return fmt.Sprintf("https://%s/api/v4/projects/%s%%2F%s/repository/archive.tar.gz?sha=%s", q.host, q.owner, q.repo, rev)
}

func sourcehutCommit(q *query) (string, error) {
	base := fmt.Sprintf("https://%s/%s/%s", q.host, q.owner, q.repo)
	want := "refs/(heads|tags)/" + regexp.QuoteMeta(q.ref)
	if q.ref == "HEAD" {
		text, err := q.get(base + "/HEAD")
		if err != nil {
			return "", err
		}
		line, _, _ := strings.Cut(string(text), "\n")
		target, ok := strings.CutPrefix(line, "ref: ")
		if !ok {
			return "", fmt.Errorf("in '%s', couldn't resolve HEAD ref '%s'", q.in, q.ref)
		}
		want = regexp.QuoteMeta(strings.TrimSpace(target))
	}
	pattern, err := regexp.Compile("^(?:" + want + ")$")
	if err != nil {
		return "", err
	}
	text, err := q.get(base + "/info/refs")
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) == 2 && pattern.MatchString(fields[1]) {
			return parseCommit(fields[0])
		}
	}
	return "", fmt.Errorf("in '%s', couldn't find ref '%s'", q.in, q.ref)
}

func sourcehutArchive(q *query, rev string, _ bool) string {
	return fmt.Sprintf("https://%s/%s/%s/archive/%s.tar.gz", q.host, q.owner, q.repo, rev)
}
