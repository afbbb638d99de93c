package dockertools

import (
	"archive/tar"
	"bytes"
	"runtime"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// TestBombs has bases of two megabytes and less that unpack to 2 GiB. They end
// with an error at a bound that their size sets, in little memory, whether the
// header of the file in them says how long it is or lies.
func TestBombs(t *testing.T) {
	const members = 32
	zeros := make([]byte, 64<<20)
	z, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	if err != nil {
		t.Fatal(err)
	}
	// Members of gzip and frames of zstd follow one another.
	bomb := func(pack func([]byte) []byte, declared int64) []byte {
		var head bytes.Buffer
		tw := tar.NewWriter(&head)
		if err := tw.WriteHeader(&tar.Header{Name: "layer.tar", Mode: 0o644, Size: declared}); err != nil {
			t.Fatal(err)
		}
		if declared == 1 {
			head.Write(make([]byte, 512))
		}
		return append(pack(head.Bytes()), bytes.Repeat(pack(zeros), members)...)
	}
	gz := func(data []byte) []byte { return gzipOf(t, data) }
	zs := func(data []byte) []byte { return z.EncodeAll(data, nil) }
	s := redis(t)
	for _, c := range []struct {
		name string
		data []byte
	}{
		{"gz-layer", saveOf(t, bomb(gz, 2<<30), "amd64")},
		{"zstd-layer-that-lies", saveOf(t, bomb(zs, 1), "amd64")},
		{"zstd-archive", bomb(zs, 2<<30)},
	} {
		if len(c.data) > 3<<20 {
			t.Fatalf("%s: %d bytes", c.name, len(c.data))
		}
		base := s.rawBase(c.name, c.data)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		s.leavesNothing(c.name, layered(attrs{"fromImage": base.String()}), base, "bytes unpack to more than")
		runtime.ReadMemStats(&after)
		if grown := int64(after.HeapSys) - int64(before.HeapSys); grown > 200<<20 {
			t.Errorf("%s: the heap has grown by %d MB", c.name, grown>>20)
		}
	}
}
