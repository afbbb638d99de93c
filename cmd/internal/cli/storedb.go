package cli

import (
	"errors"
	"fmt"
	"io"

	"gonix/derivation/store"
	"gonix/derivation/store/registration"
	"gonix/derivation/storepath"
)

func (x *storeRun) dumpDB() error {
	var paths []storepath.Path
	var err error
	if len(x.args) > 0 {
		paths, err = x.followAll()
	} else {
		paths, err = x.st.All(x.ctx)
	}
	if err != nil {
		return err
	}
	var b []byte
	for _, p := range paths {
		info, err := x.st.Info(x.ctx, p)
		if err != nil {
			return err
		}
		b = registration.Append(b[:0], info, registration.Form{Hash: true, Deriver: true})
		if _, err := x.out.Write(b); err != nil {
			return err
		}
	}
	return nil
}

func (x *storeRun) loadDB() error { return x.register(true, true, false) }

func (x *storeRun) registerValidity() error {
	return x.register(x.f.reregister, x.f.hashGiven, true)
}

// register registers what standard input describes, in one transaction.
func (x *storeRun) register(again, hashGiven, canonicalise bool) error {
	if err := x.noArguments(); err != nil {
		return err
	}
	var infos []store.Info
	index := map[storepath.Path]int{}
	for in := registration.NewReader(x.w.stdin, hashGiven); ; {
		info, err := in.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if !again {
			if ok, err := x.st.IsValid(x.ctx, info.Path); err != nil {
				return err
			} else if ok {
				continue
			}
		}
		real := x.st.RealPath(info.Path)
		if canonicalise {
			if err := store.Canonicalise(real); err != nil {
				return fmt.Errorf("register '%s': %w", info.Path, err)
			}
		}
		if !hashGiven {
			scan, err := store.ScanAndHash(x.ctx, real, nil)
			if err != nil {
				return fmt.Errorf("register '%s': %w", info.Path, err)
			}
			info.NarHash, info.NarSize = scan.NarHash, scan.NarSize
		}
		if i, ok := index[info.Path]; ok {
			infos[i] = *info
			continue
		}
		index[info.Path] = len(infos)
		infos = append(infos, *info)
	}
	return x.st.Register(x.ctx, infos)
}

func (x *storeRun) checkValidity() error {
	for _, arg := range x.args {
		p, err := x.follow(arg)
		if err != nil {
			return err
		}
		ok, err := x.st.IsValid(x.ctx, p)
		switch {
		case err != nil:
			return err
		case ok:
		case x.f.printInvalid:
			x.println(p)
		default:
			return fmt.Errorf("path '%s' is not valid", p)
		}
	}
	return nil
}
