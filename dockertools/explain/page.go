package explain

import (
	_ "embed"
	"encoding/json"
	"html"
	"io"
	"strings"

	"gonix/dockertools/archive"
	"gonix/dockertools/image"
)

//go:embed page/page.html
var pageFrame string

//go:embed page/page.css
var pageStyle string

//go:embed page/page.js
var pageScript string

//go:embed page/graph.js
var graphScript string

//go:embed page/panel.js
var panelScript string

// pageData is what the page shows, as page.js knows it.
type pageData struct {
	Name     string       `json:"name"`
	Digest   image.Digest `json:"digest"`
	Platform string       `json:"platform"`
	Created  string       `json:"created"`
	Layers   []pageLayer  `json:"layers"`
	Nodes    []pageNode   `json:"nodes"`
	Roots    []pageRoot   `json:"roots"`
}

type pageLayer struct {
	Digest image.Digest `json:"digest"`
	Size   int64        `json:"size"`
	Base   bool         `json:"base"`
	Other  int64        `json:"other"`
	Files  int          `json:"files"`
}

type pageNode struct {
	Hash         string    `json:"hash"`
	Name         string    `json:"name"`
	Size         int64     `json:"size"`
	Count        int       `json:"count"`
	Layers       []int     `json:"layers"`
	Closure      int64     `json:"closure"`
	ClosureCount int       `json:"closureCount"`
	Leaving      int64     `json:"leaving"`
	LeavingCount int       `json:"leavingCount"`
	Refs         []pageRef `json:"refs"`
}

type pageRef struct {
	To  int    `json:"to"`
	Via string `json:"via"`
}

type pageRoot struct {
	Name string `json:"name"`
	To   []int  `json:"to"`
}

// Page writes g, which is of t, as a page for a browser that needs nothing else:
// no other file, no network. The bytes depend on the image alone.
func (g *Graph) Page(w io.Writer, t archive.Tagged) error {
	cfg := t.Image.Config()
	d := pageData{
		Name: "image", Digest: t.Image.Digest(), Platform: cfg.OS + "/" + cfg.Architecture, Created: cfg.Created,
		Layers: []pageLayer{}, Nodes: []pageNode{}, Roots: []pageRoot{},
	}
	if len(t.References) > 0 {
		d.Name = t.References[0].String()
	}
	for _, l := range g.Layers {
		d.Layers = append(d.Layers, pageLayer{l.Digest, l.Size, l.FromBase, l.Other, l.Files})
	}
	for _, n := range g.Nodes {
		p := pageNode{n.Path.HashPart(), n.Path.Name(), n.Size, n.Count, append([]int{}, n.Layers...), n.ClosureSize, n.ClosureCount, n.LeavingSize, n.LeavingCount, []pageRef{}}
		for _, r := range n.Refs {
			p.Refs = append(p.Refs, pageRef{r.To, r.Via})
		}
		d.Nodes = append(d.Nodes, p)
	}
	for _, r := range g.Roots {
		d.Roots = append(d.Roots, pageRoot{r.String(), r.To})
	}
	// Marshal writes <, > and & so that they end no element of the page.
	data, err := json.Marshal(d)
	if err != nil {
		return err
	}
	_, err = strings.NewReplacer("@TITLE@", html.EscapeString(d.Name), "@STYLE@", pageStyle, "@SCRIPT@", pageScript+graphScript+panelScript, "@DATA@", string(data)).WriteString(w, pageFrame)
	return err
}
