package registry

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// dockerRegistry runs Debian's docker-registry on a port of its own.
func dockerRegistry(t *testing.T) string {
	t.Helper()
	program, err := exec.LookPath("docker-registry")
	if err != nil {
		if os.Getenv("GONIX_TEST_FULL") == "1" {
			t.Fatal("docker-registry is not installed")
		}
		t.Skip("docker-registry is not installed")
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	host := free.Addr().String()
	free.Close()
	dir := t.TempDir()
	config := filepath.Join(dir, "config.yml")
	text := fmt.Sprintf("version: 0.1\nlog: {level: error}\nstorage: {filesystem: {rootdirectory: %q}}\nhttp: {addr: %q}\n", filepath.Join(dir, "data"), host)
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "serve", config)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() { cmd.Process.Kill(); <-ended })
	for range 100 {
		if resp, err := http.Get("http://" + host + "/v2/"); err == nil {
			resp.Body.Close()
			// Somebody else may answer at the port, while ours could not have it.
			select {
			case err := <-ended:
				ended <- err
				t.Fatalf("docker-registry ended: %v", err)
			case <-time.After(50 * time.Millisecond):
			}
			return host
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatal("docker-registry does not answer")
	return ""
}

// TestDockerRegistry pushes to the registry that most people run.
func TestDockerRegistry(t *testing.T) {
	host := dockerRegistry(t)
	c := &Client{}
	img := testImage(t, "amd64", testLayer(t, "one", nil), testLayer(t, strings.Repeat("two", 1_000_000), nil))
	for _, s := range []struct {
		ref, from                  string
		uploaded, mounted, present int
	}{
		{"/app/x:1", "", 3, 0, 0}, {"/app/x:1", "", 0, 0, 3}, {"/app/x:2", "", 0, 0, 3}, {"/other/y:1", "/app/x", 1, 2, 0},
	} {
		from := s.from
		if from != "" {
			from = host + from
		}
		r, err := c.Push(t.Context(), img, host+s.ref, from)
		if err != nil || r.Uploaded != s.uploaded || r.Mounted != s.mounted || r.Present != s.present {
			t.Errorf("%s: %+v, error %v", s.ref, r, err)
		}
		whole(t, host+s.ref, img.Digest())
	}
}
