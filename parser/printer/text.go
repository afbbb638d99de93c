package printer

// AppendString appends s between quotes, with the escapes that Nix prints.
func AppendString(b []byte, s string) []byte {
	b = append(b, '"')
	for i := range len(s) {
		switch c := s[i]; c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, `\n`...)
		case '\r':
			b = append(b, `\r`...)
		case '\t':
			b = append(b, `\t`...)
		case '$':
			if i+1 < len(s) && s[i+1] == '{' {
				b = append(b, '\\')
			}
			b = append(b, c)
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}

// AppendName appends a name, between quotes unless it is an identifier. The word
// or is one here.
func AppendName(b []byte, s string) []byte {
	if isIdentifier(s) {
		return append(b, s...)
	}
	return AppendString(b, s)
}

// isIdentifier reports whether s needs no quotes as an attribute's name.
func isIdentifier(s string) bool {
	switch s {
	case "", "if", "then", "else", "assert", "with", "let", "in", "rec", "inherit":
		return false
	}
	for i := range len(s) {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', c == '_':
		case i > 0 && ('0' <= c && c <= '9' || c == '-' || c == '\''):
		default:
			return false
		}
	}
	return true
}
