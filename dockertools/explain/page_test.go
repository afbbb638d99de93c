package explain

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"gonix/dockertools/archive"
	"gonix/dockertools/image"
)

// TestPage wants a page that loads nothing, ends no element early, and whose
// bytes are the same twice.
func TestPage(t *testing.T) {
	cfg := image.Config{Architecture: "amd64", OS: "linux", Created: "</script><b>&", Settings: image.Settings{"Cmd": json.RawMessage(`["/` + store("a", "a") + `"]`)}}
	img, err := image.New(cfg, []image.Layer{layerOf(t, file{store("a", "a") + "/</script>", store("b", "b"), ""}, file{store("b", "b"), "x", ""})})
	if err != nil {
		t.Fatal(err)
	}
	tagged := archive.Tagged{Image: img, References: []image.Reference{{Name: "app", Tag: "1"}}}
	var pages [2]bytes.Buffer
	for i := range pages {
		g, err := Read(t.Context(), tagged)
		if err != nil {
			t.Fatal(err)
		}
		if err := g.Page(&pages[i], tagged); err != nil {
			t.Fatal(err)
		}
	}
	page := pages[0].String()
	if page != pages[1].String() {
		t.Error("the page differs the second time")
	}
	if n := strings.Count(page, "</script>"); n != 2 {
		t.Errorf("%d scripts end", n)
	}
	if m := regexp.MustCompile(`(?i)\b(src|href)\s*=|@import|url\(|\bfetch\(|XMLHttpRequest|@[A-Z]+@`).FindString(page); m != "" {
		t.Errorf("the page has '%s'", m)
	}
	for _, m := range regexp.MustCompile(`https?://[^"' ]*`).FindAllString(page, -1) {
		if m != "http://www.w3.org/2000/svg" { // a name, not an address
			t.Errorf("the page names %s", m)
		}
	}
	_, rest, _ := strings.Cut(page, `<script type="application/json" id="data">`)
	data, _, _ := strings.Cut(rest, "</script>")
	var d pageData
	if err := json.Unmarshal([]byte(data), &d); err != nil {
		t.Fatal(err)
	}
	if d.Name != "app:1" || len(d.Nodes) != 2 || len(d.Nodes[0].Refs) != 1 || d.Nodes[0].Refs[0].Via != "</script>" || len(d.Roots) != 1 || d.Created != cfg.Created {
		t.Errorf("data %+v", d)
	}
}
