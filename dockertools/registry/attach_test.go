package registry

import (
	"context"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"gonix/dockertools/image"

	served "github.com/google/go-containerregistry/pkg/registry"
)

// attachTwice attaches two documents, one of them twice, and reads them back.
func attachTwice(t *testing.T, host string) {
	t.Helper()
	c := &Client{Pause: time.Millisecond}
	img := testImage(t, "amd64", testLayer(t, "x", nil))
	ref := host + "/app/x:1"
	if _, err := c.Push(t.Context(), img, ref, ""); err != nil {
		t.Fatal(err)
	}
	if list, err := c.Referrers(t.Context(), ref, img.Digest()); err != nil || len(list) != 0 {
		t.Errorf("before: %v, error %v", list, err)
	}
	one := Document{MediaType: "application/spdx+json", Data: []byte(`{"a":1}`)}
	two := Document{MediaType: "application/vnd.in-toto+json", Data: []byte(`{"b":2}`), Annotations: map[string]string{"k": "v"}}
	var digests []image.Digest
	for _, d := range []Document{one, two, one} {
		digest, err := c.Attach(t.Context(), img, ref, d)
		if err != nil {
			t.Fatal(err)
		}
		digests = append(digests, digest)
	}
	if digests[0] != digests[2] {
		t.Errorf("attached again: %v", digests)
	}
	list, err := c.Referrers(t.Context(), ref, img.Digest())
	if err != nil || len(list) != 2 {
		t.Fatalf("after: %v, error %v", list, err)
	}
	for _, r := range list {
		want := one
		if r.Digest == digests[1] {
			want = two
		}
		if r.ArtifactType != want.MediaType {
			t.Errorf("%+v", r)
		}
		got, err := c.Fetch(t.Context(), ref, r.Digest)
		if err != nil || got.MediaType != want.MediaType || string(got.Data) != string(want.Data) || got.Annotations["k"] != want.Annotations["k"] {
			t.Errorf("%+v, error %v", got, err)
		}
	}
	whole(t, ref, img.Digest())
}

func TestAttach(t *testing.T) {
	attachTwice(t, serve(t, nil))
	// Without the referrers API, and so with the tag.
	s := httptest.NewServer(served.New(served.Logger(log.New(io.Discard, "", 0)), served.WithReferrersSupport(false)))
	t.Cleanup(s.Close)
	attachTwice(t, strings.TrimPrefix(s.URL, "http://"))
}

func TestAttachDockerRegistry(t *testing.T) { attachTwice(t, dockerRegistry(t)) }

// TestAttachFaults lets a registry fail at each request in turn.
func TestAttachFaults(t *testing.T) {
	for step := 0; ; step++ {
		f := &faulty{fail: failures["500"]}
		host := serve(t, func(h http.Handler) http.Handler { f.next = h; return f })
		c := &Client{Jobs: 1, Pause: time.Millisecond, Transport: &http.Transport{}}
		img := testImage(t, "amd64", testLayer(t, "x", nil))
		if _, err := c.Push(t.Context(), img, host+"/app:1", ""); err != nil {
			t.Fatal(err)
		}
		f.from(step)
		_, err := c.Attach(t.Context(), img, host+"/app:1", Document{MediaType: "a/b", Data: []byte("x")})
		seen := f.seen()
		if len(seen) <= step {
			if err != nil || step < 5 {
				t.Errorf("%d steps, error %v", step, err)
			}
			return
		}
		if err == nil || !strings.HasPrefix(err.Error(), "attach to "+host+"/app:1: ") {
			t.Errorf("step %d (%s): error %v", step, seen[step], err)
		}
	}
}

func TestAttachCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	c := &Client{Pause: time.Millisecond}
	if _, err := c.Attach(ctx, testImage(t, "amd64"), serve(t, nil)+"/x", Document{MediaType: "a/b"}); err == nil {
		t.Error("no error")
	}
}
