//go:build !linux

package store

import "os"

// allocate gives f the length; whether blocks come with it is the file
// system's business.
func allocate(f *os.File, size int64) error { return f.Truncate(size) }
