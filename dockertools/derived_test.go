package dockertools

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gonix/derivation/storepath"
	"gonix/dockertools/archive"
	"gonix/dockertools/image"
)

// addFile registers a copy of a file as an object.
func (s *testStore) addFile(name, from string) storepath.Path {
	s.t.Helper()
	data, err := os.ReadFile(from)
	if err != nil {
		s.t.Fatal(err)
	}
	p := made(name)
	if err := os.WriteFile(s.RealPath(p), data, 0o644); err != nil {
		s.t.Fatal(err)
	}
	return s.register(p)
}

func TestMerge(t *testing.T) {
	s := redis(t)
	one := s.addFile("one", s.build(&Builder{}, layered(attrs{"imageName": "one", "config": attrs{"Cmd": []string{made("server").String()}}}), made("server")))
	two := s.addFile("two", s.build(&Builder{}, layered(attrs{"imageName": "two", "contents": []string{made("server").String()}}), made("server")))
	job := s.job(attrs{"images": []string{one.String(), two.String()}}, one, two)
	if err := (Merger{}).Build(t.Context(), job); err != nil {
		t.Fatal(err)
	}
	validate(t, job.Dest["out"])
	a, err := archive.Open(t.Context(), job.Dest["out"], t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	images, err := a.Images()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, i := range images {
		for _, r := range i.References {
			names = append(names, r.String())
		}
	}
	if d := cmp.Diff([]string{"one:1", "two:1"}, names); d != "" {
		t.Error(d)
	}
	job = s.job(attrs{"images": []string{made("libc").String()}}, made("libc"))
	if err := (Merger{}).Build(t.Context(), job); err == nil || !strings.Contains(err.Error(), "holds no image") {
		t.Errorf("error %v", err)
	}
	if _, err := os.Lstat(job.Dest["out"]); err == nil {
		t.Error("something was left at the output")
	}
}

func TestExport(t *testing.T) {
	s := redis(t)
	base := debian(s)
	job := s.job(attrs{"fromImage": base.String(), "architecture": "amd64"}, base)
	if err := (Exporter{}).Build(t.Context(), job); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(job.Dest["out"])
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var got []string
	for tr := tar.NewReader(f); ; {
		h, err := tr.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(tr)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprintf("%c %04o %d:%d %s %s%s", h.Typeflag, h.Mode, h.Uid, h.Gid, h.Name, h.Linkname, data))
	}
	text := strings.Join(got, "\n")
	for _, want := range []string{"usr/bin/sh shell", "2 0777 0:0 bin usr/bin", "0 4755 0:0 usr/bin/su x", "0 0644 0:0 etc/passwd root:x:0:0"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}

func pullAttrs() attrs {
	return attrs{"imageReference": "app@sha256:0", "finalImageName": "app/redis", "finalImageTag": "7", "os": "linux", "arch": "amd64", "tlsVerify": false}
}

// TestPullAsSkopeo pulls an image and expects skopeo's archive.
func TestPullAsSkopeo(t *testing.T) {
	skopeo, err := exec.LookPath("skopeo")
	if err != nil {
		if os.Getenv("GONIX_TEST_FULL") == "1" {
			t.Fatal(err)
		}
		t.Skip("skopeo is not installed")
	}
	s := redis(t)
	in := s.build(&Builder{}, layered(attrs{"config": attrs{"Env": []string{"A=<b>&c"}, "Cmd": []string{made("server").String()}}}), made("server"))
	want := filepath.Join(t.TempDir(), "want.tar")
	cmd := exec.Command(skopeo, "--insecure-policy", "--tmpdir", t.TempDir(), "copy", "docker-archive:"+in, "docker-archive:"+want+":app/redis:7")
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir(), "XDG_DATA_HOME="+t.TempDir())
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	a, err := archive.Open(t.Context(), in, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	found, err := a.Find("", "", "amd64")
	if err != nil {
		t.Fatal(err)
	}
	job := s.job(pullAttrs())
	var asked PullRequest
	p := &Puller{Pull: func(_ context.Context, r PullRequest) (*image.Image, error) { asked = r; return found.Image, nil }}
	if err := p.Build(t.Context(), job); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(PullRequest{Reference: "app@sha256:0", Platform: "linux/amd64", Insecure: true}, asked); d != "" {
		t.Error(d)
	}
	validate(t, job.Dest["out"])
	x, err := os.ReadFile(job.Dest["out"])
	if err != nil {
		t.Fatal(err)
	}
	y, err := os.ReadFile(want)
	if err != nil {
		t.Fatal(err)
	}
	if string(x) != string(y) {
		t.Error("the archive differs from skopeo's")
	}
}

func TestPullFails(t *testing.T) {
	s := redis(t)
	given := pullAttrs()
	given["arch"], given["variant"] = "arm", "v7"
	job := s.job(given)
	p := &Puller{Pull: func(_ context.Context, r PullRequest) (*image.Image, error) {
		return nil, errors.New("no such registry for " + r.Platform)
	}}
	if err := p.Build(t.Context(), job); err == nil || err.Error() != "pull image: no such registry for linux/arm/v7" {
		t.Errorf("error %v", err)
	}
	if _, err := os.Lstat(job.Dest["out"]); err == nil {
		t.Error("something was left at the output")
	}
}
