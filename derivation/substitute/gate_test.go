package substitute

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"gonix/derivation/storepath"
)

// TestGate lets the largest go first, and forgets who has stopped waiting.
func TestGate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := gate{free: 1}
		p := storepath.MustParse("/nix/store/00000000000000000000000000000000-x")
		if err := g.enter(t.Context(), p, 1); err != nil {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		var order []int64
		for _, size := range []int64{3, 9, 5, 7} {
			all.Go(func() {
				if err := g.enter(t.Context(), p, size); err != nil {
					t.Error(err)
				}
				order = append(order, size) // one at a time
				g.leave()
			})
		}
		ctx, cancel := context.WithCancel(t.Context())
		all.Go(func() {
			if err := g.enter(ctx, p, 8); !errors.Is(err, context.Canceled) {
				t.Errorf("error %v", err)
			}
		})
		synctest.Wait()
		cancel()
		synctest.Wait()
		g.leave()
		all.Wait()
		if !slices.Equal(order, []int64{9, 7, 5, 3}) || g.free != 1 {
			t.Errorf("order %v, %d free", order, g.free)
		}
	})
}
