package nixstore

import (
	"errors"
	"fmt"
	"io"

	"gonix/derivation/store"
	"gonix/derivation/store/registration"
	"gonix/derivation/storepath"
)

func (x *Run) dumpDB() error {
	var paths []storepath.Path
	var err error
	if len(x.Args) > 0 {
		paths, err = x.followAll()
	} else {
		paths, err = x.Store.All(x.Context)
	}
	if err != nil {
		return err
	}
	var b []byte
	for _, p := range paths {
		info, err := x.Store.Info(x.Context, p)
		if err != nil {
			return err
		}
		b = registration.Append(b[:0], info, registration.Form{Hash: true, Deriver: true})
		if _, err := x.Out.Write(b); err != nil {
			return err
		}
	}
	return nil
}

func (x *Run) loadDB() error { return x.register(true, true, false) }

func (x *Run) registerValidity() error {
	return x.register(x.Flags.reregister, x.Flags.hashGiven, true)
}

// register registers what standard input describes, in one transaction.
func (x *Run) register(again, hashGiven, canonicalise bool) error {
	if err := x.noArguments(); err != nil {
		return err
	}
	var infos []store.Info
	index := map[storepath.Path]int{}
	for in := registration.NewReader(x.World.Stdin, hashGiven); ; {
		info, err := in.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if !again {
			if ok, err := x.Store.IsValid(x.Context, info.Path); err != nil {
				return err
			} else if ok {
				continue
			}
		}
		real := x.Store.RealPath(info.Path)
		if canonicalise {
			if err := store.Canonicalise(real); err != nil {
				return fmt.Errorf("register '%s': %w", info.Path, err)
			}
		}
		if !hashGiven {
			scan, err := store.ScanAndHash(x.Context, real, nil)
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
	return x.Store.Register(x.Context, infos)
}

func (x *Run) checkValidity() error {
	for _, arg := range x.Args {
		p, err := x.Follow(arg)
		if err != nil {
			return err
		}
		ok, err := x.Store.IsValid(x.Context, p)
		switch {
		case err != nil:
			return err
		case ok:
		case x.Flags.printInvalid:
			x.Println(p)
		default:
			return fmt.Errorf("path '%s' is not valid", p)
		}
	}
	return nil
}
