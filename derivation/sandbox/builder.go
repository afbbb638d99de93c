//go:build linux && (amd64 || arm64)

package sandbox

import (
	"context"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"gonix/derivation/build"
	"gonix/derivation/storepath"
)

// What builders see, the same everywhere.
const (
	buildDir = "/build"
	buildUID = 1000
	buildGID = 100
)

// Builder runs the builders of derivations in sandboxes.
//
// A derivation whose attribute sandboxShell is a program among its inputs has
// that at /bin/sh; else Shell is there.
type Builder struct {
	// Shell is a static shell for /bin/sh, a physical file; "" for none.
	Shell string

	// Extra is visible in all sandboxes, besides the inputs.
	Extra []Bind
}

var _ build.Builder = (*Builder)(nil)

var _ build.Checker = (*Builder)(nil)

// Check finds out whether sandboxes can be made on this machine.
func (*Builder) Check(ctx context.Context) error { return Check(ctx) }

// passwd and group list who exists in a sandbox.
const (
	passwd = "root:x:0:0:root of the sandbox:/build:/noshell\n" +
		"nixbld:x:1000:100:builder:/build:/noshell\n" +
		"nobody:x:65534:65534:nobody:/:/noshell\n"
	group = "root:x:0:\nnixbld:!:100:\nnogroup:x:65534:\n"
	hosts = "127.0.0.1 localhost\n::1 localhost\n"
)

// networkFiles are what programs need to use the network; fixed outputs get
// them.
var networkFiles = []string{"/etc/resolv.conf", "/etc/services", "/etc/hosts"}

// certificates are where distributions keep the authorities they trust.
var certificates = []string{
	"/etc/ssl/certs/ca-certificates.crt", // Debian, NixOS, Alpine
	"/etc/pki/tls/certs/ca-bundle.crt",   // Fedora
	"/etc/ssl/ca-bundle.pem",             // openSUSE
	"/etc/ssl/cert.pem",
}

// Build runs the job's builder.
func (b *Builder) Build(ctx context.Context, job *build.Job) error {
	if storepath.Dir != storepath.DefaultDir {
		return fmt.Errorf("in a sandbox the store is always at %s, but here paths begin with %s: build without one ('--option sandbox false')", storepath.DefaultDir, storepath.Dir)
	}
	env, err := build.Environment(ctx, job, buildDir)
	if err != nil {
		return err
	}
	p, err := b.plan(job, env)
	if err != nil {
		return err
	}
	out, err := run(ctx, p, job.Log)
	if err != nil {
		return explain(err)
	}
	return out.failure()
}

// failure is the error of a program that did not succeed.
func (o outcome) failure() error {
	if o.Exit == 0 && o.Signal == 0 {
		return nil
	}
	return &build.ExitError{Code: o.Exit, Signal: o.Signal, SignalName: signalName(o.Signal)}
}

// signalName is the C library's description of a signal.
func signalName(n int) string {
	if n == 0 {
		return ""
	}
	name := unix.Signal(n).String()
	return strings.ToUpper(name[:1]) + name[1:]
}

