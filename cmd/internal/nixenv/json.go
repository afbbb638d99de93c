package nixenv

import (
	"bytes"
	"encoding/json"
	"fmt"

	"gonix/eval/render"
	"gonix/eval/value"
	"gonix/parser/source"
)

// printJSON prints an object with the packages by their attribute paths. (Nix:
// queryJSON)
func (x *listing) printJSON(list []element) error {
	all := map[string]value.Value{}
	err := each(list, func(e element) error {
		all[e.AttrPath] = value.Null{} // what stays if it fails with an assertion
		v, err := x.object(e)
		if err == nil {
			all[e.AttrPath] = v
		}
		return err
	})
	if err != nil {
		return err
	}
	text, _, err := render.JSON(x.state.Thread(), x.set(all), source.NoPos, true, true)
	if err != nil {
		return err
	}
	var out bytes.Buffer
	if err := json.Indent(&out, []byte(text), "", "  "); err != nil {
		return fmt.Errorf("print JSON: %w", err)
	}
	out.WriteByte('\n')
	_, err = out.WriteTo(x.out)
	return err
}

// set makes a value of named ones.
func (x *listing) set(fields map[string]value.Value) value.Value {
	b := value.NewBuilder(len(fields))
	for name, v := range fields {
		b.Add(x.state.Symbols().Intern(name), source.NoPos, v)
	}
	return x.state.Thread().MakeSet(b)
}

func (x *listing) object(e element) (value.Value, error) {
	system, err := e.System()
	if err != nil {
		return nil, err
	}
	output, err := e.OutputName()
	if err != nil {
		return nil, err
	}
	list, err := e.Outputs(x.f.outPath)
	if err != nil {
		return nil, err
	}
	outputs := map[string]value.Value{}
	for _, o := range list {
		outputs[o.Name] = value.Null{}
		if !o.Path.IsZero() {
			outputs[o.Name] = value.NewString(o.Path.String())
		}
	}
	fields := map[string]value.Value{
		"name": value.NewString(e.Name), "pname": value.NewString(e.name), "version": value.NewString(e.version),
		"system": value.NewString(system), "outputName": value.NewString(output), "outputs": x.set(outputs),
	}
	if x.f.drvPath {
		p, err := drvPath(e)
		if err != nil {
			return nil, err
		}
		if !p.IsZero() {
			fields["drvPath"] = value.NewString(p.String())
		}
	}
	if x.f.meta {
		meta := map[string]value.Value{}
		err := x.eachMeta(e, func(name string, v value.Value) error {
			if meta[name] = v; v == nil {
				meta[name] = value.Null{}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		fields["meta"] = x.set(meta)
	}
	return x.set(fields), nil
}

// eachMeta calls fn for all that a package says of itself; what is no data is nil,
// and the user is told.
func (x *listing) eachMeta(e element, fn func(name string, v value.Value) error) error {
	names, err := e.MetaNames()
	if err != nil {
		return err
	}
	for _, name := range names {
		v, err := e.Meta(name)
		if err != nil {
			return err
		}
		if v == nil {
			fmt.Fprintf(x.Trace, "derivation '%s' has invalid meta attribute '%s'\n", e.Name, name)
		}
		if err := fn(name, v); err != nil {
			return err
		}
	}
	return nil
}
