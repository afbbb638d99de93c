package binarycache

import (
	"context"
	"fmt"
	"io"
	"os"

	"gonix/derivation/narinfo"
	"gonix/derivation/nixhash"
	"gonix/derivation/signature"
	"gonix/derivation/store"
	"gonix/derivation/storepath"
)

// Begin prepares the cache for being written to: one that is not there is made.
func (c *Cache) Begin(ctx context.Context) error {
	if c.Foreign() {
		return fmt.Errorf("write to '%s': it is for Nix stores with prefix '%s', not '%s'", c, c.config.StoreDir, storepath.Dir)
	}
	has, err := c.has(ctx, infoFile)
	if err != nil {
		return fmt.Errorf("write to '%s': %w", c, err)
	}
	if !has {
		return c.putText(ctx, infoFile, "StoreDir: "+storepath.Dir+"\n", "text/x-nix-cache-info")
	}
	text, err := c.read(ctx, infoFile, maxInfoSize)
	if err == nil {
		_, err = parseDescription(text, c.config.StoreDir)
	}
	if err != nil {
		return fmt.Errorf("write to '%s': %w", c, err)
	}
	return nil
}

func (c *Cache) putText(ctx context.Context, name, text, mediaType string) error {
	return c.put(ctx, name, newSeeker(text), int64(len(text)), mediaType)
}

func (c *Cache) put(ctx context.Context, name string, content io.ReadSeeker, size int64, mediaType string) error {
	release, err := c.acquire(ctx)
	if err != nil {
		return err
	}
	defer release()
	err = c.opts.Patience.retry(ctx, func() error { return c.storage.Put(ctx, name, content, size, mediaType) })
	if err != nil {
		return fmt.Errorf("write to '%s': %w", c, err)
	}
	return nil
}

// Has reports whether the cache has the object at p. It asks the cache itself.
func (c *Cache) Has(ctx context.Context, p storepath.Path) (bool, error) {
	has, err := c.has(ctx, narinfo.File(p))
	if err != nil {
		return false, fmt.Errorf("ask '%s' for '%s': %w", c, p, err)
	}
	return has, nil
}

func (c *Cache) has(ctx context.Context, name string) (has bool, err error) {
	release, err := c.acquire(ctx)
	if err != nil {
		return false, err
	}
	defer release()
	err = c.opts.Patience.retry(ctx, func() (err error) {
		has, err = c.storage.Has(ctx, name)
		return err
	})
	return has, err
}

// Archive uploads the compressed archive of an object, which dump writes, and
// returns what the cache will say about it. The archive must have the hash and
// size that info gives.
func (c *Cache) Archive(ctx context.Context, info *store.Info, dump func(io.Writer) error) (*narinfo.Info, error) {
	n, err := c.archive(ctx, info, dump)
	if err != nil {
		return nil, fmt.Errorf("copy '%s' to '%s': %w", info.Path, c, err)
	}
	return n, nil
}

func (c *Cache) archive(ctx context.Context, info *store.Info, dump func(io.Writer) error) (*narinfo.Info, error) {
	adopter, inPlace := c.storage.(adopter)
	var f *os.File
	var err error
	if inPlace {
		f, err = adopter.create()
	} else {
		f, err = os.CreateTemp("", "gonix-nar-*")
	}
	if err != nil {
		return nil, err
	}
	adopted := false
	defer func() {
		if !adopted {
			discard(f)
		}
	}()
	n, err := c.compress(ctx, f, info, dump)
	if err != nil {
		return nil, err
	}
	if inPlace {
		adopted = true
		return n, adopter.adopt(f, n.URL)
	}
	has, err := c.has(ctx, n.URL)
	if err != nil || has {
		return n, err
	}
	return n, c.put(ctx, n.URL, f, n.FileSize, "application/x-nix-nar")
}

// compress writes the compressed archive to w.
func (c *Cache) compress(ctx context.Context, w io.Writer, info *store.Info, dump func(io.Writer) error) (*narinfo.Info, error) {
	file := &meter{ctx: ctx, w: w, sha: nixhash.SHA256.New()}
	z, err := c.codec.writer(file, c.config.Level, c.config.Parallel)
	if err != nil {
		return nil, err
	}
	nar := &meter{ctx: ctx, w: z, sha: nixhash.SHA256.New()}
	err = dump(nar)
	if e := z.Close(); err == nil {
		err = e
	}
	if err != nil {
		return nil, err
	}
	if hash := nixhash.Of(nixhash.SHA256, nar.sha); !hash.Equal(info.NarHash) || nar.n != info.NarSize {
		return nil, fmt.Errorf("the path is damaged: its archive has %d bytes and the hash %s instead of %d bytes and %s", nar.n, hash.SRI(), info.NarSize, info.NarHash.SRI())
	}
	n := &narinfo.Info{Info: *info, Compression: c.codec.name, FileHash: nixhash.Of(nixhash.SHA256, file.sha), FileSize: file.n}
	n.URL = "nar/" + n.FileHash.Base32() + ".nar" + c.codec.suffix
	return n, nil
}

// Publish uploads the file about an object whose archive is there, signed with
// the cache's keys. The objects that it refers to have been published before.
func (c *Cache) Publish(ctx context.Context, n *narinfo.Info) error {
	if err := Sign(&n.Info, c.opts.Keys); err != nil {
		return err
	}
	text := string(n.AppendTo(nil))
	if err := c.putText(ctx, narinfo.File(n.Path), text, "text/x-nix-narinfo"); err != nil {
		return err
	}
	c.remember(n.Path.HashPart(), n)
	if c.opts.Memory != nil {
		c.opts.Memory.SetInfo(c.String(), n.Path.HashPart(), text)
	}
	return nil
}

// Sign adds the signatures of keys to what is known about an object.
func Sign(info *store.Info, keys []signature.SecretKey) error {
	if len(keys) == 0 {
		return nil
	}
	f, err := signature.Fingerprint(info.Path, info.NarHash, info.NarSize, info.References)
	if err != nil {
		return err
	}
	info.Sigs = append([]string(nil), info.Sigs...)
	for _, k := range keys {
		info.Sigs = append(info.Sigs, k.Sign(f))
	}
	info.Sigs = sortedOnce(info.Sigs)
	return nil
}
