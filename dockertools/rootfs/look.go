package rootfs

import (
	"io"

	"gonix/dockertools/tarball"
)

// Look reads the bytes of the regular file called name, size of them, and says a word about
// them that stays with the file, also under further names.
type Look func(name string, size int64, content io.Reader) (string, error)

// ApplyLooking is [Tree.Apply] without a disk that shows the regular files of the
// layer to look, also those that a later entry hides.
func (t *Tree) ApplyLooking(r io.Reader, look Look) error {
	t.look = look
	defer func() { t.look = nil }()
	return t.Apply(r, nil)
}

// Found is a file of a tree.
type Found struct {
	tarball.Entry
	// Layer counts from 1 and is the one that brought the file as it is, 0 for none.
	Layer int
	// Word is of the [Look] at a regular file.
	Word string
	// Linked says that the layer had the file as a hard link to another name.
	Linked bool
}

// Walk calls each for all files in the order of [tarball.Compare]; a root
// directory as every root is is left out.
func (t *Tree) Walk(each func(Found)) {
	e := t.root.Entry
	e.Name = "."
	if !plainRoot(e) {
		each(Found{Entry: e, Layer: t.root.layer})
	}
	t.root.walk("", each)
}

func (n *node) walk(prefix string, each func(Found)) {
	for _, name := range n.names() {
		c := n.children[name]
		f := Found{c.Entry, c.layer, c.word, c.linked}
		f.Name = prefix + name
		each(f)
		if c.Kind == tarball.Directory {
			c.walk(f.Name+"/", each)
		}
	}
}
