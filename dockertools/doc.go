// Package dockertools makes container images of store paths: a [Spec] goes in,
// an archive comes out that Docker, podman and every reader of OCI layouts load.
//
// [Builder] carries out derivations whose builder is builtin:docker-image. It
// reads the base image if there is one, copies the contents to the root, runs
// the scripts of the user in what will be the image, and writes one layer: the
// closure of everything that the image refers to, found by looking for hashes,
// and the files outside of the store. Then come configuration, manifest and the
// indexes of the archive. [Inspect] tells what a finished archive consists of.
//
// The flow, by package:
//
//	rootfs   base layers + contents + scripts → files outside of the store
//	layer    closure → groups of store paths
//	tarball  files → tar, compressed, hashed
//	image    layers → configuration, manifest
//	archive  image → file, and back
//	registry image → registry, and back
//	listing  image → its files
//	lint     configuration + files → what is wrong with them
//
// What must hold: the same Spec and store paths give the same bytes on every
// machine, for every user; the build closure is never part of an image; every
// path that the image refers to is.
package dockertools