// plan lays out the job's sandbox.
func (b *Builder) plan(job *build.Job, env *build.Env) (*plan, error) {
	storeDir := ""
	for _, d := range job.Dest {
		storeDir = filepath.Dir(d)
	}
	p := &plan{
		Root:  filepath.Join(job.WorkDir, "root"),
		Store: storeDir,
		UID:   buildUID, GID: buildGID,
		Path: env.Builder, Args: append([]string{path.Base(env.Builder)}, env.Args...),
		Env: env.List(), Dir: buildDir,
		HostNetwork: job.Drv.IsFixedOutput(),
		Linux32:     is32(job.Drv.Platform),
		Dirs:        []dir{{"/etc", 0o755}, {"/tmp", 0o1777}, {"/build", 0o755}, {"/nix/store", 0o755}},
		Files:       []file{{"/etc/passwd", passwd}, {"/etc/group", group}},
	}
	tmp := filepath.Join(job.WorkDir, "tmp")
	for _, d := range []string{p.Root, tmp} {
		if err := os.Mkdir(d, 0o755); err != nil {
			return nil, fmt.Errorf("make the sandbox: %w", err)
		}
	}
	if err := os.Chmod(tmp, 0o1777); err != nil {
		return nil, fmt.Errorf("make the sandbox: %w", err)
	}
	p.Binds = append(p.Binds,
		mount{Source: job.TmpDir, Target: buildDir, Writable: true},
		mount{Source: tmp, Target: "/tmp", Writable: true})
	own := map[storepath.Path]bool{}
	for _, o := range job.Outputs {
		own[o] = true
	}
	for _, in := range job.Inputs {
		if !own[in] {
			p.Binds = append(p.Binds, mount{Source: job.Store.RealPath(in), Target: in.String()})
		}
	}
	if p.HostNetwork {
		p.Files = append(p.Files, file{"/etc/nsswitch.conf", "hosts: files dns\nservices: files\n"})
		p.network()
	} else {
		p.Files = append(p.Files, file{"/etc/hosts", hosts})
	}
	shell, err := b.shell(job)
	if err != nil {
		return nil, err
	}
	if shell != "" {
		p.Binds = append(p.Binds, mount{Source: shell, Target: "/bin/sh"})
	}
	if features, _ := job.Attr("requiredSystemFeatures"); slices.Contains(strings.Fields(features), "kvm") {
		p.Binds = append(p.Binds, mount{Source: "/dev/kvm", Target: "/dev/kvm", Devices: true})
	}
	for _, x := range b.Extra {
		p.Binds = append(p.Binds, mount{Source: x.Source, Target: x.Target})
	}
	return p, nil
}

// network adds the machine's files about the network, as they are behind links.
func (p *plan) network() {
	add := func(source, target string) bool {
		real, err := filepath.EvalSymlinks(source)
		if err != nil {
			return false
		}
		p.Binds = append(p.Binds, mount{Source: real, Target: target})
		return true
	}
	for _, f := range networkFiles {
		add(f, f)
	}
	for _, f := range certificates {
		if add(f, certificates[0]) {
			return
		}
	}
}

// shell returns the physical file for /bin/sh, or "".
func (b *Builder) shell(job *build.Job) (string, error) {
	want, ok := job.Attr("sandboxShell")
	if !ok || want == "" {
		if b.Shell == "" {
			return "", nil
		}
		return filepath.EvalSymlinks(b.Shell)
	}
	in, _, err := storepath.Split(want)
	if err != nil {
		return "", fmt.Errorf("attribute 'sandboxShell' of '%s': %w", job.DrvPath, err)
	}
	if !contains(job.Inputs, in) {
		return "", fmt.Errorf("attribute 'sandboxShell' of '%s' is '%s', which is not among the inputs", job.DrvPath, want)
	}
	// Links in the store are followed as the sandbox would follow them.
	for range 40 {
		base, rest, err := storepath.Split(want)
		if err != nil || !contains(job.Inputs, base) {
			return "", fmt.Errorf("attribute 'sandboxShell' of '%s' leads to '%s', which is not among the inputs", job.DrvPath, want)
		}
		real := job.Store.RealPath(base) + rest
		info, err := os.Lstat(real)
		if err != nil {
			return "", fmt.Errorf("attribute 'sandboxShell' of '%s': %w", job.DrvPath, err)
		}
		if info.Mode()&os.ModeSymlink == 0 {
			return real, nil
		}
		target, err := os.Readlink(real)
		if err != nil {
			return "", fmt.Errorf("attribute 'sandboxShell' of '%s': %w", job.DrvPath, err)
		}
		if !path.IsAbs(target) {
			target = path.Join(path.Dir(want), target)
		}
		want = path.Clean(target)
	}
	return "", fmt.Errorf("attribute 'sandboxShell' of '%s': too many links", job.DrvPath)
}

func contains(sorted []storepath.Path, p storepath.Path) bool {
	_, ok := slices.BinarySearchFunc(sorted, p, storepath.Compare)
	return ok
}

// is32 reports whether the platform is the 32-bit sibling of the machine's.
func is32(platform string) bool {
	return strings.HasPrefix(platform, "i686-") || strings.HasPrefix(platform, "armv7l-")
}
