package eval

import (
	"errors"
	"path"
	"strings"
	"sync/atomic"
	"time"

	"gonix/parser"
	"gonix/parser/ast"
	"gonix/parser/source"
)

// ahead is a file that is parsed before it is imported, on another processor.
// The result is used only if the file is still the same then, so that a wrong
// guess costs time and nothing else.
type ahead struct {
	file   string
	taken  atomic.Bool   // by the worker, or by the evaluation that came first
	done   chan struct{} // closed by the worker
	before fileState
	tree   *ast.File // nil if there was an error, which the evaluation will find again
}

// fileState tells whether a file has changed.
type fileState struct {
	size     int64
	modified time.Time
}

// parseAhead starts to parse the files that the evaluation is likely to import,
// in this order. Where reading or parsing needs permission it does nothing.
func (s *State) parseAhead(files []string) {
	if set := s.opt.Settings; set.Pure || set.Restrict || set.Lint != (Lint{}) || len(files) == 0 {
		return
	}
	s.ahead = make(map[string]*ahead, len(files))
	queue := make([]*ahead, 0, len(files))
	for _, f := range files {
		if s.ahead[f] == nil && path.IsAbs(f) && strings.HasSuffix(f, ".nix") {
			a := &ahead{file: f, done: make(chan struct{})}
			s.ahead[f] = a
			queue = append(queue, a)
		}
	}
	s.queue = queue
	s.worker.Go(func() {
		for _, a := range queue {
			if s.stopAhead.Load() {
				return
			}
			s.parseNow(a)
		}
	})
}

// parseNow parses a file unless somebody does or did.
func (s *State) parseNow(a *ahead) {
	if a.taken.CompareAndSwap(false, true) {
		s.parseFile(a)
		close(a.done)
	}
}

func (s *State) parseFile(a *ahead) {
	files := s.files
	files.dirs = nil // belongs to the evaluation
	info, err := files.Lstat(a.file)
	if err != nil || !info.Mode().IsRegular() {
		return
	}
	text, err := files.ReadText(a.file)
	if err != nil {
		return
	}
	a.before = fileState{info.Size(), info.ModTime()}
	opt := s.parserOptions(path.Dir(a.file))
	opt.Lint = mute
	if tree, err := s.parseWith(opt, a.file, text); err == nil {
		a.tree = tree
	}
}

// mute refuses what the evaluation will warn of when it comes to the file.
func mute(form parser.Form, _ string, _ source.Pos) error {
	if form == parser.OrVariable {
		return errors.New("eval: a warning is due")
	}
	return nil
}

// parsedAhead returns the tree of a file if there is one.
func (s *State) parsedAhead(file string) *ast.File {
	a := s.ahead[file]
	if a == nil {
		return nil
	}
	delete(s.ahead, file)
	if a.taken.CompareAndSwap(false, true) {
		return nil // the worker has not come so far
	}
	s.await(a)
	if a.tree == nil {
		return nil
	}
	info, err := s.files.Lstat(file)
	if err != nil || !info.Mode().IsRegular() || (fileState{info.Size(), info.ModTime()}) != a.before {
		return nil
	}
	return a.tree
}

// await waits for the worker to be done with a file, and meanwhile parses those that
// come next.
func (s *State) await(a *ahead) {
	for len(s.queue) > 0 {
		select {
		case <-a.done:
			return
		default:
		}
		next := s.queue[0]
		s.queue = s.queue[1:]
		s.parseNow(next)
	}
	<-a.done
}

// Imported returns the files that were imported, in order.
func (s *State) Imported() []string { return s.imported }

// Close ends what s does besides evaluating, and waits for it.
func (s *State) Close() {
	s.stopAhead.Store(true)
	s.worker.Wait()
}
