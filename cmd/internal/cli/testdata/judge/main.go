// Command judge reads the image in an archive with go-containerregistry, whose code
// agrees with ours by no common mistake, and validates it as crane does. An archive is
// what docker save writes or the tar of an OCI layout.
package main

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

func main() {
	for _, name := range os.Args[1:] {
		if err := judge(name); err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
			os.Exit(1)
		}
	}
}

// judge validates both forms that an archive has, or the one.
func judge(name string) error {
	dir, err := os.MkdirTemp("", "judge")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := unpack(name, dir); err != nil {
		return err
	}
	forms := 0
	if _, err := os.Stat(filepath.Join(dir, "index.json")); err == nil {
		forms++
		zstd, err := judgeLayout(dir)
		if err != nil || zstd {
			return err // what docker save writes does not say that layers are zstd
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "manifest.json")); err == nil {
		forms++
		img, err := tarball.ImageFromPath(name, nil)
		if err == nil {
			_, err = check(img)
		}
		if err != nil {
			return err
		}
	}
	if forms == 0 {
		return errors.New("it is no image")
	}
	return nil
}

// judgeLayout validates all images of an OCI layout, and says whether one of them has
// layers that are zstd.
func judgeLayout(dir string) (zstd bool, err error) {
	index, err := layout.ImageIndexFromPath(dir)
	if err != nil {
		return false, err
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		return false, err
	}
	if len(manifest.Manifests) == 0 {
		return false, errors.New("it has no image")
	}
	for _, d := range manifest.Manifests {
		img, err := index.Image(d.Digest)
		if err != nil {
			return false, err
		}
		z, err := check(img)
		if err != nil {
			return false, err
		}
		zstd = zstd || z
	}
	return zstd, nil
}

// check validates an image, but not what is in its layers unless all are gzip, which
// alone the library unpacks.
func check(img v1.Image) (zstd bool, err error) {
	layers, err := img.Layers()
	if err != nil {
		return false, err
	}
	var options []validate.Option
	for _, l := range layers {
		t, err := l.MediaType()
		if err != nil {
			return false, err
		}
		if !strings.HasSuffix(string(t), "gzip") {
			options = []validate.Option{validate.Fast}
		}
		zstd = zstd || strings.HasSuffix(string(t), "zstd")
	}
	return zstd, validate.Image(img, options...)
}

func unpack(name, dir string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	for r := tar.NewReader(f); ; {
		h, err := r.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if h.Typeflag != tar.TypeReg || !filepath.IsLocal(h.Name) {
			continue
		}
		path := filepath.Join(dir, h.Name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return err
		}
		data, err := io.ReadAll(r)
		if err == nil {
			err = os.WriteFile(path, data, 0o600)
		}
		if err != nil {
			return err
		}
	}
}
