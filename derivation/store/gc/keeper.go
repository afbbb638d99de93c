package gc

import (
	"context"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"gonix/derivation/store"
)

// Keeper collects garbage when little of the disk is free. Its zero value never
// does. (Nix: LocalStore::autoGC)
type Keeper struct {
	MinFree  int64 // bytes below which a collection begins
	MaxFree  int64 // bytes at which it ends
	Interval time.Duration
	Bonds    store.Bonds
	Info     func(string)
	// Free returns the free bytes of the disk that dir is on; nil asks the system.
	Free func(dir string) (int64, error)

	mu    sync.Mutex
	last  time.Time // of the last look
	after int64     // what was free after the last collection
}

// MakeRoom looks how much is free, at most once in an interval, and collects.
func (k *Keeper) MakeRoom(ctx context.Context, st *store.Local) error {
	if k.MinFree <= 0 || k.MaxFree <= 0 {
		return nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	now := time.Now()
	if now.Before(k.last.Add(k.Interval)) {
		return nil
	}
	k.last = now
	free := k.Free
	if free == nil {
		free = freeBytes
	}
	n, err := free(st.Dir())
	if err != nil {
		return err
	}
	// What a collection could not free, the next one cannot either.
	if n >= k.MinFree || n >= k.MaxFree || k.after > 0 && float64(n) > float64(k.after)*0.97 {
		return nil
	}
	want := k.MaxFree - n
	if k.Info != nil {
		k.Info(fmt.Sprintf("running auto-GC to free %d bytes", want))
	}
	if _, err := Collect(ctx, st, Options{Action: DeleteDead, MaxFreed: want, Bonds: k.Bonds, Info: k.Info}); err != nil {
		return fmt.Errorf("make room: %w", err)
	}
	k.last = time.Now()
	k.after, err = free(st.Dir())
	return err
}

func freeBytes(dir string) (int64, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return 0, fmt.Errorf("free space of '%s': %w", dir, err)
	}
	return int64(st.Bavail) * int64(st.Bsize), nil
}
