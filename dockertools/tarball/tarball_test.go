package tarball

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"

	"gonix/dockertools/image"
)

// makeStorePath lays out a small store path with every kind of file.
func makeStorePath(t testing.TB, umask int) string {
	t.Helper()
	old := syscall.Umask(umask)
	defer syscall.Umask(old)
	dir := filepath.Join(t.TempDir(), "p")
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.MkdirAll(filepath.Join(dir, "bin"), 0o755))
	must(os.MkdirAll(filepath.Join(dir, "bin-more"), 0o700))
	must(os.WriteFile(filepath.Join(dir, "bin", "tool"), []byte("#!/bin/sh\n"), 0o744))
	must(os.Link(filepath.Join(dir, "bin", "tool"), filepath.Join(dir, "bin", "tool2")))
	must(os.WriteFile(filepath.Join(dir, "a"), bytes.Repeat([]byte("x"), 700_000), 0o600))
	must(os.WriteFile(filepath.Join(dir, "empty"), nil, 0o640))
	must(os.WriteFile(filepath.Join(dir, strings.Repeat("n", 120)+"é"), []byte("long"), 0o644))
	must(os.Symlink("bin/tool", filepath.Join(dir, "link")))
	return dir
}

func packDir(t testing.TB, dir string, c Compression, cores int) ([]byte, Packed) {
	t.Helper()
	s := Stamp{Time: StoreTime}
	entries, err := StorePath(StoreDirs(s), "hash-p", dir, s)
	if err != nil {
		t.Fatal(err)
	}
	var buf bytes.Buffer
	packed, err := Pack(t.Context(), &buf, c, cores, Files(entries, nil))
	if err != nil {
		t.Fatal(err)
	}
	return buf.Bytes(), packed
}

func TestStorePathListing(t *testing.T) {
	data, _ := packDir(t, makeStorePath(t, 0o022), Compressions[0], 1)
	var got []string
	tr := tar.NewReader(bytes.NewReader(data))
	for {
		h, err := tr.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.Uname != "" || h.Gname != "" || h.Uid != 0 || h.Gid != 0 || h.ModTime.Unix() != StoreTime {
			t.Errorf("%s: owner %q:%q %d:%d time %v", h.Name, h.Uname, h.Gname, h.Uid, h.Gid, h.ModTime)
		}
		got = append(got, fmt.Sprintf("%c %04o %d %s %s", h.Typeflag, h.Mode, h.Size, h.Name, h.Linkname))
	}
	p := "nix/store/hash-p"
	want := []string{
		"5 0755 0 nix/ ",
		"5 0755 0 nix/store/ ",
		"5 0555 0 " + p + "/ ",
		"0 0444 700000 " + p + "/a ",
		"5 0555 0 " + p + "/bin/ ",
		"0 0555 10 " + p + "/bin/tool ",
		"0 0555 10 " + p + "/bin/tool2 ",
		"5 0555 0 " + p + "/bin-more/ ",
		"0 0444 0 " + p + "/empty ",
		"2 0777 0 " + p + "/link bin/tool",
		"0 0444 4 " + p + "/" + strings.Repeat("n", 120) + "é ",
	}
	if d := cmp.Diff(sortedByCompare(want[2:]), sortedByCompare(got[2:])); d != "" {
		t.Error(d)
	}
	if got[0] != want[0] || got[1] != want[1] {
		t.Errorf("begins with %q", got[:2])
	}
}

func sortedByCompare(s []string) []string {
	s = slices.Clone(s)
	slices.Sort(s)
	return s
}

// TestSameBytes packs under different circumstances and compares with one golden digest.
func TestSameBytes(t *testing.T) {
	golden := map[string]string{
		"none": "e7f1c026ac63d9d5e2745fc6692ba5b0482cc21624f88a8fe18354de1945e85e",
		"gz":   "66795df9d3a57424b4bed2480280ec19c36c2926e147c232df2cbd57e10f6a7f",
		"zstd": "a4893d496ae0915291a7399ff7898f95484b19e68d25635cf487d52870732246",
	}
	for _, c := range Compressions {
		var first Packed
		for i, around := range []struct {
			umask, procs, cores int
			tz                  string
		}{{0o022, 1, 1, "UTC"}, {0o077, 2, 2, "Asia/Tokyo"}, {0, 8, 8, "America/New_York"}, {0o022, 3, 5, "UTC"}} {
			old := runtime.GOMAXPROCS(around.procs)
			t.Setenv("TZ", around.tz)
			data, packed := packDir(t, makeStorePath(t, around.umask), c, around.cores)
			runtime.GOMAXPROCS(old)
			if image.Sum(data) != packed.Digest || int64(len(data)) != packed.Size {
				t.Fatalf("%s: digest or size do not fit the bytes", c.Name)
			}
			if i == 0 {
				first = packed
			} else if packed != first {
				t.Errorf("%s: %+v gives %+v, not %+v", c.Name, around, packed, first)
			}
			plain := unpack(t, c.Name, data)
			if image.Sum(plain) != packed.DiffID || int64(len(plain)) != packed.UnpackedSize {
				t.Errorf("%s: diffID or unpacked size do not fit the bytes", c.Name)
			}
		}
		if want := golden[c.Name]; first.Digest.Hex() != want {
			t.Errorf("%s: digest %s, expected %s", c.Name, first.Digest.Hex(), want)
		}
	}
}

