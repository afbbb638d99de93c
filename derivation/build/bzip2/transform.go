package bzip2

// transform sorts all rotations of text and returns the last byte of each, and
// the place of text itself among them.
//
// Rotations are first sorted by one byte, then by 2, 4, 8 ... bytes: the order
// by h bytes gives, as a pair of places, the order by 2h. Each round is a
// counting sort, so the whole takes n log n steps whatever the text is.
func transform(text []byte) (last []byte, origin int) {
	n := len(text)
	order := make([]int32, n) // rotations, sorted by h bytes
	class := make([]int32, n) // of each rotation; equal ones have the same
	next := make([]int32, n)
	count := make([]int32, max(n, 256)+1)

	for _, b := range text {
		count[int(b)+1]++
	}
	for i := range 256 {
		count[i+1] += count[i]
	}
	for i, b := range text {
		order[count[b]] = int32(i)
		count[b]++
	}
	classes := int32(0)
	for i, r := range order {
		if i > 0 && text[r] != text[order[i-1]] {
			classes++
		}
		class[r] = classes
	}
	for h := 1; h < n && int(classes) < n-1; h *= 2 {
		clear(count)
		for _, c := range class {
			count[c+1]++
		}
		for i := range int(classes) + 1 {
			count[i+1] += count[i]
		}
		// A rotation's second half is what order is sorted by already, so taking
		// them in that order leaves only the first half to sort by.
		for _, r := range order {
			first := int(r) - h
			if first < 0 {
				first += n
			}
			next[count[class[first]]] = int32(first)
			count[class[first]]++
		}
		order, next = next, order
		classes = 0
		for i, r := range order {
			if i > 0 {
				prev := order[i-1]
				if class[r] != class[prev] || class[(int(r)+h)%n] != class[(int(prev)+h)%n] {
					classes++
				}
			}
			next[r] = classes
		}
		class, next = next, class
	}
	last = make([]byte, n)
	for i, r := range order {
		if r == 0 {
			origin = i
			r = int32(n)
		}
		last[i] = text[r-1]
	}
	return last, origin
}
