package nixenv

import (
	"strings"

	"gonix/derivation/storepath"
	"gonix/eval"
	"gonix/eval/builtin"
	"gonix/eval/symbol"
	"gonix/eval/value"
)

// querying says of which package an error is.
func querying(e element, err error) error {
	return value.WithFrame(err, 0, "while querying the derivation named '%s'", e.Name)
}

// each calls fn for the packages; those that fail with an assertion are left out.
func each(list []element, fn func(element) error) error {
	for _, e := range list {
		if err := fn(e); err != nil && !eval.IsAssertion(err) {
			return querying(e, err)
		}
	}
	return nil
}

// printTable prints a line for each package.
func (x *listing) printTable(list []element) error {
	var rows [][]string
	err := each(list, func(e element) error {
		row, err := x.row(e)
		if err == nil {
			rows = append(rows, row)
		}
		return err
	})
	if err != nil {
		return err
	}
	var widths []int
	for _, row := range rows {
		for len(widths) < len(row) {
			widths = append(widths, 0)
		}
		for i, cell := range row {
			widths[i] = max(widths[i], len(cell))
		}
	}
	for _, row := range rows {
		for i, cell := range row {
			x.out.WriteString(strings.ReplaceAll(cell, "\n", " "))
			if i < len(row)-1 {
				x.out.WriteString(strings.Repeat(" ", widths[i]-len(cell)+2))
			}
		}
		x.out.WriteByte('\n')
	}
	return nil
}

// row is what is printed of a package.
func (x *listing) row(e element) ([]string, error) {
	var row []string
	add := func(cell string, err error) error {
		row = append(row, cell)
		return err
	}
	for _, c := range []struct {
		wanted bool
		cell   func() (string, error)
	}{
		{x.f.status, func() (string, error) { return x.letters(e) }},
		{x.f.attrPath, func() (string, error) { return e.AttrPath, nil }},
		{!x.f.noName, func() (string, error) { return e.Name, nil }},
		{x.f.compare, func() (string, error) {
			diff, version := x.compared(e)
			return string(diff) + " " + version, nil
		}},
		{x.f.system, e.System},
		{x.f.drvPath, func() (string, error) {
			p, err := drvPath(e)
			if p.IsZero() {
				return "-", err
			}
			return p.String(), err
		}},
		{x.f.outPath, func() (string, error) { return outputs(e) }},
		{x.f.description, func() (string, error) { return e.MetaText("description") }},
	} {
		if c.wanted {
			if err := add(c.cell()); err != nil {
				return nil, err
			}
		}
	}
	return row, nil
}

// letters is the column of --status.
func (x *listing) letters(e element) (string, error) {
	p, err := e.OutPath()
	if err != nil {
		return "", err
	}
	letter := func(is bool, c string) string {
		if is {
			return c
		}
		return "-"
	}
	at := x.status[p.String()]
	return letter(x.installed[p.String()], "I") + letter(at.valid, "P") + letter(at.substitutable, "S"), nil
}

// drvPath is the path of the package's derivation, zero if it has none.
func drvPath(e element) (storepath.Path, error) {
	if _, ok := e.Attrs.Get(symbol.DrvPath); !ok {
		return storepath.Path{}, nil
	}
	return e.DrvPath()
}

// outputs is the column of --out-path.
func outputs(e element) (string, error) {
	list, err := e.Outputs(true)
	if err != nil {
		return "", err
	}
	var texts []string
	for _, o := range list {
		text := o.Path.String()
		if o.Name != "out" {
			text = o.Name + "=" + text
		}
		texts = append(texts, text)
	}
	return strings.Join(texts, ";"), nil
}

// compared is how a package's version relates to those of the same name among the
// others: < older, = the same, > newer, - there is none. (Nix:
// compareVersionAgainstSet)
func (x *listing) compared(e element) (diff byte, version string) {
	diff, version = '-', "?"
	for _, o := range x.others {
		if o.name != e.name {
			continue
		}
		switch d := builtin.CompareVersions(e.version, o.version); {
		case d < 0:
			diff, version = '<', o.version
		case d == 0 && diff != '<':
			diff, version = '=', o.version
		case d > 0 && diff != '<' && diff != '=':
			if diff = '>'; version == "" || builtin.CompareVersions(version, o.version) < 0 {
				version = o.version
			}
		}
	}
	return diff, version
}
