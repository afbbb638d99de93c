package bzip2

import (
	"cmp"
	"slices"
)

// maxLength is the longest code; decoders accept up to 20 bits.
const maxLength = 17

// codeLengths returns the length of each symbol's code. All symbols get one, for
// the format has no way to leave one out.
func codeLengths(freq []int) []int {
	weights := make([]int, len(freq))
	for i, f := range freq {
		weights[i] = max(f, 1)
	}
	for {
		lengths := huffman(weights)
		if slices.Max(lengths) <= maxLength {
			return lengths
		}
		for i, w := range weights {
			weights[i] = w/2 + 1 // flatter, so the longest code gets shorter
		}
	}
}

// huffman returns the depths in an optimal tree. There are three symbols or
// more.
func huffman(weights []int) []int {
	n := len(weights)
	type node struct{ weight, parent int }
	nodes := make([]node, n, 2*n-1)
	leaves := make([]int, n)
	for i, w := range weights {
		nodes[i].weight = w
		leaves[i] = i
	}
	slices.SortStableFunc(leaves, func(a, b int) int { return cmp.Compare(weights[a], weights[b]) })
	// New nodes come in ascending order of weight, so the lightest node is
	// always the next leaf or the next new one.
	made := n
	take := func() int {
		if len(leaves) > 0 && (made == len(nodes) || nodes[leaves[0]].weight <= nodes[made].weight) {
			i := leaves[0]
			leaves = leaves[1:]
			return i
		}
		made++
		return made - 1
	}
	for len(nodes) < 2*n-1 {
		a, b := take(), take()
		nodes[a].parent, nodes[b].parent = len(nodes), len(nodes)
		nodes = append(nodes, node{weight: nodes[a].weight + nodes[b].weight})
	}
	depths := make([]int, len(nodes))
	for i := len(nodes) - 2; i >= 0; i-- {
		depths[i] = depths[nodes[i].parent] + 1
	}
	return depths[:n]
}

// assignCodes gives out codes by length, and by symbol within a length.
func assignCodes(lengths []int) []uint32 {
	codes := make([]uint32, len(lengths))
	code := uint32(0)
	for l := 1; l <= maxLength; l++ {
		for s, sl := range lengths {
			if sl == l {
				codes[s] = code
				code++
			}
		}
		code <<= 1
	}
	return codes
}
