// Package source holds the text of Nix files and names places in it.
//
// A [Pos] is four bytes wide and says nothing by itself; a [Set] turns it into
// a file, line and column when an error is shown, so that syntax trees and
// values carry positions at almost no cost.
package source

import (
	"sort"
	"strings"
	"sync"
)

// Pos is a place in one of the files of a [Set]; [NoPos] is no place at all.
type Pos uint32

// NoPos is the zero Pos: the place is unknown.
const NoPos Pos = 0

// File is one text: a file, an expression of the command line, standard input.
type File struct {
	// Name is what messages show: an absolute path, «string» or «stdin».
	Name string
	// Text is the whole content.
	Text string
	base Pos

	once  sync.Once
	lines []int32 // byte offset of the start of each line
}

// internal begins the names of texts of the evaluator itself.
const internal = "«nix-internal»"

// Path is the path of the file, as values tell it: /… for a text of the evaluator
// itself, as for <nix/…>, and "" for what is no file.
func (f *File) Path() string {
	name := strings.TrimPrefix(f.Name, internal)
	if inner, ok := strings.CutPrefix(name, "<nix"); ok {
		name = strings.TrimSuffix(inner, ">")
	}
	if strings.HasPrefix(name, "/") {
		return name
	}
	return ""
}

// Pos returns the place offset bytes into the file.
func (f *File) Pos(offset int) Pos { return f.base + Pos(offset) }

// Offset is the inverse of [File.Pos].
func (f *File) Offset(p Pos) int { return int(p - f.base) }

// Position is a Pos for people. Line and Column count from 1, Column in bytes.
type Position struct {
	File   *File
	Line   int
	Column int
}

// Set owns files and gives each of them a range of positions. It is safe for
// concurrent use.
type Set struct {
	mu    sync.RWMutex
	files []*File
	next  Pos
}

// NewSet returns an empty set.
func NewSet() *Set { return &Set{next: 1} }

// Add registers a text under the name that messages show.
func (s *Set) Add(name, text string) *File {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := &File{Name: name, Text: text, base: s.next}
	s.files = append(s.files, f)
	s.next += Pos(len(text)) + 1
	return f
}

// File returns the file that holds p, or nil.
func (s *Set) File(p Pos) *File {
	if p == NoPos {
		return nil
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	i := sort.Search(len(s.files), func(i int) bool { return s.files[i].base > p }) - 1
	if i < 0 {
		return nil
	}
	return s.files[i]
}

// Position resolves p; ok is false for NoPos.
func (s *Set) Position(p Pos) (pos Position, ok bool) {
	f := s.File(p)
	if f == nil {
		return Position{}, false
	}
	return f.Position(p), true
}

// Position resolves a place of this file. Lines end as in Nix: with LF, CR LF
// or a CR alone.
func (f *File) Position(p Pos) Position {
	f.split()
	off := int32(f.Offset(p))
	line := sort.Search(len(f.lines), func(i int) bool { return f.lines[i] > off })
	return Position{File: f, Line: line, Column: int(off-f.lines[line-1]) + 1}
}

// split finds the lines.
func (f *File) split() {
	f.once.Do(func() {
		f.lines = append(f.lines, 0)
		for i := 0; i < len(f.Text); i++ {
			j := strings.IndexAny(f.Text[i:], "\r\n")
			if j < 0 {
				break
			}
			i += j
			if f.Text[i] == '\r' && i+1 < len(f.Text) && f.Text[i+1] == '\n' {
				i++
			}
			f.lines = append(f.lines, int32(i+1))
		}
	})
}

// LineCount returns how many lines there are; behind a line end at the end of
// the file is one more, an empty file has none.
func (f *File) LineCount() int {
	if f.Text == "" {
		return 0
	}
	f.split()
	return len(f.lines)
}

// Line returns the text of line n (from 1) without its end, or "" beyond the end.
func (f *File) Line(n int) string {
	f.split()
	if n < 1 || n > len(f.lines) {
		return ""
	}
	rest := f.Text[f.lines[n-1]:]
	if i := strings.IndexAny(rest, "\r\n"); i >= 0 {
		rest = rest[:i]
	}
	return rest
}
