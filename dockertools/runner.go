package dockertools

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"gonix/derivation/build"
	"gonix/derivation/storepath"
	"gonix/dockertools/rootfs"
)

// Bind shows a file or directory of the machine inside the root, read-only.
type Bind struct {
	Source string // physical
	Target string // in the root
}

// RootCommand is a program that runs as user 0 of a directory.
type RootCommand struct {
	Root   string // physical directory that becomes /
	Binds  []Bind
	Args   []string
	Env    []string
	Dir    string // working directory, in the root
	Log    io.Writer
	Owners rootfs.Owners // to whom files in Root are meant to belong
}

// Runner runs a program without privileges of the machine and returns to whom
// the files belong afterwards.
type Runner func(ctx context.Context, c RootCommand) (rootfs.Owners, error)

// scriptName is where a script lies for the time it runs.
const scriptName = storepath.DefaultDir + "/run.sh"

// script is a script of the user with its surroundings.
type script struct {
	what string // its attribute
	text string
	root string // physical
	dir  string // in the root
	env  []string
}

// run runs s with the inputs of the job in the store.
func (b *Builder) run(ctx context.Context, job *build.Job, spec *Spec, s script, owners rootfs.Owners) (rootfs.Owners, error) {
	if b.Run == nil {
		return nil, fmt.Errorf("run %s: scripts cannot run on this system", s.what)
	}
	file := filepath.Join(workDir(job), s.what+".sh")
	if err := os.WriteFile(file, []byte(s.text), 0o500); err != nil {
		return nil, err
	}
	// What the umask took away is needed by nobody but this user.
	binds := []Bind{{Source: file, Target: scriptName}}
	for _, p := range job.Inputs {
		binds = append(binds, Bind{Source: job.Store.RealPath(p), Target: p.String()})
	}
	// A script that names its interpreter is run by it, as nixpkgs does; other
	// text by the shell, which stops at the first failure.
	args := []string{scriptName}
	if !strings.HasPrefix(s.text, "#!") {
		args = []string{spec.Shell, "-e", scriptName}
	}
	job.Report(build.Event{Kind: build.Phase, Drv: job.DrvPath, Text: s.what})
	after, err := b.Run(ctx, RootCommand{Root: s.root, Binds: binds, Args: args, Env: s.env, Dir: s.dir, Log: job.Log, Owners: owners})
	if err != nil {
		return nil, fmt.Errorf("run %s: %w", s.what, err)
	}
	return after, nil
}

// workDir is where big intermediate trees go.
func workDir(job *build.Job) string {
	if job.WorkDir != "" {
		return job.WorkDir
	}
	return job.TmpDir
}
