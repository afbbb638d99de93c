package nixstore

import (
	"gonix/cmd/internal/process"
	"gonix/derivation/store"
	"gonix/derivation/store/verify"
)

func (x *Run) verify() error {
	if err := x.noArguments(); err != nil {
		return err
	}
	opts := verify.Options{
		CheckContents: x.Flags.checkContents,
		Info:          x.Info,
		Error:         func(text string) { x.Progress.Printf("error: %s", text) },
	}
	if x.Flags.Repair {
		opts.Repair = x.Mend
	}
	wrong, err := verify.Run(x.Context, x.Store, opts)
	if err != nil {
		return err
	}
	if wrong {
		x.Progress.Printf("warning: not all store errors were fixed")
		return process.Exit(1)
	}
	return nil
}

func (x *Run) verifyPath() error {
	subjects, err := x.followAll()
	if err != nil {
		return err
	}
	bad := false
	for _, p := range subjects {
		info, err := x.Store.Info(x.Context, p)
		if err != nil {
			return err
		}
		scan, err := store.ScanAndHash(x.Context, x.Store.RealPath(p), nil)
		if err != nil {
			return err
		}
		if !scan.NarHash.Equal(info.NarHash) {
			x.Progress.Printf("error: %s", verify.Modified(info, scan))
			bad = true
		}
	}
	if bad {
		return process.Exit(1)
	}
	return nil
}

func (x *Run) repairPath() error {
	subjects, err := x.followAll()
	if err != nil {
		return err
	}
	for _, p := range subjects {
		if err := x.Mend(x.Context, p); err != nil {
			return err
		}
	}
	return nil
}
