package build

import (
	"context"
	"io"

	"gonix/derivation"
	"gonix/derivation/store"
	"gonix/derivation/storepath"
)

// Builder turns one job into file trees. Build returns when nothing of the job
// runs any more, also when ctx ends early. It is called concurrently.
//
// A Builder whose process failed returns an [ExitError]; any other error means
// that the job could not be carried out.
type Builder interface {
	Build(ctx context.Context, job *Job) error
}

// Job is one derivation whose inputs are valid, with everything that a Builder
// needs.
type Job struct {
	Drv     *derivation.Derivation
	DrvPath storepath.Path

	Inputs  []storepath.Path          // the closure of all inputs, sorted
	Outputs map[string]storepath.Path // where the outputs will be in the end

	// Dest says for each output at which physical path the Builder must leave
	// it. Nothing exists there yet; the directory around it does, holds nothing
	// but outputs, and is on the store's file system.
	Dest map[string]string

	Store   *store.Local
	TmpDir  string // physical, private and empty at the start; removed afterwards
	WorkDir string // the same on the store's file system; never kept

	Log   io.Writer // what the user may read when the build fails
	Cores int       // how many processors the build should use, at least 1

	KeepFailed bool
	Check      bool // the outputs are valid and will be compared, not replaced

	// LookupEnv looks up a variable of the user's environment, for
	// impureEnvVars. Never nil.
	LookupEnv func(name string) (string, bool)

	// Report tells the user how far the job is. Never nil.
	Report func(Event)
}
