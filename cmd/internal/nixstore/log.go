package nixstore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"gonix/derivation/build"
	"gonix/derivation/store"
	"gonix/derivation/storepath"
)

// printEnv prints the environment of a derivation in the shell's language.
func (x *Run) printEnv() error {
	if len(x.Args) != 1 {
		return errors.New("'--print-env' requires one derivation store path")
	}
	p, err := storepath.Parse(x.Args[0])
	if err != nil {
		return err
	}
	drv, err := x.Store.ReadDerivation(x.Context, p)
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(drv.Env)) {
		// Nix, too, leaves a line between them.
		fmt.Fprintf(x.Out, "export %s; %s=%s\n\n", name, name, shellWord(drv.Env[name]))
	}
	fmt.Fprintf(x.Out, "export _args; _args=%s\n", shellWord(strings.Join(drv.Args, " ")))
	return nil
}

// shellWord quotes text for a shell.
func shellWord(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

func (x *Run) readLog() error {
	subjects, err := x.followAll()
	if err != nil {
		return err
	}
	for _, p := range subjects {
		if err := CopyLog(x.Context, x.Out, x.Store, p); err != nil {
			return err
		}
	}
	return nil
}

// CopyLog writes the log of the build of p, which is a derivation or an output.
func CopyLog(ctx context.Context, w io.Writer, st *store.Local, p storepath.Path) error {
	drv := p
	if !p.IsDerivation() {
		info, err := st.Info(ctx, p)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		if err == nil {
			drv = info.Deriver
		}
	}
	if !drv.IsZero() {
		log, err := build.OpenLog(st, drv)
		if err == nil {
			defer log.Close()
			_, err = io.Copy(w, log)
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return fmt.Errorf("build log of derivation '%s' is not available", p)
}
