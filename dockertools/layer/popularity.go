package layer

import (
	"cmp"
	"math/big"
	"slices"

	"gonix/derivation/storepath"
)

// popularityContest returns the paths one by one, those first that most chains of
// references lead to. For every chain a path counts by how far down it lies, as
// in nixpkgs' referencesByPopularity; paths that are equal in this are ordered
// by name, the hash last.
func popularityContest(s *subgraph) []*subgraph {
	c := contest{out: s.out, below: make(map[int]map[int]*big.Int, len(s.list))}
	total := c.count(s.roots())
	list := slices.Clone(s.list)
	slices.SortFunc(list, func(i, j int) int {
		a, b := total[i], total[j]
		switch {
		case a == nil || b == nil: // in a ring of references, which no root leads to
			if (a == nil) != (b == nil) {
				if a == nil {
					return 1
				}
				return -1
			}
		case a.Cmp(b) != 0:
			return b.Cmp(a)
		}
		return cmp.Compare(hashLast(s.all.items[i].Path), hashLast(s.all.items[j].Path))
	})
	parts := make([]*subgraph, len(list))
	for k, i := range list {
		parts[k] = s.induced(map[int]bool{i: true})
	}
	return parts
}

// hashLast is a path in the order in which paths of the same popularity come.
func hashLast(p storepath.Path) string {
	return p.Name() + "-" + storepath.DefaultDir + "/" + p.HashPart()
}

// contest remembers how popular what lies below a path is, seen from there.
// Numbers grow with the chains, of which a closure can have more than 64 bits
// count.
type contest struct {
	out   map[int][]int
	below map[int]map[int]*big.Int
}

var one = big.NewInt(1)

// count sums up the popularity of heads and of what lies below them.
func (c *contest) count(heads []int) map[int]*big.Int {
	sum := map[int]*big.Int{}
	add := func(i int, n *big.Int) {
		if sum[i] == nil {
			sum[i] = new(big.Int)
		}
		sum[i].Add(sum[i], n)
	}
	for _, i := range heads {
		add(i, one)
		below, ok := c.below[i]
		if !ok {
			c.below[i] = nil // ends rings
			below = c.count(c.out[i])
			c.below[i] = below
		}
		for j, n := range below {
			add(j, n)
			add(j, one)
		}
	}
	return sum
}
