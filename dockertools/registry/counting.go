package registry

import (
	"io"
	"net/http"
	"strings"
	"sync/atomic"
)

// counting counts what requests do to blobs, by the requests of the OCI
// distribution specification, sections "Pushing a blob" and "Mounting".
type counting struct {
	base                       http.RoundTripper
	uploaded, mounted, present atomic.Int64
	bytes                      atomic.Int64
}

func (c *counting) RoundTrip(req *http.Request) (*http.Response, error) {
	upload := strings.Contains(req.URL.Path, "/blobs/uploads/") || req.URL.Query().Get("digest") != ""
	if req.Method == http.MethodPatch && req.Body != nil {
		// The transport may not change the caller's request.
		req = req.Clone(req.Context())
		req.Body = &countedBody{req.Body, &c.bytes}
	}
	resp, err := c.base.RoundTrip(req)
	if err != nil {
		return resp, err
	}
	switch {
	case req.Method == http.MethodHead && strings.Contains(req.URL.Path, "/blobs/") && resp.StatusCode == http.StatusOK:
		c.present.Add(1)
	case req.Method == http.MethodPost && upload && resp.StatusCode == http.StatusCreated:
		c.mounted.Add(1)
	case req.Method == http.MethodPut && upload && resp.StatusCode == http.StatusCreated:
		c.uploaded.Add(1)
	}
	return resp, nil
}

func (c *counting) totals() (uploaded, mounted, present int, bytes int64) {
	return int(c.uploaded.Load()), int(c.mounted.Load()), int(c.present.Load()), c.bytes.Load()
}

func (c *counting) empty() bool {
	return c.uploaded.Load() == 0 && c.mounted.Load() == 0 && c.present.Load() == 0
}

type countedBody struct {
	io.ReadCloser
	n *atomic.Int64
}

func (b *countedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.n.Add(int64(n))
	return n, err
}
