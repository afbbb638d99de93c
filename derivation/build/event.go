package build

import (
	"gonix/derivation/storepath"
)

// EventKind says what an [Event] tells.
type EventKind uint8

// What can happen to a derivation while [Run] is at work. Each derivation that
// has Started gets exactly one of Finished and Failed.
const (
	Planned  EventKind = iota // Total derivations will be built; Drv is zero
	Waiting                   // another process builds it; Text is the locked output
	Started                   // its builder is about to run
	Phase                     // the builder entered the phase named by Text
	LogLine                   // the builder wrote the line Text
	Bytes                     // Done of Total units are processed; Total is 0 if unknown; Text says of what
	Note                      // Text is for the user, with -Q too
	Finished                  // its outputs are valid
	Failed                    // Err says why not
	Skipped                   // a dependency failed; Err is a *DependencyError
)

var eventNames = [...]string{
	Planned: "planned", Waiting: "waiting", Started: "started", Phase: "phase", LogLine: "log", Bytes: "bytes",
	Note: "note", Finished: "finished", Failed: "failed", Skipped: "skipped",
}

// String is the kind in one word.
func (k EventKind) String() string { return eventNames[k] }

// Event is something to tell the user. Events are delivered one at a time, in
// the order in which things happened to a derivation.
type Event struct {
	Kind        EventKind
	Drv         storepath.Path
	Text        string
	Done, Total int64
	Err         error
}
