package lexer

// pathOrURI scans a path or URI at i if there is one; done says so, more is
// false if the scan is over.
func (s *Scanner) pathOrURI(i int) (done, more bool) {
	text := s.text
	if text[i] == '~' {
		if s.at(i+1) != '/' {
			return false, true
		}
		if s.at(i+2) == '$' && s.at(i+3) == '{' {
			s.emit(HomeOpen, i, i+2)
			s.mode = inPath
			return true, true
		}
		if j := s.segments(i + 1); j > i+1 {
			return true, s.pathBody(HomePath, HomeOpen, i, j)
		}
		return false, true
	}
	run := s.run(i)
	switch s.at(run) {
	case '/':
		if j := s.segments(run); j > run {
			return true, s.pathBody(Path, PathOpen, i, j)
		}
		if s.at(run+1) == '$' && s.at(run+2) == '{' {
			s.emit(PathOpen, i, run+1)
			s.mode = inPath
			return true, true
		}
	case ':':
		if class[text[i]]&letter != 0 && s.runScheme <= i && class[s.at(run+1)]&uriChar != 0 {
			j := run + 1
			for j < len(text) && class[text[j]]&uriChar != 0 {
				j++
			}
			s.emit(URI, i, j)
			return true, true
		}
	}
	return false, true
}

// run returns the end of the path characters at i.
func (s *Scanner) run(i int) int {
	if i < s.runEnd {
		return s.runEnd
	}
	s.runScheme = i
	j := i
	for ; j < len(s.text); j++ {
		c := class[s.text[j]]
		if c&pathChar == 0 {
			break
		}
		if c&scheme == 0 {
			s.runScheme = j + 1
		}
	}
	s.runEnd = j
	return j
}

// segments returns the end of (/chars)+/? at i, or i.
func (s *Scanner) segments(i int) int {
	end := i
	for s.at(end) == '/' {
		j := end + 1
		for j < len(s.text) && class[s.text[j]]&pathChar != 0 {
			j++
		}
		if j == end+1 {
			if end > i {
				return j
			}
			return i
		}
		end = j
	}
	return end
}

// pathBody emits a path whose text up to end is known, whole if it ends there.
func (s *Scanner) pathBody(whole, open Type, start, end int) bool {
	slash := s.text[end-1] == '/'
	switch {
	case s.at(end) == '$' && s.at(end+1) == '{', slash:
		s.emit(open, start, end)
		s.mode = inPath
	default:
		s.emit(whole, start, end)
		if end == len(s.text) {
			return s.end(start) // where Nix sees the end of such a file
		}
	}
	return true
}

// pathPiece scans the next piece of a path with interpolation, or its end.
func (s *Scanner) pathPiece() bool {
	i := s.pos
	if s.at(i) == '$' && s.at(i+1) == '{' {
		s.emit(DollarCurly, i, i+2)
		s.push()
		return true
	}
	j := i
	for j < len(s.text) && class[s.text[j]]&pathChar != 0 {
		j++
	}
	if s.at(j) == '/' {
		if k := s.segments(j); k > j {
			j = k
		} else {
			j++
		}
	}
	if j > i {
		s.emit(Text, i, j)
		return true
	}
	atEnd := i == len(s.text)
	if s.text[i-1] == '/' {
		if atEnd {
			i = s.last
		}
		return s.fail(i, "path has a trailing slash")
	}
	s.mode = inCode
	// Where Nix sees the end of the path: at its last piece, or, at the end of
	// the file, one piece before; and there the file ends at the last piece.
	last := s.last
	if atEnd {
		s.add(PathEnd, s.prev, "")
		return s.end(last)
	}
	s.add(PathEnd, last, "")
	return true
}

// searchPathEnd returns the end of the <a/b> at i, or 0.
func (s *Scanner) searchPathEnd(i int) int {
	j := i + 1
	for {
		start := j
		for j < len(s.text) && class[s.text[j]]&pathChar != 0 {
			j++
		}
		if j == start {
			return 0
		}
		switch s.at(j) {
		case '>':
			return j + 1
		case '/':
			j++
		default:
			return 0
		}
	}
}
