package eval

import (
	"fmt"
	"slices"
	"strings"

	"gonix/eval/render"
	"gonix/eval/value"
	"gonix/parser/source"
)

// Colours of messages, as Nix's.
const (
	red     = "\x1b[31;1m"
	blue    = "\x1b[34;1m"
	magenta = "\x1b[35;1m"
	normal  = "\x1b[0m"
)

// RenderError writes an error with its trace, places and excerpts as C++ Nix
// does, without a newline at the end. Without showTrace only the outermost
// frames are shown.
func (s *State) RenderError(err error, showTrace, color bool) string {
	r := renderer{sources: s.th.Sources, color: color}
	return render.Terminal(r.render(value.AsError(err), showTrace), color)
}

type renderer struct {
	strings.Builder
	sources *source.Set
	color   bool
}

// paint is text in a colour, if there are any.
func (r *renderer) paint(colour, text string) string {
	if !r.color {
		return text
	}
	return colour + text + normal
}

func (r *renderer) render(e *value.Error, showTrace bool) string {
	prefix := r.paint(red, "error:") + " "
	frames := slices.DeleteFunc(slices.Clone(e.Frames), func(f value.TraceFrame) bool {
		return f.Msg == "" || f.Call && !showTrace
	})
	slices.Reverse(frames)
	if len(frames) > 0 {
		r.trace(frames, showTrace)
		r.WriteString("\n" + prefix)
	}
	r.WriteString(e.Msg + "\n")
	r.place("", e.Pos)
	for _, n := range e.Notes {
		r.WriteString(n + "\n")
	}
	return indent(prefix, strings.Repeat(" ", len("error: ")), strings.TrimRight(r.String(), " \t\n"))
}

// fewSkipped is how many repeated frames are still written out.
const fewSkipped = 5

// shownFrames is how many lines of trace are shown without --show-trace; a
// frame with a place counts twice.
const shownFrames = 3

func (r *renderer) trace(frames []value.TraceFrame, showTrace bool) {
	seen := map[value.TraceFrame]bool{}
	var skipped []value.TraceFrame
	count := 0
	flush := func() {
		if len(skipped) <= fewSkipped {
			for _, f := range skipped {
				count += r.frame(f)
			}
		} else {
			r.WriteString("\n" + r.paint(magenta, fmt.Sprintf("(%d duplicate frames omitted)", len(skipped))) + "\n")
		}
		skipped = skipped[:0]
	}
	truncated := false
	for _, f := range frames {
		if !showTrace && count > shownFrames {
			truncated = true
		}
		if truncated && !f.Always {
			continue
		}
		if seen[f] {
			skipped = append(skipped, f)
			continue
		}
		seen[f] = true
		flush()
		count++
		count += r.frame(f)
	}
	flush()
	if truncated {
		r.WriteString("\n" + r.paint(magenta, "(stack trace truncated; use '--show-trace' to show the full, detailed trace)") + "\n")
	}
}

// frame writes one frame and returns 1 if it has a place.
func (r *renderer) frame(f value.TraceFrame) int {
	r.WriteString("\n… " + f.Msg + "\n")
	if r.place("  ", f.Pos) {
		return 1
	}
	return 0
}

// place writes where pos is and the lines around it, if it is known.
func (r *renderer) place(margin string, pos source.Pos) bool {
	p, ok := r.sources.Position(pos)
	if !ok {
		return false
	}
	where := fmt.Sprintf("%s:%d:%d", p.File.Name, p.Line, p.Column)
	if r.color {
		fmt.Fprintf(r, "%s%sat %s%s%s:", margin, blue, magenta, where, normal)
	} else {
		fmt.Fprintf(r, "%sat %s:", margin, where)
	}
	if lines := source.Snippet(p, r.paint(red, "^")); lines != "" {
		r.WriteString("\n" + lines)
	}
	r.WriteString("\n")
	return true
}

// indent puts first before the first line of text and rest before the others,
// without white space at the ends of lines.
func indent(first, rest, text string) string {
	lines := strings.Split(text, "\n")
	for i, l := range lines {
		margin := rest
		if i == 0 {
			margin = first
		}
		lines[i] = strings.TrimRight(margin+l, " \t\r")
	}
	return strings.Join(lines, "\n")
}
