package dockertools

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"

	"gonix/dockertools/image"
)

// What records of a recipe are, and where it ends. nixpkgs-lite's stream.c
// describes the form and carries recipes out.
const (
	recordEnd byte = iota
	recordBytes
	recordZeros
	recordFile
	recordNames

	recipeMagic = "GNXSTRM1"
	// zeroRun is how many zeros are worth a record of their own.
	zeroRun = 32
	// maxLiteral bounds what is collected for one record.
	maxLiteral = 1 << 20
)

// standIn is the name of an image that is known only when a recipe is carried
// out.
var standIn = image.Reference{Name: "gonix-stands-for-a-name", Tag: "gonix-stands-for-a-tag"}

// recipeWriter writes how to make an archive. What is written to it becomes
// bytes of the archive.
type recipeWriter struct {
	w       *bufio.Writer
	literal []byte
	start   int64 // where in the file the recipe begins
}

func newRecipe(w io.Writer, start int64, name string) *recipeWriter {
	r := &recipeWriter{w: bufio.NewWriterSize(w, 1<<16), start: start}
	r.text(name)
	return r
}

// text and number leave errors to the buffered writer, which keeps the first.
func (r *recipeWriter) text(s string) {
	r.number(uint64(len(s)), 2)
	r.w.WriteString(s)
}

func (r *recipeWriter) number(v uint64, bytes int) {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], v)
	r.w.Write(b[:bytes])
}

// Write implements [io.Writer].
func (r *recipeWriter) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		k := min(len(p), maxLiteral-len(r.literal))
		r.literal = append(r.literal, p[:k]...)
		p = p[k:]
		if len(r.literal) == maxLiteral {
			r.settle()
		}
	}
	return n, nil
}

// settle writes the records of what was collected.
func (r *recipeWriter) settle() {
	rest := r.literal
	for len(rest) > 0 {
		begin, end := findZeros(rest)
		if begin > 0 {
			r.w.WriteByte(recordBytes)
			r.number(uint64(begin), 4)
			r.w.Write(rest[:begin])
		}
		if end > begin {
			r.w.WriteByte(recordZeros)
			r.number(uint64(end-begin), 8)
		}
		rest = rest[end:]
	}
	r.literal = r.literal[:0]
}

// findZeros returns where the first long run of zeros is; both ends are the
// length of b if there is none.
func findZeros(b []byte) (begin, end int) {
	for i := 0; i < len(b); {
		j := bytes.IndexByte(b[i:], 0)
		if j < 0 {
			break
		}
		i += j
		end := i
		for end < len(b) && b[end] == 0 {
			end++
		}
		if end-i >= zeroRun {
			return i, end
		}
		i = end
	}
	return len(b), len(b)
}

// file adds the bytes of a file, whose name is relative to the store.
func (r *recipeWriter) file(name string, offset, size int64) {
	r.settle()
	r.w.WriteByte(recordFile)
	r.number(uint64(offset), 8)
	r.number(uint64(size), 8)
	r.text(name)
}

// pieces are the forms of a name in the order in which they are looked for:
// longer ones have shorter ones in them.
var pieces = [...]struct {
	kind byte
	text string
}{{3, standIn.Full()}, {1, standIn.String()}, {2, standIn.Tag}}

// names adds a member of the archive with the stand-in's name in it.
func (r *recipeWriter) names(head, data []byte) error {
	r.settle()
	type piece struct {
		kind byte
		data []byte
	}
	var list []piece
	for len(data) > 0 {
		at, kind, length := len(data), byte(0), 0
		for _, p := range pieces {
			if i := bytes.Index(data, []byte(p.text)); i >= 0 && i < at {
				at, kind, length = i, p.kind, len(p.text)
			}
		}
		if at > 0 {
			list = append(list, piece{data: data[:at]})
		}
		if kind > 0 {
			list = append(list, piece{kind: kind})
		}
		data = data[at+length:]
	}
	r.w.WriteByte(recordNames)
	r.w.Write(head)
	r.number(uint64(len(list)), 2)
	for _, p := range list {
		r.w.WriteByte(p.kind)
		r.number(uint64(len(p.data)), 4)
		r.w.Write(p.data)
	}
	return nil
}

// finish ends the recipe and says where it began.
func (r *recipeWriter) finish() error {
	r.settle()
	r.w.WriteByte(recordEnd)
	r.number(uint64(r.start), 8)
	r.w.WriteString(recipeMagic)
	return r.w.Flush()
}
