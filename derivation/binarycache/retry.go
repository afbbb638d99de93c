package binarycache

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

// Patience says how long a server is borne with. The zero value tries once and
// waits for ever.
type Patience struct {
	Attempts int           // tries in all (Nix: download-attempts)
	Stall    time.Duration // longest time without a byte (Nix: stalled-download-timeout); 0 for no limit
	Backoff  time.Duration // pause before the second try; it doubles from there
}

// retry calls try until it succeeds, fails for good, or has been tried often
// enough.
func (p Patience) retry(ctx context.Context, try func() error) error {
	pause := p.Backoff
	for n := 1; ; n++ {
		err := try()
		if err == nil || n >= p.Attempts || ctx.Err() != nil || !passing(err) {
			return err
		}
		if err := sleep(ctx, pause); err != nil {
			return err
		}
		pause *= 2
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// download is a file that is being read through all the interruptions that
// patience allows.
type download struct {
	ctx      context.Context
	storage  Storage
	name     string
	patience Patience
	progress func(done, total int64) // may be nil

	object *Object
	cancel context.CancelCauseFunc // ends the current request
	watch  *time.Timer             // ends it when nothing comes
	done   int64                   // bytes handed on
	tries  int                     // since the last byte
}

// errStalled is why a request ends that brings nothing.
var errStalled = errors.New("the transfer has stalled")

// newDownload opens the file; the answer is there when it returns.
func newDownload(ctx context.Context, s Storage, name string, p Patience, progress func(done, total int64)) (*download, error) {
	d := &download{ctx: ctx, storage: s, name: name, patience: p, progress: progress}
	for {
		err := d.open()
		if err == nil {
			return d, nil
		}
		if err := d.again(err); err != nil {
			return nil, err
		}
	}
}

// open asks for what is missing.
func (d *download) open() error {
	ctx, cancel := context.WithCancelCause(d.ctx)
	d.cancel = cancel
	if d.patience.Stall > 0 {
		d.watch = time.AfterFunc(d.patience.Stall, func() {
			cancel(fmt.Errorf("%w: nothing came for %v", errStalled, d.patience.Stall))
		})
	}
	object, err := d.storage.Open(ctx, d.name, d.done)
	if err != nil {
		err = causeOf(ctx, err)
		d.end()
		return err
	}
	if old := d.object; old != nil && (old.Version != object.Version || old.Size != object.Size) {
		object.Body.Close()
		d.end()
		return &permanentError{fmt.Errorf("'%s' changed while it was being read", d.name)}
	}
	d.object = object
	if skip := d.done - object.Offset; skip > 0 {
		// The server cannot start in the middle.
		if _, err := io.CopyN(io.Discard, &watched{d}, skip); err != nil {
			err = causeOf(ctx, err)
			d.end()
			return err
		}
	}
	return nil
}

// watched reads the current answer and keeps the watch awake.
type watched struct{ d *download }

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.d.object.Body.Read(p)
	if n > 0 && w.d.watch != nil {
		w.d.watch.Reset(w.d.patience.Stall)
	}
	return n, err
}

// end gives up the current request.
func (d *download) end() {
	if d.watch != nil {
		d.watch.Stop()
	}
	if d.cancel != nil {
		d.cancel(nil)
		d.cancel = nil
	}
}

// again waits before another try; the error says that there is none.
func (d *download) again(err error) error {
	d.tries++
	if d.tries >= max(d.patience.Attempts, 1) || d.ctx.Err() != nil || !passing(err) {
		return err
	}
	return sleep(d.ctx, d.patience.Backoff<<min(d.tries-1, 8))
}

// Read implements io.Reader.
func (d *download) Read(p []byte) (int, error) {
	for {
		if d.cancel == nil {
			if err := d.open(); err != nil {
				if err := d.again(err); err != nil {
					return 0, err
				}
				continue
			}
		}
		n, err := (&watched{d}).Read(p)
		d.done += int64(n)
		if n > 0 {
			d.tries = 0
			if d.progress != nil {
				d.progress(d.done, d.object.Size)
			}
		}
		if err == io.EOF && d.object.Size >= 0 && d.done < d.object.Size {
			err = io.ErrUnexpectedEOF
		}
		switch {
		case err == nil, err == io.EOF:
			return n, err
		case d.ctx.Err() != nil:
			return n, context.Cause(d.ctx)
		}
		err = causeOf(d.ctx, d.causeOf(err))
		d.object.Body.Close()
		d.end()
		if err := d.again(err); err != nil {
			return n, fmt.Errorf("read '%s' after %d bytes: %w", d.name, d.done, err)
		}
		if n > 0 {
			return n, nil
		}
	}
}

// causeOf says why the current request ended.
func (d *download) causeOf(err error) error {
	if errors.Is(err, context.Canceled) && d.ctx.Err() == nil {
		return fmt.Errorf("%w: nothing came for %v", errStalled, d.patience.Stall)
	}
	return err
}

// Close implements io.Closer.
func (d *download) Close() error {
	d.end()
	if d.object == nil {
		return nil
	}
	return d.object.Body.Close()
}

// causeOf prefers our own reason for giving up to "context canceled".
func causeOf(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil && errors.Is(err, context.Canceled) {
		return cause
	}
	return err
}
