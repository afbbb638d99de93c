package terminal

import (
	"strings"
	"testing"
)

// TestTally is about the last line of those that are redrawn.
func TestTally(t *testing.T) {
	for _, test := range []struct {
		name string
		do   func(*Progress)
		want string
	}{
		{"built", func(p *Progress) { p.Started("a", "a", false); p.Ended("a", true) }, "[1/3 built, 0s]"},
		{"failed", func(p *Progress) { p.Started("a", "a", false); p.Ended("a", false) }, "[0/3 built (1 failed), 0s]"},
		{"copied", func(p *Progress) { p.Copying("a", "a", "file:///cache", ""); p.Ended("a", true) }, "[0/3 built, 1 copied, 0s]"},
		{"not copied", func(p *Progress) { p.Copying("a", "a", "file:///cache", ""); p.Ended("a", false) }, "[0/3 built, 0s]"},
		{"downloaded", func(p *Progress) {
			p.Started("a", "a", true)
			p.Received("a", 7, 7)
			p.Ended("a", true)
		}, "[1/3 built, 7 B downloaded, 0s]"},
		{"again", func(p *Progress) {
			p.Copying("a", "a", "file:///cache", "")
			p.Ended("a", true)
			p.Started("b", "b", false)
			p.Ended("b", false)
			p.Again(true)
			p.SetTotal(1)
		}, "[0/1 built, 0s]"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var screen strings.Builder
			p := New(&screen, true, func() int { return 80 })
			p.SetTotal(3)
			test.do(p)
			p.draw()
			if got := screen.String(); got != "\x1b[2K"+test.want+"\n" {
				t.Errorf("the line is %q, should be %q", got, test.want)
			}
		})
	}
}
