package nix

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"gonix/cmd/internal/process"
	"gonix/derivation"
	"gonix/derivation/storepath"
)

// derivationVersion is the version of the JSON of derivations: that of Nix 2.34.
const derivationVersion = 4

// derivationShow is gonix derivation show and nix derivation show.
func derivationShow(ctx context.Context, w *process.World, name string, args []string) error {
	f, fs := newFlags(name, true, nil)
	var recursive bool
	fs.BoolVarP(&recursive, "recursive", "r", false, "all that they are built from, too")
	set, stop, err := f.begin(w, fs, args)
	if set == nil {
		return err
	}
	defer stop()
	return f.withInstallables(ctx, w, set, func(x *run, list []installable) error {
		var drvs []storepath.Path
		for _, i := range list {
			p, err := x.DeriverOf(i.Path)
			if err != nil {
				return err
			}
			drvs = append(drvs, p)
		}
		if recursive {
			if drvs, err = x.Store.Closure(ctx, drvs...); err != nil {
				return err
			}
		}
		all := map[string]any{}
		for _, p := range drvs {
			if !p.IsDerivation() {
				continue
			}
			drv, err := x.Store.ReadDerivation(ctx, p)
			if err != nil {
				return err
			}
			if all[p.Base()], err = derivationJSON(drv); err != nil {
				return fmt.Errorf("derivation '%s': %w", p, err)
			}
		}
		x.Progress.Close()
		return x.End(writeJSON(x.Out, map[string]any{"derivations": all, "version": derivationVersion}))
	})
}

// derivationJSON is a derivation in Nix's form.
func derivationJSON(drv *derivation.Derivation) (any, error) {
	env := map[string]string{}
	for name, text := range drv.Env {
		if name != "__json" {
			env[name] = text
		}
	}
	outputs := map[string]any{}
	for name, o := range drv.Outputs {
		out, err := outputJSON(o)
		if err != nil {
			return nil, err
		}
		outputs[name] = out
	}
	inputs := map[string]any{}
	for p, names := range drv.InputDrvs {
		inputs[p.Base()] = map[string]any{"dynamicOutputs": map[string]any{}, "outputs": names}
	}
	srcs := []string{}
	for _, p := range drv.InputSrcs {
		srcs = append(srcs, p.Base())
	}
	args := append([]string{}, drv.Args...)
	object := map[string]any{
		"args": args, "builder": drv.Builder, "env": env,
		"inputs": map[string]any{"drvs": inputs, "srcs": srcs},
		"name":   drv.Name, "outputs": outputs, "system": drv.Platform, "version": derivationVersion,
	}
	if text, ok := drv.Structured(); ok {
		// Numbers stay as they are written.
		d := json.NewDecoder(bytes.NewReader(text))
		d.UseNumber()
		var attrs any
		if err := d.Decode(&attrs); err != nil {
			return nil, fmt.Errorf("read structured attributes: %w", err)
		}
		object["structuredAttrs"] = attrs
	}
	return object, nil
}

func outputJSON(o derivation.Output) (any, error) {
	if o.HashAlgo == "" {
		return map[string]any{"path": o.Path.Base()}, nil
	}
	method, hash, err := o.Fixed()
	if err != nil {
		return nil, err
	}
	word := map[derivation.Method]string{derivation.Flat: "flat", derivation.Recursive: "nar", derivation.Text: "text"}[method]
	if hash.IsZero() {
		return map[string]any{"hashAlgo": o.HashAlgo[len(method.String()):], "method": word}, nil
	}
	return map[string]any{"hash": hash.SRI(), "method": word}, nil
}
