// Package hash is gonix hash, which is nix-hash and nix hash.
package hash

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/pflag"

	"gonix/cmd/internal/config"
	"gonix/cmd/internal/process"
	"gonix/derivation/nar"
	"gonix/derivation/nixhash"
)

// hashForms are the notations that hashes are printed in.
var hashForms = map[string]func(nixhash.Hash) string{
	"base16": nixhash.Hash.Base16,
	"base32": nixhash.Hash.Base32,
	"nix32":  nixhash.Hash.Base32,
	"base64": nixhash.Hash.Base64,
	"sri":    nixhash.Hash.SRI,
}

// flags is the command line of gonix hash, which is nix-hash's, and of the
// words after nix hash.
type flags struct {
	config.Flags
	form     string
	algo     string
	mode     string // nar or flat
	flat     bool
	truncate bool
	to, from string
}

// Command is gonix hash, which is nix-hash.
func Command(ctx context.Context, w *process.World, name string, args []string) error {
	f := &flags{form: "base16"}
	fs := newHashFlagSet(name, f)
	fs.BoolVar(&f.flat, "flat", false, "hash the bytes of files, not archives")
	fs.BoolVar(&f.truncate, "truncate", false, "shorten the hash to 160 bits")
	fs.StringVar(&f.algo, "type", "", "`algorithm`: md5 (the default), sha1, sha256 or sha512")
	for _, form := range []string{"base16", "base32", "base64", "sri"} {
		fs.BoolFunc("to-"+form, "print the given hashes as "+form, func(string) error { f.to = form; return nil })
	}
	set, stop, err := config.Begin(w, f, fs, args, config.Usage{
		Forms: []string{"[FLAG]... FILE..."},
		About: "Print hashes of files, or of the archives of files and folders; or print hashes\nin another form.",
	})
	if set == nil {
		return err
	}
	defer stop()
	if f.to != "" {
		return f.convert(w, f.Args)
	}
	if f.algo == "" {
		f.algo = "md5"
	}
	f.mode = "nar"
	if f.flat {
		f.mode = "flat"
	}
	return f.hash(ctx, w, f.Args)
}

func newHashFlagSet(name string, f *flags) *pflag.FlagSet {
	fs := config.NewFlagSet(name)
	for _, form := range []string{"base16", "base32", "base64", "sri"} {
		fs.BoolFunc(form, "print hashes as "+form, func(string) error { f.form = form; return nil })
	}
	f.DeclareSettings(fs)
	f.DeclareLast(fs)
	return fs
}

// Nix is nix hash file and nix hash path.
func Nix(ctx context.Context, w *process.World, name string, args []string) error {
	f := &flags{form: "sri", algo: "sha256", mode: "nar"}
	if name == "nix hash file" {
		f.mode = "flat"
	}
	fs := newHashFlagSet(name, f)
	fs.StringVar(&f.algo, "type", f.algo, "`algorithm`")
	if name == "nix hash path" {
		fs.StringVar(&f.algo, "algo", f.algo, "`algorithm`")
		fs.StringVar(&f.mode, "mode", f.mode, "nar, or flat for the bytes of a file (a `mode`)")
		fs.StringVar(&f.form, "format", f.form, "`form` in which hashes are printed")
	}
	set, stop, err := config.Begin(w, f, fs, args, config.Usage{Forms: []string{"[FLAG]... ARGUMENT..."}})
	if set == nil {
		return err
	}
	defer stop()
	return f.hash(ctx, w, f.Args)
}

// Convert is nix hash convert and the older nix hash to-FORM.
func Convert(_ context.Context, w *process.World, name string, args []string) error {
	f := &flags{to: "sri"}
	fs := newHashFlagSet(name, f)
	if name == "nix hash convert" {
		fs.StringVar(&f.algo, "hash-algo", "", "`algorithm` of hashes that do not say it")
		fs.StringVar(&f.from, "from", "", "`form` that the hashes must have")
		fs.StringVar(&f.to, "to", f.to, "`form` in which they are printed")
	} else {
		fs.StringVar(&f.algo, "type", "", "`algorithm` of hashes that do not say it")
		f.to = name[len("nix hash to-"):]
		w.Warn("The old format conversion subcommands of `nix hash` were deprecated in favor of `nix hash convert`.")
	}
	set, stop, err := config.Begin(w, f, fs, args, config.Usage{Forms: []string{"[FLAG]... ARGUMENT..."}})
	if set == nil {
		return err
	}
	defer stop()
	if name == "nix hash convert" && (f.to == "base32" || f.from == "base32") {
		w.Warn(`"base32" is a deprecated alias for hash format "nix32".`)
	}
	return f.convert(w, f.Args)
}

// form returns how to print hashes.
func formOf(name string) (func(nixhash.Hash) string, error) {
	show, ok := hashForms[name]
	if !ok {
		return nil, fmt.Errorf("unknown hash format '%s', expect 'base16', 'base32', 'base64', or 'sri'", name)
	}
	return show, nil
}

func (f *flags) hash(ctx context.Context, w *process.World, files []string) error {
	algo, err := nixhash.ParseAlgorithm(f.algo)
	if err != nil {
		return err
	}
	show, err := formOf(f.form)
	if err != nil {
		return err
	}
	for _, file := range files {
		h := algo.New()
		switch f.mode {
		case "flat":
			err = CopyFile(h, w.Abs(file))
		case "nar", "recursive":
			err = nar.Dump(h, w.Abs(file))
		default:
			err = fmt.Errorf("unknown file ingestion method '%s', expect 'flat', 'nar', or 'git'", f.mode)
			if f.mode == "git" {
				err = errors.New("hashing as git does is not supported")
			}
		}
		if err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		hash := nixhash.Of(algo, h)
		if f.truncate && len(hash.Digest) > 20 {
			hash.Digest = nixhash.Compress(hash.Digest, 20)
		}
		if _, err := fmt.Fprintln(w.Stdout, show(hash)); err != nil {
			return err
		}
	}
	return nil
}

func CopyFile(dst io.Writer, name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(dst, f)
	return err
}

func (f *flags) convert(w *process.World, hashes []string) error {
	algo := nixhash.Unknown
	var err error
	if f.algo != "" {
		if algo, err = nixhash.ParseAlgorithm(f.algo); err != nil {
			return err
		}
	}
	show, err := formOf(f.to)
	if err != nil {
		return err
	}
	from := f.from
	if from == "base32" {
		from = "nix32"
	}
	for _, text := range hashes {
		h, notation, err := nixhash.ParseNotation(text, algo)
		if err != nil {
			return err
		}
		if from != "" && from != notation {
			return fmt.Errorf("input hash '%s' has format '%s', but '--from %s' was specified", text, notation, from)
		}
		fmt.Fprintln(w.Stdout, show(h))
	}
	return nil
}
