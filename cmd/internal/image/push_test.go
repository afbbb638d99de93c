package image

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"

	"gonix/dockertools/archive"
	"gonix/dockertools/image"

	"golang.org/x/sys/unix"
)

// TestWriteArchive writes to a new file and to one that is there, which are replaced
// as a whole, and to a pipe, which stays one.
func TestWriteArchive(t *testing.T) {
	data := []byte("layer")
	layer := image.Layer{
		Descriptor: image.Descriptor{MediaType: image.MediaTypeLayer, Digest: image.Sum(data), Size: int64(len(data))}, DiffID: image.Sum(data),
		Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil },
	}
	img, err := image.New(image.Config{}, []image.Layer{layer})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file, pipe := filepath.Join(dir, "file"), filepath.Join(dir, "pipe")
	for range 2 {
		if err := writeArchive(file, archive.Tagged{Image: img}); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	got := make(chan []byte)
	go func() {
		data, _ := os.ReadFile(pipe)
		got <- data
	}()
	if err := writeArchive(pipe, archive.Tagged{Image: img}); err != nil {
		t.Error(err)
	}
	if !bytes.Equal(<-got, want) {
		t.Error("the pipe got something else")
	}
	layer.Open = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(nil)), nil }
	if img, err = image.New(image.Config{}, []image.Layer{layer}); err != nil {
		t.Fatal(err)
	}
	if err := writeArchive(file, archive.Tagged{Image: img}); err == nil {
		t.Error("a layer without its bytes was written")
	}
	if again, err := os.ReadFile(file); err != nil || !bytes.Equal(again, want) {
		t.Errorf("the file is another one, error %v", err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 2 {
		t.Errorf("left %v, error %v", left, err)
	}
	if info, err := os.Lstat(pipe); err != nil || info.Mode().IsRegular() {
		t.Errorf("the pipe is %v, error %v", info, err)
	}
}
