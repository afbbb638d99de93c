package explain

import "gonix/dockertools/image"

// Report is an explanation for programs; sizes are in bytes.
type Report struct {
	File   *FileReport `json:"file,omitempty"`
	Path   string      `json:"path,omitempty"`
	Layers []Place     `json:"layers"`
	*Sizes
	References []string      `json:"references,omitempty"`
	Referrers  []string      `json:"referrers,omitempty"`
	Leaving    []string      `json:"leaving,omitempty"`
	Chains     []ChainReport `json:"chains,omitempty"`
}

// FileReport is a file of the image.
type FileReport struct {
	Name   string `json:"name"`
	Kind   string `json:"kind"`
	Size   int64  `json:"size"`
	Target string `json:"target,omitempty"`
	SameAs string `json:"sameAs,omitempty"`
}

// Place is a layer; Number counts from 1.
type Place struct {
	Number   int          `json:"number"`
	Digest   image.Digest `json:"digest"`
	FromBase bool         `json:"fromBase,omitempty"`
}

// Sizes are those of a store path.
type Sizes struct {
	Size         int64 `json:"size"`
	Files        int   `json:"files"`
	ClosureSize  int64 `json:"closureSize"`
	ClosureCount int   `json:"closureCount"`
	LeavingSize  int64 `json:"leavingSize"`
}

// ChainReport is a chain of references.
type ChainReport struct {
	Root  *Root        `json:"root"`
	Steps []StepReport `json:"steps"`
}

// StepReport is a store path and the file of the one before that refers to it.
type StepReport struct {
	Path string `json:"path"`
	Via  string `json:"via,omitempty"`
}

// Report explains s.
func (g *Graph) Report(s Subject) Report {
	r := Report{Layers: []Place{}}
	if f := s.File; f != nil {
		r.File = &FileReport{"/" + f.Name, f.Kind.String(), f.Size, f.Target, s.Twin}
		r.Layers = g.places([]int{f.Layer})
	}
	n := s.Node
	if n == nil {
		for _, to := range g.outside[s.File.Name] {
			r.References = append(r.References, g.Nodes[to].Path.String())
		}
		return r
	}
	if s.File == nil {
		r.Layers = g.places(n.Layers)
	}
	r.Path = n.Path.String()
	r.Sizes = &Sizes{n.Size, n.Count, n.ClosureSize, n.ClosureCount, n.LeavingSize}
	for _, ref := range n.Refs {
		r.References = append(r.References, g.Nodes[ref.To].Path.String())
	}
	for _, id := range n.Referrers {
		r.Referrers = append(r.Referrers, g.Nodes[id].Path.String())
	}
	for _, id := range g.Leaving(n.ID) {
		r.Leaving = append(r.Leaving, g.Nodes[id].Path.String())
	}
	for _, c := range g.Why(n.ID) {
		cr := ChainReport{Root: c.Root}
		for _, step := range c.Steps {
			cr.Steps = append(cr.Steps, StepReport{g.Nodes[step.ID].Path.String(), step.Via})
		}
		r.Chains = append(r.Chains, cr)
	}
	return r
}

func (g *Graph) places(layers []int) []Place {
	list := []Place{}
	for _, l := range layers {
		if l >= 0 {
			list = append(list, Place{l + 1, g.Layers[l].Digest, g.Layers[l].FromBase})
		}
	}
	return list
}
