package dockertools

import (
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// TestFullDisk packs to a file system that is too small.
func TestFullDisk(t *testing.T) {
	s := redis(t)
	noise := make([]byte, 1<<20)
	random := rand.NewChaCha8([32]byte{})
	random.Read(noise)
	s.add("noise", files{"noise": string(noise)})
	for _, a := range []attrs{
		{"imageName": "x", "contents": []string{made("noise").String()}},
		layered(attrs{"contents": []string{made("noise").String()}}),
		layered(attrs{"compressor": "none", "contents": []string{made("noise").String()}}),
	} {
		job := s.job(a, made("noise"))
		small := filepath.Join(t.TempDir(), "small")
		if err := os.Mkdir(small, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := unix.Mount("tmpfs", small, "tmpfs", 0, "size=256k"); err != nil {
			if os.Getenv("GONIX_TEST_FULL") == "1" && os.Getuid() == 0 {
				t.Fatal(err)
			}
			t.Skipf("a small file system cannot be mounted: %v", err)
		}
		job.Dest["out"] = filepath.Join(small, "out")
		err := (&Builder{}).Build(t.Context(), job)
		left, readErr := os.ReadDir(small)
		if e := unix.Unmount(small, 0); e != nil {
			t.Error(e)
		}
		if !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("error %v", err)
		}
		if readErr != nil || len(left) > 0 {
			t.Errorf("left %v, error %v", left, readErr)
		}
	}
}