func unpack(t testing.TB, name string, data []byte) []byte {
	t.Helper()
	var r io.Reader = bytes.NewReader(data)
	var err error
	switch name {
	case "gz":
		// The standard library's reader, so that not only our own understands it.
		r, err = gzip.NewReader(r)
	case "zstd":
		r, err = zstd.NewReader(r)
	}
	if err != nil {
		t.Fatal(err)
	}
	out, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestCompressionSizes compresses inputs around the block size on several
// cores, written in odd pieces.
func TestCompressionSizes(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for _, size := range []int{0, 1, gzipBlock - 1, gzipBlock, gzipBlock + 1, 3*gzipBlock + 17, zstdBlock + 5} {
		in := make([]byte, size)
		for i := range in {
			in[i] = "abcdefgh"[rnd.IntN(8)]
		}
		for _, c := range Compressions {
			var sums [][32]byte
			for _, cores := range []int{1, 2, 7} {
				var buf bytes.Buffer
				_, err := Pack(t.Context(), &buf, c, cores, func(_ context.Context, w io.Writer) error {
					for p := in; len(p) > 0; {
						n := min(len(p), 1+rnd.IntN(300_000))
						if _, err := w.Write(p[:n]); err != nil {
							return err
						}
						p = p[n:]
					}
					return nil
				})
				if err != nil {
					t.Fatal(err)
				}
				sums = append(sums, sha256.Sum256(buf.Bytes()))
				if !bytes.Equal(unpack(t, c.Name, buf.Bytes()), in) {
					t.Errorf("%s, %d bytes: other bytes come out", c.Name, size)
				}
			}
			if sums[0] != sums[1] || sums[0] != sums[2] {
				t.Errorf("%s, %d bytes: the output depends on the cores", c.Name, size)
			}
		}
	}
}

// TestLayersInOrder packs several layers with one packer: each has the bytes that
// it has alone.
func TestLayersInOrder(t *testing.T) {
	sizes := []int{3 * gzipBlock, 0, 5, zstdBlock + 1, 17, gzipBlock}
	fill := func(i int) Fill {
		return func(_ context.Context, w io.Writer) error {
			_, err := w.Write(bytes.Repeat([]byte{byte(i), 'x'}, sizes[i]/2))
			return err
		}
	}
	for _, c := range Compressions {
		var fills []Fill
		for i := range sizes {
			fills = append(fills, fill(i))
		}
		p := NewPacker(t.Context(), c, 3, fills)
		for i := range sizes {
			var alone, together bytes.Buffer
			want, err := Pack(t.Context(), &alone, c, 1, fill(i))
			if err != nil {
				t.Fatal(err)
			}
			got, err := p.Next(&together)
			if err != nil || got != want || !bytes.Equal(alone.Bytes(), together.Bytes()) {
				t.Errorf("%s, layer %d: %+v and %v, expected %+v", c.Name, i, got, err, want)
			}
		}
		p.Close()
		// One that nobody waits for ends.
		NewPacker(t.Context(), c, 3, fills).Close()
	}
}

func TestFailingFill(t *testing.T) {
	bad := errors.New("bad")
	good := func(_ context.Context, w io.Writer) error { _, err := w.Write([]byte("x")); return err }
	p := NewPacker(t.Context(), Compressions[1], 2, []Fill{good, func(_ context.Context, w io.Writer) error {
		w.Write(make([]byte, 3*gzipBlock))
		return bad
	}, good})
	defer p.Close()
	if _, err := p.Next(io.Discard); err != nil {
		t.Error(err)
	}
	if _, err := p.Next(io.Discard); !errors.Is(err, bad) {
		t.Errorf("error %v", err)
	}
}

func TestHeaderForms(t *testing.T) {
	for _, c := range []struct {
		name  string
		entry Entry
		bytes int
	}{
		{"plain", Entry{Name: "etc/passwd", Mode: 0o644, Time: LayerTime}, 512},
		{"setuid", Entry{Name: "bin/su", Mode: 0o4755, UID: 999, GID: 999}, 512},
		{"device", Entry{Name: "dev/null", Kind: CharDevice, Mode: 0o666, Major: 1, Minor: 3}, 512},
		{"name of 200 bytes that splits", Entry{Name: strings.Repeat("d", 120) + "/" + strings.Repeat("f", 79)}, 512},
		{"name that does not split", Entry{Name: strings.Repeat("f", 120)}, 3 * 512},
		{"large owner", Entry{Name: "x", UID: 1 << 30}, 3 * 512},
		{"capability", Entry{Name: "x", Xattrs: map[string]string{"security.capability": "\x01\x00\x00\x02"}}, 3 * 512},
	} {
		got, err := encodedHeader(&c.entry)
		if err != nil || len(got) != c.bytes {
			t.Errorf("%s: %d bytes and error %v, expected %d bytes", c.name, len(got), err, c.bytes)
		}
	}
}

func TestChangedFile(t *testing.T) {
	f := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(f, []byte("12345"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, size := range []int64{4, 6} {
		err := Write(t.Context(), io.Discard, []Entry{{Name: "f", Source: f, Size: size}})
		if err == nil || !strings.Contains(err.Error(), "changed while it was packed") {
			t.Errorf("size %d: error %v", size, err)
		}
	}
}

type fullDisk struct{ left int }

func (d *fullDisk) Write(p []byte) (int, error) {
	if d.left -= len(p); d.left < 0 {
		return 0, syscall.ENOSPC
	}
	return len(p), nil
}

func TestFailingOutput(t *testing.T) {
	for _, c := range Compressions {
		var given int64
		_, err := Pack(t.Context(), &fullDisk{1 << 20}, c, 2, func(_ context.Context, w io.Writer) error {
			rnd := rand.NewChaCha8([32]byte{})
			n, err := io.Copy(w, io.LimitReader(rnd, 1<<30))
			given = n
			return err
		})
		if !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("%s: error %v", c.Name, err)
		}
		if given > 200<<20 {
			t.Errorf("%s: went on for %d bytes after the disk was full", c.Name, given)
		}
	}
}

func TestCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	f := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(f, make([]byte, 1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	entries := slices.Repeat([]Entry{{Name: "f", Source: f, Size: 1 << 20}}, 100)
	if err := Write(ctx, io.Discard, entries); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func TestCompare(t *testing.T) {
	want := []string{"a", "a/b", "a/b/c", "a/b-c", "a-b", "a.b", "ab", "b"}
	got := []string{"ab", "a-b", "a/b-c", "b", "a/b/c", "a", "a.b", "a/b"}
	slices.SortFunc(got, Compare)
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// BenchmarkPack packs a tree of 200 MB like a closure: some large libraries and
// many small files, of which half compresses well.
func BenchmarkPack(b *testing.B) {
	dir := filepath.Join(b.TempDir(), "p")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		b.Fatal(err)
	}
	rnd := rand.NewChaCha8([32]byte{1})
	total := int64(0)
	write := func(name string, size int) {
		data := make([]byte, size)
		rnd.Read(data[:size/3])
		for i := size / 3; i < size; i++ {
			data[i] = "etaoin shrdlu\n"[(i*i/7+i>>9)%14]
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			b.Fatal(err)
		}
		total += int64(size)
	}
	for i := range 15 {
		write(fmt.Sprintf("lib%02d.so", i), 10<<20)
	}
	for i := range 5000 {
		write(fmt.Sprintf("f%04d", i), 10<<10)
	}
	for _, c := range Compressions {
		b.Run(c.Name, func(b *testing.B) {
			out, err := os.Create(filepath.Join(b.TempDir(), "out"))
			if err != nil {
				b.Fatal(err)
			}
			defer out.Close()
			b.SetBytes(total)
			for b.Loop() {
				out.Seek(0, io.SeekStart)
				s := Stamp{Time: StoreTime}
				entries, err := StorePath(StoreDirs(s), "hash-p", dir, s)
				if err != nil {
					b.Fatal(err)
				}
				packed, err := Pack(b.Context(), out, c, runtime.GOMAXPROCS(0), Files(entries, nil))
				if err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(packed.Size)/float64(packed.UnpackedSize), "ratio")
			}
		})
	}
}
