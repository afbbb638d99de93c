package cli

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"gonix/cmd/internal/process"
	"gonix/derivation/store"
)

// repositories makes repositories in all states that matter in the current
// folder.
const repositories = `
set -e
export GIT_AUTHOR_DATE='1600000000 +0000' GIT_COMMITTER_DATE='1600000000 +0000'
export GIT_AUTHOR_NAME=n GIT_AUTHOR_EMAIL=e GIT_COMMITTER_NAME=n GIT_COMMITTER_EMAIL=e
git() { command git -c init.defaultBranch=main -c protocol.file.allow=always -c core.hooksPath=/dev/null "$@"; }
git init -q sub; cd sub; echo sub > s; git add .; git commit -qm s; cd ..
git init -q top; cd top
mkdir -p a/b docs; echo one > one; echo x > a/b/x; chmod +x a/b/x; ln -s ../one a/l; echo d > docs/d; echo t > docs/t.txt; echo q > q.ign
printf 'docs/*.txt export-ignore\n*.ign export-ignore\n/a/b export-ignore\n' > .gitattributes
git add .; git commit -qm 1; echo two > two; git add .; git commit -qm 2; git tag v1; git tag -a -m x v2
git checkout -qb br; echo three > three; git add .; git commit -qm 3; git checkout -q main; cd ..
git clone -q --bare top bare
cp -a top withsub; cd withsub; git submodule add -q ../sub subm 2> /dev/null; git commit -qm 4; cd ..
cp -a top dirty; cd dirty; echo changed > one; rm two; echo un > untracked; echo st > staged; git add staged; cd ..
cp -a top deleted; cd deleted; git rm -q --cached one; cd ..
cp -a top mode; cd mode; chmod +x one; cd ..
cp -a top touched; touch -d 2001-01-01 touched/one
cp -a top packed; cd packed; git gc -q; git worktree add -q ../linked br 2> /dev/null; cd ..
cp -a top detached; cd detached; git checkout -q --detach v1; cd ..
git init -q new; cd new; echo f > f; git add f; cd ..
`

// gitQuestions are expressions about those repositories; @ is their folder.
// Nix before 2.20 answers some otherwise: it takes no notice of export-ignore
// in a work tree with changes and does not say which commit they follow, makes
// folders of submodules that it leaves out, and cannot read a repository
// without commits or branches.
var gitQuestions = []struct {
	expr string
	new  bool
}{
	{"fetchGit @/top", false},
	{"fetchGit @/touched", false},
	{"fetchGit @/packed", false},
	{"fetchGit @/linked", false},
	{`fetchGit { url = @/top; ref = "v1"; }`, false},
	{`fetchGit { url = @/top; ref = "v2"; name = "x"; }`, true},
	{`fetchGit { url = @/top; ref = "refs/heads/br"; }`, false},
	{`fetchGit { url = @/withsub; ref = "main"; submodules = true; }`, true},
	{`fetchGit { url = @/withsub; submodules = true; }`, true},
	{"fetchGit @/withsub", true},
	{"fetchGit @/dirty", true},
	{"fetchGit @/deleted", true},
	{"fetchGit @/mode", true},
	{"fetchGit @/detached", true},
	{"fetchGit @/new", true},
	{"fetchGit @/bare", true},
	{`fetchGit { url = @/bare; ref = "br"; shallow = true; }`, true},
}

// TestFetchGitAgainstNix compares the trees and what is known of them. Nix
// remembers the tree of a commit however it came by it, so that each question
// is put to a Nix that knows nothing.
func TestFetchGitAgainstNix(t *testing.T) {
	needNix(t)
	if _, err := exec.LookPath("git"); err != nil {
		if os.Getenv("GONIX_TEST_FULL") == "1" {
			t.Fatal(err)
		}
		t.Skipf("%v; GONIX_TEST_FULL=1 makes that a failure", err)
	}
	dir := t.TempDir()
	home := t.TempDir()
	program := func(env []string, name string, args ...string) (string, error) {
		cmd := exec.Command(name, args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "HOME="+home, "NIX_CONFIG=build-users-group =\nwarn-dirty = false")
		cmd.Env = append(cmd.Env, env...)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil {
			err = fmt.Errorf("%s: %w\n%s", name, err, &stderr)
		}
		return string(out), err
	}
	version, err := program(nil, cxxNix, "--eval", "--json", "-E", `builtins.compareVersions builtins.nixVersion "2.20" >= 0`)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := program(nil, "sh", "-c", repositories); err != nil {
		t.Fatal(err)
	}
	old := strings.TrimSpace(version) != "true"
	theirs, ours := t.TempDir(), t.TempDir()
	t.Cleanup(func() {
		store.RemoveTree(theirs + "/nix")
		store.RemoveTree(ours + "/nix")
	})
	for _, q := range gitQuestions {
		if q.new && old {
			continue
		}
		expr := "builtins." + strings.ReplaceAll(q.expr, "@", dir)
		want, err := program([]string{"XDG_CACHE_HOME=" + t.TempDir()}, cxxNix, "--store", theirs, "--eval", "--strict", "-E", expr)
		if err != nil {
			t.Fatal(err)
		}
		var stdout, stderr bytes.Buffer
		env := map[string]string{"HOME": home}
		w := &process.World{Stdout: &stdout, Stderr: &stderr, Cwd: dir, Width: func() int { return 80 },
			LookupEnv: func(name string) (string, bool) { v, ok := env[name]; return v, ok }}
		status := run(t.Context(), w, "gonix", []string{"instantiate", "--store", ours, "--eval", "--strict", "-E", expr})
		if status != 0 || stdout.String() != want {
			t.Errorf("%s\n got %s%s\nwant %s", q.expr, &stdout, &stderr, want)
		}
	}
}
