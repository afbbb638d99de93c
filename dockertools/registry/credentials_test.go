package registry

import (
	"encoding/json"
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

// tokens is a registry that wants a token, which it gives out for a user and a
// password at /token, as Docker Hub and most others do. It notes the scopes.
func tokens(scopes *[]string) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/token" {
				if user, password, ok := r.BasicAuth(); !ok || user != "me" || password != "secret" {
					w.WriteHeader(http.StatusUnauthorized)
					return
				}
				*scopes = append(*scopes, r.URL.Query()["scope"]...)
				json.NewEncoder(w).Encode(map[string]string{"token": "let-me-in"})
				return
			}
			if r.Header.Get("Authorization") != "Bearer let-me-in" {
				w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Bearer realm="http://%s/token",service="test"`, r.Host))
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}

// TestTokens pushes an index, attaches a document and pulls with credentials that
// docker login or podman login have noted.
func TestTokens(t *testing.T) {
	var scopes []string
	host := serve(t, tokens(&scopes))
	auths := fmt.Sprintf(`{"auths":{%q:{"auth":"bWU6c2VjcmV0"}}}`, host)
	for _, place := range []struct{ name, variable, file string }{
		{"docker", "DOCKER_CONFIG", "config.json"},
		{"podman", "XDG_RUNTIME_DIR", "containers/auth.json"},
		{"podman's file", "REGISTRY_AUTH_FILE", ""},
	} {
		t.Run(place.name, func(t *testing.T) {
			dir := t.TempDir()
			for _, v := range []string{"HOME", "DOCKER_CONFIG", "XDG_RUNTIME_DIR"} {
				t.Setenv(v, filepath.Join(dir, "none"))
			}
			t.Setenv("REGISTRY_AUTH_FILE", "")
			value, file := dir, filepath.Join(dir, place.file)
			if place.file == "" {
				value = filepath.Join(dir, "auth.json")
				file = value
			}
			t.Setenv(place.variable, value)
			if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, []byte(auths), 0o600); err != nil {
				t.Fatal(err)
			}
			c := &Client{Pause: time.Millisecond, Keychain: authn.DefaultKeychain}
			amd, arm := testImage(t, "amd64", testLayer(t, "x", nil)), testImage(t, "arm64", testLayer(t, "y", nil))
			ref := host + "/app:1"
			if _, err := c.PushIndex(t.Context(), []*image.Image{amd, arm}, ref, ""); err != nil {
				t.Fatal(err)
			}
			if _, err := c.Attach(t.Context(), arm, ref, Document{MediaType: "a/b", Data: []byte("x")}); err != nil {
				t.Error(err)
			}
			if list, err := c.Referrers(t.Context(), ref, arm.Digest()); err != nil || len(list) != 1 {
				t.Errorf("%v, error %v", list, err)
			}
			got, err := c.Pull(t.Context(), ref, "linux/arm64")
			if err != nil {
				t.Fatal(err)
			}
			if err := image.Validate(got); err != nil || got.Digest() != arm.Digest() {
				t.Errorf("pulled %s, error %v", got.Digest(), err)
			}
			if err := os.WriteFile(file, []byte(strings.Replace(auths, "bWU6c2VjcmV0", "bWU6d3Jvbmc=", 1)), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := c.Pull(t.Context(), ref, "linux/arm64"); err == nil || !strings.Contains(err.Error(), "log in with 'docker login "+host) || strings.Contains(err.Error(), "wrong") {
				t.Errorf("with a wrong password: %v", err)
			}
		})
	}
	if all := strings.Join(scopes, " "); !strings.Contains(all, "repository:app:push,pull") || !strings.Contains(all, "repository:app:pull") {
		t.Errorf("scopes %s", all)
	}
}

// TestIndexDockerRegistry pushes an index to the registry that most people run.
func TestIndexDockerRegistry(t *testing.T) {
	host := dockerRegistry(t)
	c := &Client{}
	amd, arm := testImage(t, "amd64", testLayer(t, "x", nil)), testImage(t, "arm64", testLayer(t, "y", nil))
	for i, uploaded := range []int{4, 0} {
		r, err := c.PushIndex(t.Context(), []*image.Image{amd, arm}, host+"/app:1", "")
		if err != nil || r.Uploaded != uploaded {
			t.Errorf("push %d: %+v, error %v", i+1, r, err)
		}
	}
	for platform, want := range map[string]*image.Image{"linux/amd64": amd, "linux/arm64": arm} {
		got, err := c.Pull(t.Context(), host+"/app:1", platform)
		if err != nil || got.Digest() != want.Digest() {
			t.Fatalf("%s: error %v", platform, err)
		}
		if err := image.Validate(got); err != nil {
			t.Error(err)
		}
	}
}
