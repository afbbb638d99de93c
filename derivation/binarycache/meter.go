package binarycache

import (
	"context"
	"hash"
	"io"
	"slices"
	"strings"
)

// meter hashes and counts what goes to w, and ends when its context does.
type meter struct {
	ctx context.Context
	w   io.Writer
	sha hash.Hash
	n   int64
}

// Write implements io.Writer.
func (m *meter) Write(p []byte) (int, error) {
	if err := m.ctx.Err(); err != nil {
		return 0, err
	}
	m.sha.Write(p)
	n, err := m.w.Write(p)
	m.n += int64(n)
	return n, err
}

func newSeeker(text string) io.ReadSeeker { return strings.NewReader(text) }

func sortedOnce(list []string) []string {
	slices.Sort(list)
	return slices.Compact(list)
}
