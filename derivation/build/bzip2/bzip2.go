// Package bzip2 compresses: bytes go in, a .bz2 file comes out. The standard
// library only reads that format, but build logs must be in it, for it is the
// one compressed form in which C++ Nix looks for them (nix-store --read-log).
//
// Text goes through five steps, block by block: runs of a byte are shortened,
// all rotations of the block are sorted and their last bytes kept
// (Burrows-Wheeler), bytes become positions in a list of the latest ones, runs of
// zero are shortened, and what is left gets a Huffman code. Blocks are small and
// have one code each, which costs a few per cent in size.
package bzip2

import (
	"errors"
	"io"
)

const (
	level      = 3 // blocks of 300 kB
	maxBlock   = level*100_000 - 19
	blockMagic = 0x314159265359
	endMagic   = 0x177245385090
)

// Writer compresses what is written to it. Nothing is complete before Close.
type Writer struct {
	bits     bitWriter
	block    []byte // after shortening of runs
	used     [256]bool
	crc      uint32 // of the block, before shortening
	combined uint32 // of all blocks
	last     int    // the byte of the current run, -1 for none
	run      int    // its length, at most 255
	begun    bool
	closed   bool
}

// NewWriter returns a writer of a compressed file.
func NewWriter(w io.Writer) *Writer {
	return &Writer{bits: bitWriter{w: w}, crc: 0xffffffff, last: -1}
}

// Write compresses p.
func (z *Writer) Write(p []byte) (int, error) {
	if z.closed {
		return 0, errors.New("bzip2: write after close")
	}
	z.begin()
	for _, b := range p {
		if int(b) != z.last || z.run == 255 {
			z.endRun()
			if len(z.block)+5 > maxBlock {
				z.endBlock()
			}
			z.last, z.run = int(b), 0
		}
		z.run++
		z.crc = z.crc<<8 ^ crcTable[byte(z.crc>>24)^b]
	}
	return len(p), z.bits.err
}

// Close writes the rest of the file.
func (z *Writer) Close() error {
	if z.closed {
		return z.bits.err
	}
	z.closed = true
	z.begin()
	z.endRun()
	z.endBlock()
	z.bits.write(endMagic, 48)
	z.bits.write(uint64(z.combined), 32)
	return z.bits.finish()
}

func (z *Writer) begin() {
	if !z.begun {
		z.begun = true
		z.bits.write('B'<<24|'Z'<<16|'h'<<8|('0'+level), 32)
	}
}

// endRun appends the current run: up to four bytes, after four of them the
// number of those left out.
func (z *Writer) endRun() {
	if z.last < 0 {
		return
	}
	b := byte(z.last)
	z.used[b] = true
	for range min(z.run, 4) {
		z.block = append(z.block, b)
	}
	if z.run >= 4 {
		z.block = append(z.block, byte(z.run-4))
		z.used[z.run-4] = true
	}
	z.last, z.run = -1, 0
}

func (z *Writer) endBlock() {
	if len(z.block) == 0 {
		return
	}
	crc := ^z.crc
	z.combined = (z.combined<<1 | z.combined>>31) ^ crc
	z.bits.write(blockMagic, 48)
	z.bits.write(uint64(crc), 32)
	z.bits.write(0, 1) // not randomised
	last, origin := transform(z.block)
	z.bits.write(uint64(origin), 24)
	z.writeUsed()
	z.writeSymbols(z.symbols(last))
	z.block = z.block[:0]
	z.used = [256]bool{}
	z.crc = 0xffffffff
}

// writeUsed writes which bytes occur: which sixteenths of the alphabet have any,
// then which of these.
func (z *Writer) writeUsed() {
	var groups uint64
	for i, u := range z.used {
		if u {
			groups |= 1 << (15 - i/16)
		}
	}
	z.bits.write(groups, 16)
	for g := range 16 {
		if groups&(1<<(15-g)) == 0 {
			continue
		}
		var members uint64
		for i := range 16 {
			if z.used[16*g+i] {
				members |= 1 << (15 - i)
			}
		}
		z.bits.write(members, 16)
	}
}

// symbols turns bytes into positions in the list of the latest bytes, and runs
// of position 0 into digits 0 and 1 of a number in bijective base two. Position
// n is symbol n+1; the last symbol ends the block.
func (z *Writer) symbols(text []byte) (syms []uint16, alphabet int) {
	var recent []byte
	for i, u := range z.used {
		if u {
			recent = append(recent, byte(i))
		}
	}
	alphabet = len(recent) + 2
	zeros := 0
	flush := func() {
		for ; zeros > 0; zeros = (zeros - 1) / 2 {
			syms = append(syms, uint16((zeros-1)&1))
		}
	}
	for _, b := range text {
		pos := 0
		for recent[pos] != b {
			pos++
		}
		if pos == 0 {
			zeros++
			continue
		}
		flush()
		copy(recent[1:pos+1], recent[:pos])
		recent[0] = b
		syms = append(syms, uint16(pos+1))
	}
	flush()
	return append(syms, uint16(alphabet-1)), alphabet
}

// perSelector is for how many symbols one choice of a code holds.
const perSelector = 50

// writeSymbols writes the code and the text in it. The format wants two codes
// at least; the second one is the same and never chosen.
func (z *Writer) writeSymbols(syms []uint16, alphabet int) {
	freq := make([]int, alphabet)
	for _, s := range syms {
		freq[s]++
	}
	lengths := codeLengths(freq)
	selectors := (len(syms) + perSelector - 1) / perSelector
	z.bits.write(2, 3)
	z.bits.write(uint64(selectors), 15)
	for range selectors {
		z.bits.write(0, 1)
	}
	for range 2 {
		cur := lengths[0]
		z.bits.write(uint64(cur), 5)
		for _, l := range lengths {
			for ; cur < l; cur++ {
				z.bits.write(0b10, 2)
			}
			for ; cur > l; cur-- {
				z.bits.write(0b11, 2)
			}
			z.bits.write(0, 1)
		}
	}
	codes := assignCodes(lengths)
	for _, s := range syms {
		z.bits.write(uint64(codes[s]), uint(lengths[s]))
	}
}

// bitWriter writes numbers, highest bit first.
type bitWriter struct {
	w   io.Writer
	acc uint64
	n   uint // bits in acc
	buf []byte
	err error
}

func (b *bitWriter) write(v uint64, n uint) {
	if n > 32 {
		b.write(v>>32, n-32)
		v, n = v&0xffffffff, 32
	}
	b.acc = b.acc<<n | v
	b.n += n
	for b.n >= 8 {
		b.n -= 8
		b.buf = append(b.buf, byte(b.acc>>b.n))
	}
	if len(b.buf) >= 1<<15 {
		b.flush()
	}
}

func (b *bitWriter) flush() {
	if b.err == nil {
		_, b.err = b.w.Write(b.buf)
	}
	b.buf = b.buf[:0]
}

func (b *bitWriter) finish() error {
	if b.n > 0 {
		b.write(0, 8-b.n)
	}
	b.flush()
	return b.err
}

// crcTable is for the CRC-32 with the highest bit first.
var crcTable = func() (t [256]uint32) {
	for i := range t {
		c := uint32(i) << 24
		for range 8 {
			if c&(1<<31) != 0 {
				c = c<<1 ^ 0x04c11db7
			} else {
				c <<= 1
			}
		}
		t[i] = c
	}
	return t
}()
