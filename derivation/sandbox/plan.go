//go:build linux && (amd64 || arm64)

package sandbox

import (
	"bytes"
	"encoding/gob"
	"fmt"
	"io"
)

// plan is what the parent tells init: how the root looks and what runs in it.
// It travels as a gob, for texts may hold bytes that JSON cannot.
type plan struct {
	Root    string // physical directory: where a fresh root is mounted, or the root itself
	InPlace bool   // Root is the root, and writable; else a fresh, read-only one is made

	Dirs  []dir  // made in the fresh root, parents before children
	Files []file // likewise
	Links []link // likewise
	Binds []mount
	Store string // physical directory that becomes a writable /nix/store; "" for a read-only one of Binds only

	HostNetwork bool // else there is a loopback interface and nothing more
	UID, GID    int  // what the payload sees itself as

	Direct bool // no namespaces; the root, if any, is entered with chroot
	Probe  bool // only find out whether all this works
	Record bool // keep the payload root and record ownership
	Owners []ownerEntry

	NoRecorder bool // record by doing things for real, for tests of what is a last resort

	Args    []string // Args[0] is the name the program is called by
	Path    string   // the program
	Env     []string
	Dir     string
	Linux32 bool // the program belongs to the machine's 32-bit sibling
}

func (p *plan) encode() ([]byte, error) {
	var b bytes.Buffer
	if err := gob.NewEncoder(&b).Encode(p); err != nil {
		return nil, fmt.Errorf("write the sandbox's plan: %w", err)
	}
	return b.Bytes(), nil
}

// readPlan reads no more than the plan if r is an [io.ByteReader].
func readPlan(r io.Reader) (*plan, error) {
	var p plan
	if err := gob.NewDecoder(r).Decode(&p); err != nil {
		return nil, fmt.Errorf("read the sandbox's plan: %w", err)
	}
	return &p, nil
}

type dir struct {
	Path string
	Mode uint32
}

type file struct {
	Path, Content string
}

type link struct{ Path, Target string }

// mount is a bind mount of one physical file or directory.
type mount struct {
	Source   string // physical
	Target   string // in the root
	Writable bool
	Devices  bool // what Source holds may be used as a device
	Optional bool // leave it out if Source does not exist
}

// outcome is what init reports when all is over, as JSON; a process that ends
// without one was killed.
type outcome struct {
	Error  string       `json:",omitempty"` // the sandbox could not be made
	Errno  int          `json:",omitempty"` // the system's part of Error, if any
	Exit   int          `json:",omitempty"`
	Signal int          `json:",omitempty"`
	Owners []ownerEntry `json:",omitempty"`
	Notes  []string     `json:",omitempty"` // what the recorder has to tell
}

// ownerEntry is one row of an OwnerTable.
type ownerEntry struct {
	Dev, Ino uint64
	Owner    Owner
}
