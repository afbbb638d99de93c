package nar

import (
	"errors"
	"fmt"
	"io"
	"strings"
)

// Writer makes an archive from entries that arrive in the archive's own order:
// a directory before what it holds, names in a directory sorted by their bytes.
type Writer struct {
	e      *encoder
	begun  bool
	closed bool
	left   int64    // bytes of content still to come
	size   int64    // size of the regular file being written
	open   bool     // a regular file is being written
	dirs   []string // last name written in each open directory
	path   []string // names of the open directories below the root
}

// NewWriter returns a Writer whose archive goes to w.
func NewWriter(w io.Writer) *Writer {
	return &Writer{e: newEncoder(w)}
}

// WriteHeader begins the next entry. Content of a regular file follows through
// [Writer.Write].
func (w *Writer) WriteHeader(h *Header) error {
	if err := w.finishFile(); err != nil {
		return err
	}
	switch {
	case w.closed:
		return errors.New("write nar: the archive is complete")
	case h.Type < Regular || h.Type > Symlink:
		return fmt.Errorf("write nar: entry %q has no known type", h.Path)
	case h.Size < 0 || h.Size > 0 && h.Type != Regular:
		return fmt.Errorf("write nar: entry %q has size %d", h.Path, h.Size)
	case h.Type == Symlink && h.Target == "":
		return fmt.Errorf("write nar: symlink %q has no target", h.Path)
	}
	if !w.begun {
		if h.Path != "" {
			return fmt.Errorf("write nar: first entry is %q and not the root", h.Path)
		}
		w.begun = true
		w.e.string(magic)
	} else if err := w.enter(h.Path); err != nil {
		return err
	}
	w.e.head(h)
	switch h.Type {
	case Directory:
		w.dirs = append(w.dirs, "")
		if h.Path != "" {
			w.path = append(w.path, h.Path[strings.LastIndexByte(h.Path, '/')+1:])
		}
	case Regular:
		w.open, w.left, w.size = true, h.Size, h.Size
	case Symlink:
		w.endNode()
	}
	return w.e.err
}

// enter closes the directories that path is not in and begins an entry for its
// last name.
func (w *Writer) enter(path string) error {
	if path == "" || len(w.dirs) == 0 {
		return fmt.Errorf("write nar: entry %q after the archive's only root", path)
	}
	if len(path) > maxPath {
		return fmt.Errorf("write nar: path is longer than %d bytes", maxPath)
	}
	names := strings.Split(path, "/")
	parent, name := names[:len(names)-1], names[len(names)-1]
	if err := CheckName(name); err != nil {
		return fmt.Errorf("write nar: %w", err)
	}
	same := 0
	for same < len(parent) && same < len(w.path) && parent[same] == w.path[same] {
		same++
	}
	if same < len(parent) {
		return fmt.Errorf("write nar: the directory of %q is not open", path)
	}
	for len(w.path) > same {
		w.endDirectory()
	}
	last := &w.dirs[len(w.dirs)-1]
	if *last >= name {
		return fmt.Errorf("write nar: entry %q comes after %q in the same directory", path, *last)
	}
	*last = name
	w.e.strings("entry", "(", "name", name, "node")
	return nil
}

func (w *Writer) endDirectory() {
	w.e.string(")")
	w.dirs = w.dirs[:len(w.dirs)-1]
	if len(w.path) > 0 {
		w.path = w.path[:len(w.path)-1]
	}
	w.endNode()
}

// endNode closes the entry around a node that is complete.
func (w *Writer) endNode() {
	if len(w.dirs) > 0 {
		w.e.string(")")
	}
}

func (w *Writer) finishFile() error {
	if !w.open {
		return w.e.err
	}
	if w.left > 0 {
		return fmt.Errorf("write nar: %d bytes of a file's content are missing", w.left)
	}
	w.open = false
	w.e.pad(w.size)
	w.e.string(")")
	w.endNode()
	return w.e.err
}

// Write adds content to the regular file that the last header began.
func (w *Writer) Write(p []byte) (int, error) {
	if !w.open || int64(len(p)) > w.left {
		return 0, fmt.Errorf("write nar: more content than the header said")
	}
	w.e.bytes(p)
	w.left -= int64(len(p))
	return len(p), w.e.err
}

// Close completes the archive; it does not close the underlying writer.
func (w *Writer) Close() error {
	if w.closed {
		return w.e.err
	}
	if !w.begun {
		return errors.New("write nar: the archive has no entry")
	}
	if err := w.finishFile(); err != nil {
		return err
	}
	for len(w.dirs) > 0 {
		w.endDirectory()
	}
	w.closed = true
	w.e.flush()
	return w.e.err
}
