package substitute

import (
	"context"
	"errors"
	"fmt"
	"hash"
	"io"

	"gonix/derivation/nar"
	"gonix/derivation/nixhash"
)

// arrival is the archive of an object as it comes in. It is opened when it is
// read for the first time: often another process has fetched the object when its
// lock is free.
//
// It never yields more than the announced size, and reports its end only if size
// and content address are right. The hash is the store's to check.
type arrival struct {
	ctx    context.Context
	offer  offer
	events Events

	started bool
	r       io.ReadCloser
	left    int64 // of the announced size
	address *addressCheck
	err     error // anything but io.EOF
	ended   bool
}

// Read implements io.Reader.
func (a *arrival) Read(p []byte) (int, error) {
	if a.err == nil && a.r == nil {
		a.err = a.open()
	}
	switch {
	case a.err != nil:
		return 0, a.err
	case a.ended:
		return 0, io.EOF
	}
	if int64(len(p)) > a.left+1 {
		p = p[:a.left+1]
	}
	n, err := a.r.Read(p)
	if int64(n) > a.left {
		a.err = fmt.Errorf("the archive is longer than the announced %d bytes", a.offer.info.NarSize)
		return 0, a.err
	}
	a.left -= int64(n)
	if a.address != nil {
		a.address.Write(p[:n])
	}
	switch {
	case err == io.EOF:
		if a.err = a.verify(); a.err != nil {
			return n, a.err
		}
		a.ended = true
		return n, io.EOF
	case err != nil:
		a.err = err
	}
	return n, a.err
}

func (a *arrival) open() error {
	a.started = true
	info := a.offer.info
	if a.events.Started != nil {
		a.events.Started(info.Path, a.offer.from.String(), info.FileSize)
	}
	a.left = info.NarSize
	switch c, err := addressed(info); {
	case err != nil:
		return err
	case c != nil && !c.flat && c.hash.Algo == nixhash.SHA256:
		// That is the hash which the store checks.
		if !c.hash.Equal(info.NarHash) {
			return fmt.Errorf("the content is not what the content address '%s' says: it has %s", info.CA, info.NarHash.SRI())
		}
	case c != nil:
		a.address = newAddressCheck(*c)
	}
	r, err := a.offer.from.Open(a.ctx, info, func(done, total int64) {
		if a.events.Progress != nil {
			a.events.Progress(info.Path, done, total)
		}
	})
	a.r = r
	return err
}

// verify is called at the end of the archive.
func (a *arrival) verify() error {
	info := a.offer.info
	if a.left > 0 {
		return fmt.Errorf("the archive ends after %d of the announced %d bytes", info.NarSize-a.left, info.NarSize)
	}
	if a.address == nil {
		return nil
	}
	got, err := a.address.sum()
	if err == nil && !got.Equal(a.address.want.hash) {
		err = fmt.Errorf("it has %s", got.SRI())
	}
	if err != nil {
		return fmt.Errorf("the content is not what the content address '%s' says: %w", info.CA, err)
	}
	return nil
}

func (a *arrival) close() {
	if a.r != nil {
		a.r.Close()
	}
	if a.address != nil {
		a.address.stop()
	}
}

// addressCheck computes the hash that a content address is about.
type addressCheck struct {
	want content
	h    hash.Hash
	w    *io.PipeWriter // flat: to the goroutine that looks into the archive
	done chan error
}

func newAddressCheck(want content) *addressCheck {
	c := &addressCheck{want: want, h: want.hash.Algo.New()}
	if !want.flat {
		return c
	}
	r, w := io.Pipe()
	c.w, c.done = w, make(chan error, 1)
	go func() {
		err := c.file(r)
		r.CloseWithError(errors.New("the file has been read"))
		c.done <- err
	}()
	return c
}

// file hashes the one file that the archive holds.
func (c *addressCheck) file(r io.Reader) error {
	archive := nar.NewReader(r)
	header, err := archive.Next()
	if err != nil {
		return err
	}
	if header.Type != nar.Regular || header.Executable {
		return errors.New("it is not a plain file")
	}
	_, err = archive.WriteTo(c.h)
	return err
}

// Write takes bytes of the archive; what is wrong with them is said in the end.
func (c *addressCheck) Write(p []byte) {
	if !c.want.flat {
		c.h.Write(p)
		return
	}
	_, _ = c.w.Write(p) // fails once the file has been read
}

func (c *addressCheck) sum() (nixhash.Hash, error) {
	if c.want.flat {
		c.w.Close()
		err := <-c.done
		c.w = nil
		if err != nil {
			return nixhash.Hash{}, err
		}
	}
	return nixhash.Of(c.want.hash.Algo, c.h), nil
}

// stop ends the goroutine if sum was not called.
func (c *addressCheck) stop() {
	if c.w != nil {
		c.w.CloseWithError(io.ErrClosedPipe)
		<-c.done
		c.w = nil
	}
}
