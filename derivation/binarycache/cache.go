package binarycache

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"gonix/derivation/narinfo"
	"gonix/derivation/signature"
	"gonix/derivation/store"
	"gonix/derivation/storepath"
)

const (
	infoFile        = "nix-cache-info"
	defaultPriority = 50
	maxInfoSize     = 64 << 10
)

// Description is what nix-cache-info says.
type Description struct {
	MassQuery bool // the cache does not mind being asked for everything
	Priority  int  // caches with smaller numbers are asked first
}

// Memory remembers answers of caches, by their URL and from one run to the next.
// What it loses is asked again.
type Memory interface {
	Description(url string) (d Description, known bool)
	SetDescription(url string, d Description)
	// Info returns the text of a narinfo file; "" says that there is none.
	Info(url, hashPart string) (text string, known bool)
	SetInfo(url, hashPart, text string)
}

// Options say how a cache is used.
type Options struct {
	Client      *http.Client // for http, https and s3
	Agent       string       // User-Agent
	Secrets     S3Secrets
	Patience    Patience
	Connections int                   // at once; 0 for no limit (Nix: http-connections)
	Memory      Memory                // nil: none
	Keys        []signature.SecretKey // that sign what is uploaded
}

// Cache is a binary cache. Its methods may be called concurrently.
type Cache struct {
	config  *Config
	opts    Options
	storage Storage
	slots   chan struct{} // nil: no limit

	mu     sync.Mutex
	about  *Description
	failed error
	known  map[string]*narinfo.Info // nil: there is none
	codec  codec
}

// Open returns the cache that the URL names, without asking it anything.
func Open(config *Config, opts Options) (*Cache, error) {
	c := &Cache{config: config, opts: opts, known: make(map[string]*narinfo.Info)}
	if opts.Client == nil {
		c.opts.Client = http.DefaultClient
	}
	var err error
	if c.codec, err = findCodec(config.Compression); err != nil {
		return nil, err
	}
	switch config.URL.Scheme {
	case "file":
		c.storage = File{config.URL.Path}
		c.opts.Memory = nil // the folder itself is as fast
	case "s3":
		s, err := NewS3(config.URL, config.Params, opts.Secrets, c.opts.Client.Transport)
		if err != nil {
			return nil, err
		}
		s.http.Agent = opts.Agent
		c.storage = s
	default:
		c.storage = HTTP{Base: config.URL, Client: c.opts.Client, Agent: opts.Agent}
	}
	if opts.Connections > 0 && config.URL.Scheme != "file" {
		c.slots = make(chan struct{}, opts.Connections)
	}
	return c, nil
}

// String is the cache's URL.
func (c *Cache) String() string { return c.config.String() }

// Trusted reports whether the URL says that no signatures are needed.
func (c *Cache) Trusted() bool { return c.config.Trusted }

// Keys are the secret keys that the cache's URL names, as files.
func (c *Cache) Keys() []string { return c.config.SecretKeys }

