// Package registry moves images between archives and registries.
//
// [Client.Push] takes an [image.Image], whose layers are only descriptors and a
// way to open them: the registry is asked for each blob first, and what it has
// is not even read. [Client.PushIndex] pushes several images under one name,
// [Client.Attach] puts a document such as an SBOM beside an image, and
// [Client.Pull] returns an image whose layers are read from the registry when
// somebody opens them.
//
// [Trust] says which certificates are believed and shown. The protocol, credentials
// and retries are those of go-containerregistry; this
// package is the arrow from package image to it and back. Below it, requests that
// nothing moves in for some minutes are given up, and blobs that break off go on
// where they did. The protocol is the OCI distribution specification 1.1.
package registry
