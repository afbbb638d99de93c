package nar

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
)

// TestRestoreLarge restores files around the size of a piece among many small
// ones, and dumps them again.
func TestRestoreLarge(t *testing.T) {
	from := filepath.Join(t.TempDir(), "from")
	if err := os.Mkdir(from, 0o755); err != nil {
		t.Fatal(err)
	}
	rnd := rand.NewChaCha8([32]byte{3})
	for i, size := range []int{0, 1, pieceSize/16 + 1, pieceSize - 1, pieceSize, pieceSize + 1, 9*pieceSize + 5} {
		data := make([]byte, size)
		rnd.Read(data)
		for j := range 20 {
			if err := os.WriteFile(fmt.Sprintf("%s/%d-%02d", from, i, j), data, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	var first, second bytes.Buffer
	if err := Dump(&first, from); err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(t.TempDir(), "to")
	if err := Restore(bytes.NewReader(first.Bytes()), to); err != nil {
		t.Fatal(err)
	}
	if err := Dump(&second, to); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Error("another tree was restored")
	}
	// An archive that ends within a file, and one whose place is taken.
	if err := Restore(bytes.NewReader(first.Bytes()[:first.Len()-pieceSize]), to+"-short"); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("short archive: %v", err)
	}
	if err := Restore(bytes.NewReader(first.Bytes()), to); !errors.Is(err, fs.ErrExist) {
		t.Errorf("tree that exists: %v", err)
	}
	for name, content := range map[string]string{"small": "x", "large": string(make([]byte, 3*pieceSize))} {
		var one bytes.Buffer
		w := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(w, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := Dump(&one, w); err != nil {
			t.Fatal(err)
		}
		if err := Restore(&one, w); !errors.Is(err, fs.ErrExist) {
			t.Errorf("%s file that exists: %v", name, err)
		}
	}
}