// acquire waits for a connection; release gives it back.
func (c *Cache) acquire(ctx context.Context) (release func(), err error) {
	if c.slots == nil {
		return func() {}, nil
	}
	select {
	case c.slots <- struct{}{}:
		return sync.OnceFunc(func() { <-c.slots }), nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// read returns the whole content of a small file.
func (c *Cache) read(ctx context.Context, name string, limit int64) (string, error) {
	release, err := c.acquire(ctx)
	if err != nil {
		return "", err
	}
	defer release()
	d, err := newDownload(ctx, c.storage, name, c.opts.Patience, nil)
	if err != nil {
		return "", err
	}
	defer d.Close()
	r, err := decode(d.object.Encoding, d)
	if err != nil {
		return "", err
	}
	defer r.Close()
	text, err := io.ReadAll(&limited{r, limit, fmt.Errorf("'%s' of '%s' is longer than %d bytes: %w", name, c, limit, errTooLong)})
	return string(text), err
}

// decode undoes the Content-Encoding of a file.
func decode(encoding string, r io.Reader) (io.ReadCloser, error) {
	switch encoding {
	case "", "identity", "aws-chunked": // the last is how S3 was written to
		encoding = "none"
	case "x-gzip":
		encoding = "gzip"
	}
	codec, err := findCodec(encoding)
	if err != nil {
		return nil, err
	}
	return codec.reader(r)
}

// Describe asks what kind of cache it is, once. The error wraps fs.ErrNotExist if
// it answers that there is no cache.
func (c *Cache) Describe(ctx context.Context) (Description, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.about != nil || c.failed != nil {
		if c.failed != nil {
			return Description{}, c.failed
		}
		return *c.about, nil
	}
	d, err := c.describe(ctx)
	if err != nil {
		if ctx.Err() == nil {
			c.failed = err
		}
		return Description{}, err
	}
	if c.config.Priority != nil {
		d.Priority = *c.config.Priority
	}
	if c.config.MassQuery != nil {
		d.MassQuery = *c.config.MassQuery
	}
	c.about = &d
	return d, nil
}

func (c *Cache) describe(ctx context.Context) (Description, error) {
	if c.opts.Memory != nil {
		if d, known := c.opts.Memory.Description(c.String()); known {
			return d, nil
		}
	}
	text, err := c.read(ctx, infoFile, maxInfoSize)
	if errors.Is(err, fs.ErrNotExist) {
		return Description{}, fmt.Errorf("'%s' does not appear to be a binary cache: %w", c, err)
	}
	if err != nil {
		return Description{}, fmt.Errorf("cannot ask the binary cache '%s': %w", c, err)
	}
	d, err := parseDescription(text, c.config.StoreDir)
	if err != nil {
		return d, fmt.Errorf("binary cache '%s': %w", c, err)
	}
	if c.opts.Memory != nil {
		c.opts.Memory.SetDescription(c.String(), d)
	}
	return d, nil
}

func parseDescription(text, storeDir string) (Description, error) {
	d := Description{Priority: defaultPriority}
	for line := range strings.Lines(text) {
		name, value, ok := strings.Cut(line, ":")
		if !ok {
			continue
		}
		switch value = strings.TrimSpace(value); name {
		case "StoreDir":
			if value != storeDir {
				return d, fmt.Errorf("it is for Nix stores with prefix '%s', not '%s'", value, storeDir)
			}
		case "WantMassQuery":
			d.MassQuery = value == "1"
		case "Priority":
			n, err := strconv.Atoi(value)
			if err != nil {
				return d, fmt.Errorf("%s: the priority '%s' is not a number", infoFile, value)
			}
			d.Priority = n
		}
	}
	return d, nil
}

// Info returns what the cache says about the object at p; the error wraps
// store.ErrNotFound if it says that it does not have it. Answers are remembered.
func (c *Cache) Info(ctx context.Context, p storepath.Path) (*narinfo.Info, error) {
	hash := p.HashPart()
	c.mu.Lock()
	info, known := c.known[hash]
	c.mu.Unlock()
	if !known {
		var err error
		if info, err = c.lookup(ctx, p); err != nil {
			return nil, err
		}
		c.remember(hash, info)
	}
	switch {
	case info == nil:
		return nil, fmt.Errorf("path '%s' is not in '%s': %w", p, c, store.ErrNotFound)
	case info.Path != p:
		return nil, &narinfo.FormatError{Whence: c.String() + "/" + narinfo.File(p), Reason: fmt.Sprintf("asked for '%s' but got '%s'", p, info.Path)}
	}
	return info, nil
}

func (c *Cache) remember(hash string, info *narinfo.Info) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.known[hash] = info
}

// lookup asks memory, then the cache; nil without an error says that there is
// nothing.
func (c *Cache) lookup(ctx context.Context, p storepath.Path) (*narinfo.Info, error) {
	url, hash, name := c.String(), p.HashPart(), narinfo.File(p)
	if c.opts.Memory != nil {
		if text, known := c.opts.Memory.Info(url, hash); known {
			if text == "" {
				return nil, nil
			}
			if info, err := narinfo.ParseIn(c.config.StoreDir, text, name); err == nil {
				return info, nil
			}
		}
	}
	text, err := c.read(ctx, name, narinfo.MaxSize)
	if errors.Is(err, fs.ErrNotExist) {
		if c.opts.Memory != nil {
			c.opts.Memory.SetInfo(url, hash, "")
		}
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("ask '%s' for '%s': %w", c, p, err)
	}
	info, err := narinfo.ParseIn(c.config.StoreDir, text, url+"/"+name)
	if err != nil {
		return nil, err
	}
	if c.opts.Memory != nil {
		c.opts.Memory.SetInfo(url, hash, text)
	}
	return info, nil
}

// Forget makes the cache be asked again about p.
func (c *Cache) Forget(p storepath.Path) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.known, p.HashPart())
	if c.opts.Memory != nil {
		c.opts.Memory.SetInfo(c.String(), p.HashPart(), "")
	}
}

// ErrGone is wrapped by the error about an archive that the cache announces and
// does not have.
var ErrGone = errors.New("does not exist in binary cache")

// Open returns the archive of an object, decompressed as it is read. progress is
// told the compressed bytes that have come and, if it is known, their total; it
// may be nil. Nothing is checked but that not much more comes than a compressed
// archive of that size can have.
func (c *Cache) Open(ctx context.Context, info *narinfo.Info, progress func(done, total int64)) (io.ReadCloser, error) {
	codec, err := findCodec(info.Codec())
	if err != nil {
		return nil, fmt.Errorf("archive of '%s': %w", info.Path, err)
	}
	release, err := c.acquire(ctx)
	if err != nil {
		return nil, err
	}
	d, err := newDownload(ctx, c.storage, info.URL, c.opts.Patience, progress)
	if err != nil {
		release()
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("file '%s' %w '%s'", info.URL, ErrGone, c)
		}
		return nil, err
	}
	a := &archive{release: release}
	a.closers = append(a.closers, d)
	most := info.FileSize
	if most == 0 {
		most = info.NarSize + info.NarSize/8 + 1<<20
	}
	outer, err := decode(d.object.Encoding, &limited{d, most, fmt.Errorf("archive '%s' of '%s': %w", info.URL, info.Path, errTooLong)})
	if err == nil {
		a.closers = append(a.closers, outer)
		var inner io.ReadCloser
		if inner, err = codec.reader(outer); err == nil {
			a.closers = append(a.closers, inner)
			a.Reader = inner
			return a, nil
		}
	}
	a.Close()
	return nil, fmt.Errorf("archive '%s' of '%s': %w", info.URL, info.Path, err)
}

// archive is an archive that is being read.
type archive struct {
	io.Reader
	closers []io.Closer
	release func()
}

// Close implements io.Closer.
func (a *archive) Close() error {
	var err error
	// The transfer goes first, so that nothing waits for data.
	for _, c := range a.closers {
		if e := c.Close(); err == nil {
			err = e
		}
	}
	a.release()
	return err
}
