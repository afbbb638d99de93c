package builtin

import (
	"fmt"

	"gonix/eval/value"
	"gonix/parser/source"
)

// parseTOML returns the value of a TOML 1.0 document. Dates and times become
// sets if timestamps says so; else they are an error.
func parseTOML(th *value.Thread, text string, timestamps bool) (value.Value, error) {
	p := tomlParser{text: text, root: &tomlTable{}, timestamps: timestamps}
	if err := p.document(); err != nil {
		return nil, err
	}
	return p.root.value(th), nil
}

// tomlOrigin says how a table came to be, which decides what may be added to
// it later.
type tomlOrigin uint8

const (
	byParent tomlOrigin = iota // named on the way in the header of another
	byHeader                   // has a [header] of its own
	byKey                      // made by a dotted key
	inline                     // { … }, complete
)

// tomlTable is a table under construction.
type tomlTable struct {
	origin tomlOrigin
	names  []string
	items  map[string]tomlItem
}

// tomlItem is *tomlTable | *tomlTables | tomlList | tomlScalar.
type tomlItem interface {
	value(*value.Thread) value.Value
}

type (
	tomlTables struct{ tables []*tomlTable } // [[header]]
	tomlList   []tomlItem                    // [ … ]
	tomlScalar struct{ v value.Value }
)

func (t *tomlTable) add(name string, item tomlItem) {
	if t.items == nil {
		t.items = map[string]tomlItem{}
	}
	t.names = append(t.names, name)
	t.items[name] = item
}

func (t *tomlTable) value(th *value.Thread) value.Value {
	b := value.NewBuilder(len(t.names))
	for _, name := range t.names {
		b.Add(th.Symbols.Intern(name), source.NoPos, t.items[name].value(th))
	}
	return b.Finish()
}

func (t *tomlTables) value(th *value.Thread) value.Value {
	out := make([]value.Value, len(t.tables))
	for i, table := range t.tables {
		out[i] = table.value(th)
	}
	return value.NewList(out...)
}

func (l tomlList) value(th *value.Thread) value.Value {
	out := make([]value.Value, len(l))
	for i, item := range l {
		out[i] = item.value(th)
	}
	return value.NewList(out...)
}

func (s tomlScalar) value(*value.Thread) value.Value { return s.v }

// open returns the table that a [header] names.
func (t *tomlTable) open(path []string) (*tomlTable, error) {
	t, last, err := t.parentOf(path)
	if err != nil {
		return nil, err
	}
	switch item := t.items[last].(type) {
	case nil:
		table := &tomlTable{origin: byHeader}
		t.add(last, table)
		return table, nil
	case *tomlTable:
		if item.origin == byParent {
			item.origin = byHeader
			return item, nil
		}
	}
	return nil, fmt.Errorf("%q is defined twice", last)
}

// grow returns a new element of the array of tables that a [[header]] names.
func (t *tomlTable) grow(path []string) (*tomlTable, error) {
	t, last, err := t.parentOf(path)
	if err != nil {
		return nil, err
	}
	table := &tomlTable{origin: byHeader}
	switch item := t.items[last].(type) {
	case nil:
		t.add(last, &tomlTables{[]*tomlTable{table}})
	case *tomlTables:
		item.tables = append(item.tables, table)
	default:
		return nil, fmt.Errorf("%q is defined twice", last)
	}
	return table, nil
}

// parentOf walks to the table that holds what a header names; of an array of
// tables it takes the last.
func (t *tomlTable) parentOf(path []string) (parent *tomlTable, last string, err error) {
	for _, name := range path[:len(path)-1] {
		switch item := t.items[name].(type) {
		case nil:
			next := &tomlTable{}
			t.add(name, next)
			t = next
		case *tomlTable:
			if item.origin == inline {
				return nil, "", fmt.Errorf("%q is an inline table, which nothing can be added to", name)
			}
			t = item
		case *tomlTables:
			t = item.tables[len(item.tables)-1]
		default:
			return nil, "", fmt.Errorf("%q is not a table", name)
		}
	}
	return t, path[len(path)-1], nil
}

// set assigns to a dotted key. Tables on the way must have been made by dotted
// keys too.
func (t *tomlTable) set(path []string, item tomlItem) error {
	for _, name := range path[:len(path)-1] {
		switch next := t.items[name].(type) {
		case nil:
			table := &tomlTable{origin: byKey}
			t.add(name, table)
			t = table
		case *tomlTable:
			if next.origin != byKey {
				return fmt.Errorf("%q is defined elsewhere, a dotted key cannot add to it", name)
			}
			t = next
		default:
			return fmt.Errorf("%q is not a table", name)
		}
	}
	last := path[len(path)-1]
	if t.items[last] != nil {
		return fmt.Errorf("%q is defined twice", last)
	}
	t.add(last, item)
	return nil
}
