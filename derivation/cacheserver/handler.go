// Package cacheserver offers a local store as a binary cache over HTTP: a store
// and keys go in, an http.Handler comes out.
//
// Nothing is kept besides the store: files about objects are written and signed,
// and archives made, as they are asked for, uncompressed and streamed. An
// archive's name says which hash it must have; if the object was replaced by
// another since, the name is not known any more.
package cacheserver

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"gonix/derivation/binarycache"
	"gonix/derivation/nar"
	"gonix/derivation/narinfo"
	"gonix/derivation/signature"
	"gonix/derivation/store"
	"gonix/derivation/storepath"
)

// Handler answers the requests of binary caches' clients.
type Handler struct {
	Store    *store.Local
	Keys     []signature.SecretKey // that sign what is known of objects, in the answers only
	Priority int                   // 0 means 30, as nix-serve has it
	// Archives is how many are sent at once; others wait. 0 means 16.
	Archives int
	// Stall ends a transfer of which the client takes nothing for so long; 0
	// means a minute.
	Stall time.Duration
	// Log is told of what went wrong on this side; nil tells nobody.
	Log func(err error)

	slots chan struct{}
}

// New completes a Handler.
func New(h Handler) *Handler {
	if h.Priority == 0 {
		h.Priority = 30
	}
	if h.Archives <= 0 {
		h.Archives = 16
	}
	if h.Stall <= 0 {
		h.Stall = time.Minute
	}
	if h.Log == nil {
		h.Log = func(error) {}
	}
	h.slots = make(chan struct{}, h.Archives)
	return &h
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "this cache can only be read", http.StatusMethodNotAllowed)
		return
	}
	path := strings.TrimPrefix(r.URL.Path, "/")
	var err error
	switch hash, isInfo := strings.CutSuffix(path, ".narinfo"); {
	case path == "nix-cache-info":
		err = h.text(w, r, "text/x-nix-cache-info", fmt.Sprintf("StoreDir: %s\nWantMassQuery: 1\nPriority: %d\n", storepath.Dir, h.Priority))
	case isInfo:
		err = h.info(w, r, hash)
	case strings.HasPrefix(path, "nar/"):
		err = h.archive(w, r, strings.TrimPrefix(path, "nar/"))
	default:
		err = store.ErrNotFound
	}
	switch {
	case errors.Is(err, store.ErrNotFound):
		http.Error(w, "404", http.StatusNotFound)
	case err != nil && r.Context().Err() == nil:
		h.Log(fmt.Errorf("%s: %w", r.URL.Path, err))
		// Where the answer has begun this does nothing but end it.
		http.Error(w, "500", http.StatusInternalServerError)
	}
}

func (h *Handler) text(w http.ResponseWriter, r *http.Request, mediaType, text string) error {
	w.Header().Set("Content-Type", mediaType)
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	if r.Method == http.MethodHead {
		return nil
	}
	_, err := w.Write([]byte(text))
	return err
}

// find returns what is known of the object with this hash part.
func (h *Handler) find(ctx context.Context, hash string) (*store.Info, error) {
	if len(hash) != storepath.HashLen {
		return nil, store.ErrNotFound
	}
	p, err := h.Store.FromHashPart(ctx, hash)
	if err != nil {
		return nil, err
	}
	if p.IsZero() {
		return nil, store.ErrNotFound
	}
	return h.Store.Info(ctx, p)
}

// name is what the archive of an object is called.
func name(info *store.Info) string {
	return info.Path.HashPart() + "-" + info.NarHash.Base32() + ".nar"
}

func (h *Handler) info(w http.ResponseWriter, r *http.Request, hash string) error {
	info, err := h.find(r.Context(), hash)
	if err != nil {
		return err
	}
	n := narinfo.Info{Info: *info, URL: "nar/" + name(info), Compression: "none", FileHash: info.NarHash, FileSize: info.NarSize}
	n.Sigs = slices.Clone(n.Sigs)
	if err := binarycache.Sign(&n.Info, h.Keys); err != nil {
		return err
	}
	return h.text(w, r, "text/x-nix-narinfo", string(n.AppendTo(nil)))
}

func (h *Handler) archive(w http.ResponseWriter, r *http.Request, file string) error {
	hash, _, ok := strings.Cut(file, "-")
	if !ok {
		return store.ErrNotFound
	}
	info, err := h.find(r.Context(), hash)
	if err != nil {
		return err
	}
	if file != name(info) {
		return store.ErrNotFound
	}
	w.Header().Set("Content-Type", "application/x-nix-nar")
	w.Header().Set("Content-Length", strconv.FormatInt(info.NarSize, 10))
	w.Header().Set("ETag", `"`+info.NarHash.Base32()+`"`)
	if r.Method == http.MethodHead {
		return nil
	}
	select {
	case h.slots <- struct{}{}:
		defer func() { <-h.slots }()
	case <-r.Context().Done():
		return context.Cause(r.Context())
	}
	// An archive that has changed cannot have its length; the client sees that.
	return nar.Dump(&patient{w: w, control: http.NewResponseController(w), stall: h.Stall}, h.Store.RealPath(info.Path))
}

// patient lets a client take its time as long as it takes something.
type patient struct {
	w       http.ResponseWriter
	control *http.ResponseController
	stall   time.Duration
}

// Write implements io.Writer.
func (p *patient) Write(b []byte) (int, error) {
	if err := p.control.SetWriteDeadline(time.Now().Add(p.stall)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return 0, err
	}
	return p.w.Write(b)
}
