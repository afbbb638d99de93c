package source

import (
	"fmt"
	"strings"
)

// Snippet shows a place the way Nix does beneath "at FILE:LINE:COLUMN:": the
// line before, the line itself with a caret under the column, and the line
// after, each with its number. There is no line end after the last and no space
// at the end of a line; messages indent it by seven more columns. It is empty if
// the line does not exist. caret is "^", in colour or not.
func Snippet(pos Position, caret string) string {
	var out []string
	show := func(n int) {
		if n < 1 || n > pos.File.LineCount() {
			return
		}
		out = append(out, strings.TrimRight(fmt.Sprintf(" %5d| %s", n, pos.File.Line(n)), " \t\r\n"))
		if n == pos.Line && pos.Column > 0 {
			out = append(out, "      |"+strings.Repeat(" ", pos.Column)+caret)
		}
	}
	for n := pos.Line - 1; n <= pos.Line+1; n++ {
		show(n)
	}
	return strings.Join(out, "\n")
}
