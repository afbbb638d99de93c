// Package layercache keeps finished layers in a folder of the user's, so that an
// image that changed in one store path has only that layer packed again.
//
// An entry is a file of its own, named after the key of what went into the layer:
// a block that says what the layer is, then the layer, unless only the former is
// wanted. It appears under its name when it is complete, so that whoever is
// killed, or works at the same time, leaves nothing half-done behind. What is
// read is checked against its digest; an entry that is damaged is removed and
// made again. Nothing depends on the cache: whatever goes wrong in it, the layer
// is packed.
package layercache

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"gonix/dockertools/image"
	"gonix/dockertools/tarball"
)

const (
	headSize = 512
	magic    = "gonix layer 1"
	// unfinished is how the names of entries begin that are being written.
	unfinished = "new-"
	// abandoned is how long nobody has written to one of those that nobody will.
	abandoned = time.Hour
	// MaxAge is how long an entry that is not used stays.
	MaxAge = 30 * 24 * time.Hour
	// DefaultLimit bounds the bytes of all entries together.
	DefaultLimit = 4 << 30
)

// Cache is a folder of layers.
type Cache struct {
	dir   string
	limit int64
	now   func() time.Time
}

// New returns the cache in dir, which is made when it is needed. It holds no
// more than limit bytes once [Cache.Trim] has looked at it.
func New(dir string, limit int64, now func() time.Time) *Cache {
	return &Cache{dir: dir, limit: limit, now: now}
}

