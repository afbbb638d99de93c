package eval

import (
	"strings"

	"gonix/parser/source"
)

// Comment returns the documentation comment, /** … */, that stands right before
// a place, without its marks and its indentation; "" if there is none (RFC 145).
func (s *State) Comment(pos source.Pos) string {
	text, ok := s.textBefore(pos)
	if !ok {
		return ""
	}
	comment, _ := docComment(startOfPath(text))
	return comment
}

// FunctionComment returns the documentation of the function that begins at pos:
// the comment right before it, or else that of the function whose body it is, or
// of the attribute whose value it is.
func (s *State) FunctionComment(pos source.Pos) string {
	text, ok := s.textBefore(pos)
	for ok {
		var comment string
		if comment, text = docComment(text); comment != "" {
			return comment
		}
		text, ok = aroundFunction(text)
	}
	return ""
}

// textBefore is what stands before a place in its file.
func (s *State) textBefore(pos source.Pos) (string, bool) {
	f := s.th.Sources.File(pos)
	if f == nil {
		return "", false
	}
	return f.Text[:f.Offset(pos)], true
}

const space = " \t\r\n"

// docComment returns the documentation comment at the end of text, and the text
// before the comments there. Between the comment and the end there may be white
// space and other comments.
func docComment(text string) (comment, before string) {
	for {
		text = strings.TrimRight(text, space)
		line := text[strings.LastIndexByte(text, '\n')+1:]
		if strings.HasPrefix(strings.TrimLeft(line, space), "#") {
			text = text[:len(text)-len(line)]
			continue
		}
		if !strings.HasSuffix(text, "*/") {
			return "", text
		}
		open := strings.LastIndex(text[:len(text)-2], "/*")
		if open < 0 {
			return "", text
		}
		inner := text[open+2 : len(text)-2]
		text = text[:open]
		if doc, ok := strings.CutPrefix(inner, "*"); ok && doc != "" && doc[0] != '*' {
			return unindent("   " + doc), text // the columns of the mark
		}
	}
}

// aroundFunction goes on from a function to what it belongs to: from the body
// in x: body to before x, from the value in a.b = value to before a.
func aroundFunction(text string) (before string, ok bool) {
	text = strings.TrimRight(strings.TrimRight(text, space+"("), space)
	switch {
	case strings.HasSuffix(text, ":"):
		text = strings.TrimRight(text[:len(text)-1], space)
		if strings.HasSuffix(text, "}") {
			return startOfFormals(text)
		}
		before = startOfName(text)
		if at := strings.TrimRight(before, space); strings.HasSuffix(at, "@") { // { … }@x
			return startOfFormals(strings.TrimRight(at[:len(at)-1], space))
		}
		return before, before != text
	case strings.HasSuffix(text, "="):
		text = strings.TrimRight(text[:len(text)-1], space)
		if strings.HasSuffix(text, `"`) {
			before = text[:max(strings.LastIndexByte(text[:len(text)-1], '"'), 0)]
		} else {
			before = startOfName(text)
		}
		return startOfPath(before), len(before) < len(text)
	}
	return "", false
}

// startOfName is text without the identifier at its end.
func startOfName(text string) string {
	return strings.TrimRightFunc(text, func(c rune) bool {
		return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-' || c == '\''
	})
}

// startOfPath is text without what there is of an attribute path before the
// name that begins at its end. Such a path is a.b."c d".
func startOfPath(text string) string {
	for {
		if !strings.HasSuffix(text, ".") {
			return text
		}
		rest := text[:len(text)-1]
		if strings.HasSuffix(rest, `"`) {
			open := strings.LastIndexByte(rest[:len(rest)-1], '"')
			if open < 0 {
				return text
			}
			text = rest[:open]
			continue
		}
		name := startOfName(rest)
		if name == rest {
			return text
		}
		text = name
	}
}

// startOfFormals is text without the pattern at its end, { … } or x@{ … }.
func startOfFormals(text string) (before string, ok bool) {
	depth := 0
	for i := len(text) - 1; i >= 0; i-- {
		switch text[i] {
		case '}':
			depth++
		case '{':
			if depth--; depth == 0 {
				before := strings.TrimRight(text[:i], space)
				if strings.HasSuffix(before, "@") {
					return startOfName(strings.TrimRight(before[:len(before)-1], space)), true
				}
				return text[:i], true
			}
		}
	}
	return "", false
}

// unindent removes the indentation that all lines have in common, and white
// space around the text.
func unindent(text string) string {
	lines := strings.Split(text, "\n")
	margin := -1
	for _, l := range lines {
		if rest := strings.TrimLeft(l, " "); strings.TrimSpace(rest) != "" && (margin < 0 || len(l)-len(rest) < margin) {
			margin = len(l) - len(rest)
		}
	}
	for i, l := range lines {
		lines[i] = strings.TrimRight(l[min(max(margin, 0), len(l)-len(strings.TrimLeft(l, " "))):], space)
	}
	return strings.Trim(strings.Join(lines, "\n"), "\n")
}
