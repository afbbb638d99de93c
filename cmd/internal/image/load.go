package image

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"

	"gonix/cmd/internal/process"
	"gonix/dockertools/archive"
	"gonix/dockertools/image"

	"github.com/spf13/pflag"
)

// loaders are the programs that take an archive on standard input.
var loaders = []string{"podman", "docker"}

func loadVerb(ctx context.Context, w *process.World, fs *pflag.FlagSet, f *flags) func([]string) error {
	with := fs.String("with", "", "the `program`: podman or docker (default: the first that is found)")
	return func(args []string) error {
		if len(args) == 0 {
			args = []string{"result"}
		}
		if len(args) != 1 {
			return errArguments
		}
		// What is no image must not reach the program.
		img, err := f.open(ctx, w, args[0])
		if err != nil {
			return err
		}
		names := loaders
		if *with != "" {
			names = []string{*with}
		}
		for _, name := range names {
			program, err := exec.LookPath(name)
			if errors.Is(err, exec.ErrNotFound) {
				continue
			}
			if err != nil {
				return err
			}
			return f.load(ctx, w, program, args[0], img)
		}
		return fmt.Errorf("no program to load the image: neither podman nor docker is in PATH, or not the one that --with names")
	}
}

// load hands an image to program: an archive as it is; of an image of a registry
// or in a directory, an archive is made on the way.
func (f *flags) load(ctx context.Context, w *process.World, program, arg string, img archive.Tagged) error {
	cmd := exec.CommandContext(ctx, program, "load")
	cmd.Stdout, cmd.Stderr = w.Stdout, w.Stderr
	if file, ok, err := f.archiveFile(w, arg); err != nil {
		return err
	} else if ok {
		defer file.Close()
		cmd.Stdin = file
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("%s load: %w", program, err)
		}
		return nil
	}
	// Names without both parts, as in layouts, are none that a client takes.
	var refs []image.Reference
	for _, ref := range img.References {
		if _, err := image.NewReference(ref.Name, ref.Tag); err == nil {
			refs = append(refs, ref)
		}
	}
	spool, err := os.MkdirTemp("", "gonix-image-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(spool)
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("%s load: %w", program, err)
	}
	err = streamArchive(in, spool, archive.Tagged{Image: img.Image, References: refs})
	if err != nil {
		// Half an archive must not be taken for a whole one.
		cmd.Process.Kill()
	}
	in.Close()
	if e := cmd.Wait(); e != nil && (err == nil || errors.Is(err, syscall.EPIPE)) {
		err = e
	}
	if err != nil {
		return fmt.Errorf("%s load: %w", program, err)
	}
	return nil
}

// archiveFile opens what arg names, if it is an archive.
func (f *flags) archiveFile(w *process.World, arg string) (*os.File, bool, error) {
	if strings.HasPrefix(arg, remotePrefix) {
		return nil, false, nil
	}
	name, err := f.locate(w, arg)
	if err != nil {
		return nil, false, err
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, false, err
	}
	info, err := file.Stat()
	if err != nil || info.IsDir() {
		file.Close()
		return nil, false, err
	}
	return file, true, nil
}

// streamArchive writes the image to a stream; layers pass through files in
// spool, since the digest comes first.
func streamArchive(out io.Writer, spool string, img archive.Tagged) error {
	w, err := archive.NewStreamWriter(out, spool)
	if err != nil {
		return err
	}
	for _, l := range img.Image.Layers() {
		if err := w.Copy(l); err != nil {
			return err
		}
	}
	return w.Finish([]archive.Tagged{img})
}
