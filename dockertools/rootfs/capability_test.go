package rootfs

import "testing"

// TestCapabilityForAnyRoot removes whom a capability is for.
func TestCapabilityForAnyRoot(t *testing.T) {
	const words = "\x00\x20\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
	const without = "\x01\x00\x00\x02" + words
	const with = "\x01\x00\x00\x03" + words + "\xe8\x03\x00\x00"
	for value, want := range map[string]string{with: without, without: without, with[:23]: with[:23], "": ""} {
		if got := forAnyRoot(value); got != want {
			t.Errorf("%q becomes %q", value, got)
		}
	}
}
