package cli

import (
	"gonix/derivation/store"
	"gonix/derivation/store/verify"
)

func (x *storeRun) verify() error {
	if err := x.noArguments(); err != nil {
		return err
	}
	opts := verify.Options{
		CheckContents: x.f.checkContents,
		Info:          x.info,
		Error:         func(text string) { x.p.printf("error: %s", text) },
	}
	if x.f.repair {
		opts.Repair = x.mend
	}
	wrong, err := verify.Run(x.ctx, x.st, opts)
	if err != nil {
		return err
	}
	if wrong {
		x.p.printf("warning: not all store errors were fixed")
		return exitError{1}
	}
	return nil
}

func (x *storeRun) verifyPath() error {
	subjects, err := x.followAll()
	if err != nil {
		return err
	}
	bad := false
	for _, p := range subjects {
		info, err := x.st.Info(x.ctx, p)
		if err != nil {
			return err
		}
		scan, err := store.ScanAndHash(x.ctx, x.st.RealPath(p), nil)
		if err != nil {
			return err
		}
		if !scan.NarHash.Equal(info.NarHash) {
			x.p.printf("error: %s", verify.Modified(info, scan))
			bad = true
		}
	}
	if bad {
		return exitError{1}
	}
	return nil
}

func (x *storeRun) repairPath() error {
	subjects, err := x.followAll()
	if err != nil {
		return err
	}
	for _, p := range subjects {
		if err := x.mend(x.ctx, p); err != nil {
			return err
		}
	}
	return nil
}
