package dockertools

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"gonix/dockertools/image"
)

// TestSameEverywhere builds the same images under surroundings that must not
// show: umasks, time zones, languages, processors, folders for temporary files.
// The main job of CI compares what root and another user make.
func TestSameEverywhere(t *testing.T) {
	zone, processors := time.Local, runtime.GOMAXPROCS(0)
	mask := syscall.Umask(0o022)
	t.Cleanup(func() {
		syscall.Umask(mask)
		time.Local = zone
		runtime.GOMAXPROCS(processors)
	})
	kinds := map[string]attrs{
		"plain": {"imageName": "x", "imageTag": "1", "contents": []string{made("server").String()},
			"config": attrs{"Cmd": []string{made("entry").String()}, "Env": []string{"B=1", "A=2"}}},
		"layered": layered(attrs{"contents": []string{made("server").String(), made("big").String()},
			"config": attrs{"Cmd": []string{made("entry").String()}}}),
		"zstd": layered(attrs{"compressor": "zstd", "contents": []string{made("big").String()}}),
	}
	first := map[string]image.Digest{}
	for i := range 20 {
		umask := []int{0o022, 0o077, 0o002, 0}[i%4]
		time.Local = time.FixedZone("test", (i-10)*3600)
		t.Setenv("TZ", []string{"UTC", "Asia/Tokyo", "America/New_York"}[i%3])
		t.Setenv("LANG", []string{"C", "tr_TR.UTF-8", "de_DE.ISO-8859-1"}[i%3])
		tmp := filepath.Join(t.TempDir(), strings.Repeat("x", i+1))
		if err := os.Mkdir(tmp, 0o700); err != nil {
			t.Fatal(err)
		}
		t.Setenv("TMPDIR", tmp)
		// A store of its own: files lie elsewhere, with other inodes.
		s := redis(t)
		s.add("big", files{"a": strings.Repeat("some text that compresses ", 40_000), "b/c": strings.Repeat("x", 100_000), "b/d": "-> c"})
		for name, a := range kinds {
			job := s.job(a, made("server"), made("entry"), made("big"))
			job.Cores = []int{1, 2, 8}[i%3]
			runtime.GOMAXPROCS([]int{1, 2, 8}[(i/3)%3])
			syscall.Umask(umask)
			err := (&Builder{}).Build(t.Context(), job)
			syscall.Umask(0o022)
			if err != nil {
				t.Fatal(err)
			}
			data, err := os.ReadFile(job.Dest["out"])
			if err != nil {
				t.Fatal(err)
			}
			digest := image.Sum(data)
			if first[name] == "" {
				first[name] = digest
			}
			if digest != first[name] {
				t.Errorf("%s differs in the surroundings %s", name, fmt.Sprintf("%d: umask %03o, %d cores", i, umask, job.Cores))
			}
		}
		if left, err := os.ReadDir(tmp); err != nil || len(left) > 0 {
			t.Errorf("%d: left in TMPDIR: %v, error %v", i, left, err)
		}
	}
}
