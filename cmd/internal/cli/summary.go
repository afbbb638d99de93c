package cli

import (
	"context"

	"gonix/derivation/store"
)

func summarise(ctx context.Context, w *world, st *store.Local, wishes []wish) error { return nil }
