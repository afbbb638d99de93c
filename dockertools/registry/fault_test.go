package registry

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gonix/dockertools/image"

	"github.com/google/go-containerregistry/pkg/authn"
)

// TestPullFaults lets a registry that wants credentials, and the server of its
// tokens, fail for good at each request of a pull in turn. Every pull ends in an
// error that names the image, and the one after it succeeds.
func TestPullFaults(t *testing.T) {
	dir := t.TempDir()
	for _, v := range []string{"HOME", "DOCKER_CONFIG", "XDG_RUNTIME_DIR"} {
		t.Setenv(v, dir)
	}
	t.Setenv("REGISTRY_AUTH_FILE", "")
	for kind, fail := range failures {
		var scopes []string
		f := &faulty{fail: fail, first: never, last: never}
		host := serve(t, func(h http.Handler) http.Handler { f.next = tokens(&scopes)(h); return f })
		auths := fmt.Sprintf(`{"auths":{%q:{"auth":"bWU6c2VjcmV0"}}}`, host)
		if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte(auths), 0o600); err != nil {
			t.Fatal(err)
		}
		client := func() *Client {
			return &Client{Jobs: 1, Pause: time.Millisecond, Transport: &http.Transport{}, Keychain: authn.DefaultKeychain}
		}
		amd, arm := testImage(t, "amd64", testLayer(t, "x", nil), testLayer(t, strings.Repeat("y", 1<<20), nil)), testImage(t, "arm64")
		ref := host + "/app:1"
		if _, err := client().PushIndex(t.Context(), []*image.Image{amd, arm}, ref, ""); err != nil {
			t.Fatal(err)
		}
		pull := func() error {
			img, err := client().Pull(t.Context(), ref, "linux/amd64")
			if err != nil {
				return err
			}
			return image.Validate(img)
		}
		for step := 0; ; step++ {
			f.from(step)
			err := pull()
			seen := f.seen()
			f.from(never)
			if len(seen) <= step {
				if err != nil || step < 7 {
					t.Errorf("%s: a pull of %d steps, error %v", kind, step, err)
				}
				break
			}
			if err == nil || !strings.Contains(err.Error(), host) {
				t.Errorf("%s at step %d (%s): error %v", kind, step, seen[step], err)
			} else if strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "bWU6") || strings.Contains(err.Error(), "let-me-in") {
				t.Errorf("%s at step %d: the error tells the password: %v", kind, step, err)
			}
			if err := pull(); err != nil {
				t.Errorf("%s at step %d: the pull after it: %v", kind, step, err)
			}
		}
	}
}