// Key names what a layer is made of: everything that its bytes depend on.
func Key(parts ...string) string {
	sum := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(sum, "%d:%s", len(p), p)
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// Entry is a layer of the cache, open for reading.
type Entry struct {
	// Packed is what the layer is.
	Packed tarball.Packed
	file   *os.File
}

// Get opens the entry of key, or returns nil. An entry counts as used from then
// on. With its bytes it is asked for by blob.
func (c *Cache) Get(key string, blob bool) *Entry {
	if c == nil {
		return nil
	}
	f, err := os.Open(filepath.Join(c.dir, key))
	if err != nil {
		return nil
	}
	e := &Entry{file: f}
	if e.Packed, err = readHead(f, key, blob); err != nil {
		e.Discard()
		return nil
	}
	now := c.now()
	os.Chtimes(f.Name(), now, now) // of use to Trim only
	return e
}

// ErrDamaged is why an entry cannot be used.
var ErrDamaged = errors.New("layer of the cache is damaged")

// CopyTo writes the layer to w, checking its digest. Whatever was written is to
// be thrown away after an error; [ErrDamaged] says that the entry is to blame.
func (e *Entry) CopyTo(w io.Writer) error {
	sum := sha256.New()
	buf := make([]byte, 1<<20)
	for left := e.Packed.Size; left > 0; {
		n, err := io.ReadFull(e.file, buf[:min(left, int64(len(buf)))])
		if err != nil {
			return fmt.Errorf("%w: %w", ErrDamaged, err)
		}
		sum.Write(buf[:n])
		if _, err := w.Write(buf[:n]); err != nil {
			return err
		}
		left -= int64(n)
	}
	if image.FromSHA256(sum.Sum(nil)) != e.Packed.Digest {
		return ErrDamaged
	}
	return nil
}

// Close ends reading; a nil entry has nothing to close.
func (e *Entry) Close() {
	if e != nil {
		e.file.Close()
	}
}

// Discard removes the entry from the cache and closes it.
func (e *Entry) Discard() {
	os.Remove(e.file.Name())
	e.file.Close()
}

// Addition is an entry being written.
type Addition struct {
	file *os.File
	to   string
	key  string
	size int64
	err  error
}

// Add begins an entry. Nil, which all methods take, stands for one that cannot
// be made.
func (c *Cache) Add(key string) *Addition {
	if c == nil || os.MkdirAll(c.dir, 0o700) != nil {
		return nil
	}
	f, err := os.CreateTemp(c.dir, unfinished)
	if err != nil {
		return nil
	}
	a := &Addition{file: f, to: filepath.Join(c.dir, key), key: key}
	_, a.err = f.Write(make([]byte, headSize))
	return a
}

// Write adds bytes of the layer. It never fails: an entry that could not be
// written is not made.
func (a *Addition) Write(p []byte) (int, error) {
	if a != nil && a.err == nil {
		_, a.err = a.file.Write(p)
		a.size += int64(len(p))
	}
	return len(p), nil
}

// Commit makes the entry appear, with the bytes that were written or, if there
// were none, without.
func (a *Addition) Commit(p tarball.Packed) {
	if a == nil {
		return
	}
	head, err := makeHead(a.key, p)
	if a.err == nil && err == nil && (a.size == p.Size || a.size == 0) {
		if _, err := a.file.WriteAt(head, 0); err == nil && os.Rename(a.file.Name(), a.to) == nil {
			a.file.Close()
			return
		}
	}
	a.Abort()
}

// Abort forgets the entry.
func (a *Addition) Abort() {
	if a != nil {
		os.Remove(a.file.Name())
		a.file.Close()
	}
}

// head is the JSON of the first block.
type head struct {
	Key                string
	Digest, DiffID     image.Digest
	Size, UnpackedSize int64
}

// makeHead returns the first block: what the layer is, with a digest of that.
func makeHead(key string, p tarball.Packed) ([]byte, error) {
	data, err := json.Marshal(head{key, p.Digest, p.DiffID, p.Size, p.UnpackedSize})
	if err != nil {
		return nil, err
	}
	text := magic + "\n" + string(data) + "\n"
	text += image.Sum([]byte(text)).Hex() + "\n"
	if len(text) > headSize {
		return nil, errors.New("key is too long")
	}
	return append([]byte(text), make([]byte, headSize-len(text))...), nil
}

func readHead(f *os.File, key string, blob bool) (tarball.Packed, error) {
	var block [headSize]byte
	if _, err := io.ReadFull(f, block[:]); err != nil {
		return tarball.Packed{}, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	lines := bytes.SplitAfterN(block[:], []byte("\n"), 4)
	if len(lines) != 4 || string(lines[0]) != magic+"\n" ||
		image.Sum(slices.Concat(lines[0], lines[1])).Hex()+"\n" != string(lines[2]) {
		return tarball.Packed{}, ErrDamaged
	}
	var h head
	if err := json.Unmarshal(lines[1], &h); err != nil || h.Key != key {
		return tarball.Packed{}, ErrDamaged
	}
	info, err := f.Stat()
	if err != nil || blob && info.Size() != headSize+h.Size {
		return tarball.Packed{}, ErrDamaged
	}
	return tarball.Packed{Digest: h.Digest, Size: h.Size, DiffID: h.DiffID, UnpackedSize: h.UnpackedSize}, nil
}

// Trim removes what was not used for [MaxAge], what was left unfinished, and
// then what was used least recently, until the limit is kept.
func (c *Cache) Trim() {
	if c == nil {
		return
	}
	dir, err := os.ReadDir(c.dir)
	if err != nil {
		return
	}
	now := c.now()
	var entries []fs.FileInfo
	total := int64(0)
	for _, d := range dir {
		info, err := d.Info()
		if err != nil {
			continue // gone meanwhile
		}
		age := MaxAge
		if strings.HasPrefix(info.Name(), unfinished) {
			age = abandoned
		}
		if now.Sub(info.ModTime()) > age {
			os.Remove(filepath.Join(c.dir, info.Name()))
			continue
		}
		if age == MaxAge {
			entries = append(entries, info)
			total += info.Size()
		}
	}
	slices.SortFunc(entries, func(a, b fs.FileInfo) int {
		return cmp.Or(a.ModTime().Compare(b.ModTime()), strings.Compare(a.Name(), b.Name()))
	})
	for _, e := range entries {
		if total <= c.limit {
			return
		}
		os.Remove(filepath.Join(c.dir, e.Name()))
		total -= e.Size()
	}
}
