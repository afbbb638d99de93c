package dockertools

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gonix/derivation/storepath"
	"gonix/dockertools/image"
)

// rawBase adds any bytes to the store as a base image.
func (s *testStore) rawBase(name string, data []byte) storepath.Path {
	s.t.Helper()
	p := made(name)
	if err := os.WriteFile(s.RealPath(p), data, 0o644); err != nil {
		s.t.Fatal(err)
	}
	return s.register(p)
}

// failsCleanly builds on a base that is no good: there is an error, and neither
// an output nor anything beside it.
func (s *testStore) failsCleanly(what string, base storepath.Path, want string) {
	s.t.Helper()
	for _, a := range []attrs{
		{"imageName": "x", "fromImage": base.String()},
		layered(attrs{"fromImage": base.String()}),
	} {
		s.leavesNothing(what, a, base, want)
	}
}

func (s *testStore) leavesNothing(what string, a attrs, base storepath.Path, want string) {
	s.t.Helper()
	job := s.job(a, base)
	err := (&Builder{}).Build(s.t.Context(), job)
	if err == nil || !strings.HasPrefix(err.Error(), "build image 'x:") || !strings.Contains(err.Error(), want) {
		s.t.Errorf("%s: error %v, expected %q", what, err, want)
	}
	if files, err := os.ReadDir(filepath.Dir(job.Dest["out"])); err != nil || len(files) != 1 {
		s.t.Errorf("%s: left %v, error %v", what, files, err)
	}
	if files, err := os.ReadDir(job.WorkDir); err != nil || len(files) != 0 {
		s.t.Errorf("%s: left %v in the folder for work, error %v", what, files, err)
	}
}

// TestTruncatedBase cuts a base archive off at many places, as it is and
// compressed.
func TestTruncatedBase(t *testing.T) {
	s := redis(t)
	whole, err := os.ReadFile(s.RealPath(debian(s)))
	if err != nil {
		t.Fatal(err)
	}
	end := len(bytes.TrimRight(whole, "\x00"))
	for i := range 25 {
		n := i * end / 25
		s.failsCleanly(fmt.Sprintf("%d of %d bytes", n, len(whole)), s.rawBase(fmt.Sprintf("cut-%d", i), whole[:n]), "cut-")
	}
	packed := gzipOf(t, whole)
	for i := 1; i < 10; i++ {
		n := i * len(packed) / 10
		s.failsCleanly(fmt.Sprintf("%d of %d packed bytes", n, len(packed)), s.rawBase(fmt.Sprintf("cut-packed-%d", i), packed[:n]), "unexpected EOF")
	}
	// Damage anywhere in a layer is found by its digest, elsewhere by what reads it;
	// padding may be anything.
	random := rand.New(rand.NewPCG(1, 2))
	for i := range 25 {
		damaged := bytes.Clone(whole)
		damaged[random.IntN(end)] ^= 0x55
		p := s.rawBase(fmt.Sprintf("damaged-%d", i), damaged)
		job := s.job(attrs{"imageName": "x", "fromImage": p.String()}, p)
		if err := (&Builder{}).Build(t.Context(), job); err == nil {
			validate(t, job.Dest["out"])
		} else if _, e := os.Lstat(job.Dest["out"]); e == nil {
			t.Errorf("%d: something was left after %v", i, err)
		}
	}
}

// TestBaseEscapes has layers that play tricks, in sound archives.
func TestBaseEscapes(t *testing.T) {
	s := redis(t)
	victim := filepath.Join(t.TempDir(), "victim")
	if err := os.WriteFile(victim, []byte("whole"), 0o644); err != nil {
		t.Fatal(err)
	}
	for i, c := range []struct {
		want    string
		headers []tar.Header
	}{
		{"leads out of the image", []tar.Header{{Name: "../../" + victim, Linkname: "x"}}},
		{"absolute", []tar.Header{{Name: victim, Linkname: "x"}}},
		{"leads out of the image", []tar.Header{{Typeflag: tar.TypeSymlink, Name: "l", Linkname: "../../../.."}, {Name: "l/" + victim, Linkname: "x"}}},
		{"hard link to", []tar.Header{{Typeflag: tar.TypeLink, Name: "h", Linkname: victim}}},
		{"not in the image", []tar.Header{{Typeflag: tar.TypeLink, Name: "h", Linkname: "../../../../" + victim}}},
		{"block device outside of /dev", []tar.Header{{Typeflag: tar.TypeBlock, Name: "etc/sda", Devmajor: 8}}},
		{"EOF", []tar.Header{{Typeflag: tar.TypeReg, Name: "huge", Size: 1 << 50}}},
	} {
		var buf bytes.Buffer
		tw := tar.NewWriter(&buf)
		for _, h := range c.headers {
			content := ""
			if h.Typeflag == 0 {
				content, h.Linkname, h.Size = h.Linkname, "", int64(len(h.Linkname))
			}
			h.Mode = 0o644
			if err := tw.WriteHeader(&h); err != nil {
				t.Fatal(err)
			}
			tw.Write([]byte(content))
		}
		tw.Flush()
		s.failsCleanly(c.want, s.rawBase(fmt.Sprintf("hostile-%d", i), saveOf(t, buf.Bytes(), "amd64")), c.want)
	}
	if data, err := os.ReadFile(victim); err != nil || string(data) != "whole" {
		t.Errorf("the file outside is %q, error %v", data, err)
	}
}

func gzipOf(t *testing.T, data []byte) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := gzip.NewWriter(&buf)
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// saveOf is an archive of docker save with one layer.
func saveOf(t *testing.T, layer []byte, arch string) []byte {
	t.Helper()
	config, err := json.Marshal(image.Config{Architecture: arch, OS: "linux", RootFS: image.RootFS{Type: "layers", DiffIDs: []image.Digest{image.Sum(layer)}}})
	if err != nil {
		t.Fatal(err)
	}
	var buf bytes.Buffer
	tw := tar.NewWriter(&buf)
	for _, f := range []struct {
		name string
		data []byte
	}{{"layer.tar", layer}, {"c.json", config}, {"manifest.json", []byte(`[{"Config":"c.json","RepoTags":["base:1"],"Layers":["layer.tar"]}]`)}} {
		tw.WriteHeader(&tar.Header{Name: f.name, Size: int64(len(f.data)), Mode: 0o644})
		tw.Write(f.data)
	}
	tw.Close()
	return buf.Bytes()
}
