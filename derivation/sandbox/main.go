//go:build linux && (amd64 || arm64)

package sandbox

import (
	"fmt"
	"os"
	"runtime"
)

// Names under which the executable is started again, see the package comment.
const (
	initName    = "gonix-sandbox-init"
	payloadName = "gonix-sandbox-payload"
	directName  = "gonix-direct-payload"
)

// stages says what each name means.
var stages = map[string]func() error{
	initName:    runInit,
	payloadName: runPayload,
	directName:  runDirectPayload,
}

// Main must be the first thing that a program with sandboxes does. If the
// process is one that this package has started, Main does its work and does not
// return.
func Main() {
	if len(os.Args) == 0 {
		return
	}
	stage, ok := stages[os.Args[0]]
	if !ok {
		return
	}
	// What threads inherit (namespaces, the parent death signal, filters) is
	// meant for the one that started.
	runtime.LockOSThread()
	if err := stage(); err != nil {
		fmt.Fprintf(os.Stderr, "error: %v\n", err)
		os.Exit(1)
	}
	os.Exit(0)
}
