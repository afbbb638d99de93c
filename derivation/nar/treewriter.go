package nar

import (
	"fmt"
	"os"
	"sync"
	"sync/atomic"
)

const (
	// fileWriters is how many files, or pieces of one, are written at a time.
	fileWriters = 4
	// pieceSize is the most that one of them is given, and piecesAhead how many
	// pieces wait.
	pieceSize   = 256 << 10
	piecesAhead = 4
)

// treeWriter writes files on several processors. The zero value is ready; it starts
// nothing before the first piece.
type treeWriter struct {
	pieces chan piece
	free   chan []byte
	all    sync.WaitGroup
	failed atomic.Bool
	mu     sync.Mutex
	err    error // the first
}

// treeFile is a file that is being written.
type treeFile struct {
	path  string
	mode  os.FileMode
	f     *os.File // nil until it is created
	users atomic.Int32
}

// piece is a part of a file.
type piece struct {
	file   *treeFile
	data   []byte
	offset int64
}

// buffer returns memory for up to size bytes.
func (w *treeWriter) buffer(size int64) []byte {
	if size <= pieceSize/16 {
		return make([]byte, size)
	}
	select {
	case b := <-w.free:
		return b[:min(size, pieceSize)]
	default:
		return make([]byte, min(size, pieceSize), pieceSize)
	}
}

// write has data, which is the writer's from then on, written to f. The error is
// that of any file before.
func (w *treeWriter) write(f *treeFile, data []byte, offset int64) error {
	if w.failed.Load() {
		w.mu.Lock()
		defer w.mu.Unlock()
		return w.err
	}
	if w.pieces == nil {
		w.pieces = make(chan piece, piecesAhead)
		w.free = make(chan []byte, fileWriters+piecesAhead)
		for range fileWriters {
			w.all.Go(w.run)
		}
	}
	f.users.Add(1)
	w.pieces <- piece{f, data, offset}
	return nil
}

// wait ends all writing and returns the first error.
func (w *treeWriter) wait() error {
	if w.pieces != nil {
		close(w.pieces)
		w.all.Wait()
	}
	return w.err
}

func (w *treeWriter) run() {
	for p := range w.pieces {
		if !w.failed.Load() {
			w.fail(p.write())
		}
		w.done(p.file)
		if cap(p.data) == pieceSize {
			select {
			case w.free <- p.data[:pieceSize]:
			default:
			}
		}
	}
}

func (w *treeWriter) fail(err error) {
	if err == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil {
		w.err = err
		w.failed.Store(true)
	}
}

// done says that one of the users of f is; the last one closes it.
func (w *treeWriter) done(f *treeFile) {
	if f.users.Add(-1) > 0 || f.f == nil {
		return
	}
	if err := f.f.Close(); err != nil {
		w.fail(fmt.Errorf("restore %s: %w", f.path, err))
	}
}

func (f *treeFile) create() (err error) {
	f.f, err = os.OpenFile(f.path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, f.mode)
	return err
}

// write writes the piece; a file of one piece is made with it.
func (p piece) write() error {
	if p.file.f == nil {
		if err := p.file.create(); err != nil {
			return err
		}
	}
	if len(p.data) == 0 {
		return nil
	}
	_, err := p.file.f.WriteAt(p.data, p.offset)
	return err
}
