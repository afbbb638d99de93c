package nixenv

import (
	"fmt"
	"strconv"
	"strings"

	"gonix/eval/value"
)

// xmlEscape writes what an attribute cannot hold as it is.
var xmlEscape = strings.NewReplacer(`"`, "&quot;", "<", "&lt;", ">", "&gt;", "&", "&amp;", "\n", "&#xA;")

// tag prints an element; the attributes are pairs of name and text. More is in
// it unless end is " /".
func (x *listing) tag(depth int, name, end string, attrs ...string) {
	fmt.Fprintf(x.out, "%*s<%s", 2*depth, "", name)
	for i := 0; i+1 < len(attrs); i += 2 {
		fmt.Fprintf(x.out, ` %s="%s"`, attrs[i], xmlEscape.Replace(attrs[i+1]))
	}
	x.out.WriteString(end + ">\n")
}

const empty = " /"

// printXML prints an element for each package, as nix-env does.
func (x *listing) printXML(list []element) error {
	x.out.WriteString("<?xml version='1.0' encoding='utf-8'?>\n")
	x.tag(0, "items", "")
	if err := each(list, x.item); err != nil {
		return err
	}
	x.tag(0, "/items", "")
	return nil
}

// item prints a package; its attributes are sorted by their names.
func (x *listing) item(e element) error {
	attrs := []string{"attrPath", e.AttrPath}
	if x.f.description {
		text, err := e.MetaText("description")
		if err != nil {
			return err
		}
		if text != "" {
			attrs = append(attrs, "description", text)
		}
	}
	if x.f.drvPath {
		p, err := drvPath(e)
		if err != nil {
			return err
		}
		if !p.IsZero() {
			attrs = append(attrs, "drvPath", p.String())
		}
	}
	var at presence
	if x.f.status {
		p, err := e.OutPath()
		if err != nil {
			return err
		}
		at = x.status[p.String()]
		attrs = append(attrs, "installed", bit(x.installed[p.String()]))
	}
	diff, version := x.compared(e)
	if x.f.compare && diff != '-' {
		attrs = append(attrs, "maxComparedVersion", version)
	}
	output, err := e.OutputName()
	if err != nil {
		return err
	}
	attrs = append(attrs, "name", e.Name, "outputName", output, "pname", e.name)
	if x.f.status {
		attrs = append(attrs, "substitutable", bit(at.substitutable))
	}
	system, err := e.System()
	if err != nil {
		return err
	}
	if system != "" {
		attrs = append(attrs, "system", system)
	}
	if x.f.status {
		attrs = append(attrs, "valid", bit(at.valid))
	}
	attrs = append(attrs, "version", e.version)
	if x.f.compare && diff != '-' {
		attrs = append(attrs, "versionDiff", string(diff))
	}
	outputs, err := e.Outputs(x.f.outPath)
	if err != nil {
		return err
	}
	x.tag(1, "item", "", attrs...)
	for _, o := range outputs {
		attrs := []string{"name", o.Name}
		if !o.Path.IsZero() {
			attrs = append(attrs, "path", o.Path.String())
		}
		x.tag(2, "output", empty, attrs...)
	}
	if x.f.meta {
		if err := x.eachMeta(e, x.metaElement); err != nil {
			return err
		}
	}
	x.tag(1, "/item", "")
	return nil
}

func bit(b bool) string {
	if b {
		return "1"
	}
	return "0"
}

// metaElement prints a fact about a package: of lists and sets only the strings.
func (x *listing) metaElement(name string, v value.Value) error {
	simple := func(typ, text string) { x.tag(2, "meta", empty, "name", name, "type", typ, "value", text) }
	switch v := v.(type) {
	case *value.String:
		simple("string", v.S)
	case value.Int:
		simple("int", strconv.FormatInt(int64(v), 10))
	case value.Float:
		simple("float", value.FormatFloat(float64(v)))
	case value.Bool:
		simple("bool", strconv.FormatBool(bool(v)))
	case *value.List:
		x.tag(2, "meta", "", "name", name, "type", "strings")
		for _, elem := range v.Elems {
			if text, ok := evaluated(elem); ok {
				x.tag(3, "string", empty, "value", text)
			}
		}
		x.tag(2, "/meta", "")
	case *value.Attrs:
		x.tag(2, "meta", "", "name", name, "type", "strings")
		for _, a := range v.Sorted(x.state.Symbols()) {
			if text, ok := evaluated(a.Val); ok {
				x.tag(3, "string", empty, "type", x.state.Symbols().Name(a.Sym), "value", text)
			}
		}
		x.tag(2, "/meta", "")
	}
	return nil
}

// evaluated is the text of a string, which has been evaluated.
func evaluated(v value.Value) (string, bool) {
	v, _ = value.Peek(v)
	s, ok := v.(*value.String)
	if !ok {
		return "", false
	}
	return s.S, true
}
