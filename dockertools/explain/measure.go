package explain

import "slices"

// Measure says what a store path costs.
type Measure struct {
	// ClosureSize and ClosureCount are of the path and all that it needs.
	ClosureSize  int64
	ClosureCount int
	// LeavingSize and LeavingCount are of what would leave the image with the
	// path: itself and what nothing else needs.
	LeavingSize  int64
	LeavingCount int
}

// measure fills in the Measure of all nodes.
func (g *Graph) measure() {
	for _, n := range g.Nodes {
		for _, id := range g.closure(n.ID) {
			n.ClosureSize += g.Nodes[id].Size
			n.ClosureCount++
		}
	}
	order, idom := g.dominators()
	for _, n := range g.Nodes {
		n.LeavingSize, n.LeavingCount = n.Size, 1
		n.keeper = idom[n.ID]
	}
	// What a node keeps comes after it in the order.
	for _, id := range slices.Backward(order) {
		if up := idom[id]; up >= 0 {
			g.Nodes[up].LeavingSize += g.Nodes[id].LeavingSize
			g.Nodes[up].LeavingCount += g.Nodes[id].LeavingCount
		}
	}
}

// closure returns the ID and all that it refers to, directly or not, sorted.
func (g *Graph) closure(id int) []int {
	seen := make([]bool, len(g.Nodes))
	seen[id] = true
	list := []int{id}
	for i := 0; i < len(list); i++ {
		for _, r := range g.Nodes[list[i]].Refs {
			if !seen[r.To] {
				seen[r.To] = true
				list = append(list, r.To)
			}
		}
	}
	slices.Sort(list)
	return list
}

// Leaving returns the IDs of what would leave the image with a node, itself
// among them, sorted.
func (g *Graph) Leaving(id int) []int {
	var list []int
	for _, n := range g.Nodes {
		for at := n.ID; at >= 0; at = g.Nodes[at].keeper {
			if at == id {
				list = append(list, n.ID)
				break
			}
		}
	}
	return list
}

// dominators returns the nodes in reverse postorder, and for each the nearest
// node that every chain from a root passes, -1 where there is none. Nodes that
// no root reaches count as roots themselves, as does the first of a cycle of
// such. (Cooper, Harvey and Kennedy: A Simple, Fast Dominance Algorithm)
func (g *Graph) dominators() (order, idom []int) {
	n := len(g.Nodes)
	rooted := make([]bool, n)
	visited := make([]bool, n)
	post := make([]int, 0, n)
	visit := func(start int) {
		if visited[start] {
			return
		}
		type frame struct{ id, next int }
		visited[start] = true
		stack := []frame{{id: start}}
		for len(stack) > 0 {
			top := &stack[len(stack)-1]
			if refs := g.Nodes[top.id].Refs; top.next < len(refs) {
				to := refs[top.next].To
				top.next++
				if !visited[to] {
					visited[to] = true
					stack = append(stack, frame{id: to})
				}
				continue
			}
			post = append(post, top.id)
			stack = stack[:len(stack)-1]
		}
	}
	for _, r := range g.Roots {
		for _, to := range r.To {
			rooted[to] = true
			visit(to)
		}
	}
	for pass := range 2 {
		for _, node := range g.Nodes {
			if !visited[node.ID] && (pass == 1 || len(node.Referrers) == 0) {
				rooted[node.ID] = true
				visit(node.ID)
			}
		}
	}
	slices.Reverse(post)
	rank := make([]int, n) // 1 and on; 0 is what is above all roots
	for i, id := range post {
		rank[id] = i + 1
	}
	above := make([]int, n+1) // ranks; -1 as long as unknown
	for i := range above {
		above[i] = -1
	}
	above[0] = 0
	meet := func(a, b int) int {
		for a != b {
			for a > b {
				a = above[a]
			}
			for b > a {
				b = above[b]
			}
		}
		return a
	}
	for changed := true; changed; {
		changed = false
		for _, id := range post {
			found := -1
			if rooted[id] {
				found = 0
			}
			for _, from := range g.Nodes[id].Referrers {
				if r := rank[from]; above[r] >= 0 {
					if found < 0 {
						found = r
					} else {
						found = meet(found, r)
					}
				}
			}
			if above[rank[id]] != found {
				above[rank[id]], changed = found, true
			}
		}
	}
	idom = make([]int, n)
	for id := range idom {
		if idom[id] = -1; above[rank[id]] > 0 {
			idom[id] = post[above[rank[id]]-1]
		}
	}
	return post, idom
}
