// Package refscan finds references to store paths in a stream of bytes.
//
// A reference is the 32 characters of a path's hash part, wherever they stand:
// inside a program, a script, a compressed manual that was stored plain. The
// [Scanner] gets the candidates first (only inputs of a build can be referred to)
// and then the bytes, in pieces of any size. It is Nix's algorithm
// (libstore/references.cc, search): look at the last of 32 bytes first, and when
// that one is no base-32 character, no reference can overlap it.
package refscan

import (
	"encoding/binary"
	"slices"

	"gonix/derivation/nixbase32"
	"gonix/derivation/storepath"
)

const hashLen = storepath.HashLen

// Scanner is an io.Writer that remembers which candidates occurred in what was
// written to it.
type Scanner struct {
	isBase32 [256]bool
	filter   []uint64 // bits, by a hash of the first eight characters
	shift    uint
	index    map[[hashLen]byte]int
	paths    []storepath.Path // by index
	found    []bool           // by index
	missing  int              // how many are not found yet
	tail     [2*hashLen - 2]byte
	tailLen  int // the last bytes written, fewer than hashLen
}

// NewScanner returns a scanner for the hash parts of the candidates.
func NewScanner(candidates []storepath.Path) *Scanner {
	s := &Scanner{index: make(map[[hashLen]byte]int, len(candidates))}
	for i := range len(nixbase32.Alphabet) {
		s.isBase32[nixbase32.Alphabet[i]] = true
	}
	// Sixteen bits a candidate keep nearly all other text out of the map.
	bits := uint(10)
	for 1<<bits < 16*len(candidates) && bits < 24 {
		bits++
	}
	s.filter = make([]uint64, 1<<bits/64)
	s.shift = 64 - bits
	s.paths = slices.Clone(candidates)
	slices.SortFunc(s.paths, storepath.Compare)
	s.paths = slices.Compact(s.paths)
	for i, p := range s.paths {
		var key [hashLen]byte
		copy(key[:], p.HashPart())
		if _, ok := s.index[key]; ok {
			continue // same hash part, other name: the first one stands for both
		}
		s.index[key] = i
		slot := s.slot(key[:])
		s.filter[slot/64] |= 1 << (slot % 64)
		s.missing++
	}
	s.found = make([]bool, len(s.paths))
	return s
}

func (s *Scanner) slot(hash []byte) uint64 {
	return binary.LittleEndian.Uint64(hash) * 0x9e3779b97f4a7c15 >> s.shift
}

// Write looks for candidates in p, and across the border to what was written
// before. It never fails.
func (s *Scanner) Write(p []byte) (int, error) {
	if s.missing == 0 {
		return len(p), nil
	}
	if s.tailLen > 0 {
		joined := append(s.tail[:s.tailLen:len(s.tail)], p[:min(len(p), hashLen-1)]...)
		s.search(joined)
		if len(p) < hashLen-1 {
			keep := joined[max(0, len(joined)-(hashLen-1)):]
			s.tailLen = copy(s.tail[:], keep)
			return len(p), nil
		}
	}
	s.search(p)
	s.tailLen = copy(s.tail[:], p[max(0, len(p)-(hashLen-1)):])
	return len(p), nil
}

// search looks for candidates that lie in b entirely.
func (s *Scanner) search(b []byte) {
	known := 0 // so many bytes from i on are known to be base-32
	for i := 0; i+hashLen <= len(b); {
		window := b[i : i+hashLen : i+hashLen]
		j := hashLen - 1
		for j >= known && s.isBase32[window[j]] {
			j--
		}
		if j >= known {
			// What lies between the bad byte and the end of the window was
			// checked and is the beginning of the next one.
			i += j + 1
			known = hashLen - 1 - j
			continue
		}
		// A run of base-32 characters: every position in it may be one.
		end := i + hashLen
		for {
			slot := s.slot(b[end-hashLen : end])
			if s.filter[slot/64]&(1<<(slot%64)) != 0 {
				s.check(b[end-hashLen : end])
			}
			if end == len(b) {
				return
			}
			end++
			if !s.isBase32[b[end-1]] {
				break
			}
		}
		i, known = end, 0
	}
}

func (s *Scanner) check(window []byte) {
	i, ok := s.index[[hashLen]byte(window)]
	if ok && !s.found[i] {
		s.found[i] = true
		s.missing--
	}
}

// Reset forgets what was written, for the next stream. The candidates stay.
func (s *Scanner) Reset() {
	for i := range s.found {
		if s.found[i] {
			s.found[i] = false
			s.missing++
		}
	}
	s.tailLen = 0
}

// Found returns the candidates that occurred so far, sorted.
func (s *Scanner) Found() []storepath.Path {
	var list []storepath.Path
	for i, found := range s.found {
		if found {
			list = append(list, s.paths[i])
		}
	}
	return list
}
