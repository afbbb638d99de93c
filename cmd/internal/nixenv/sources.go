package nixenv

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"gonix/eval"
	"gonix/eval/builtin"
	"gonix/eval/value"
	"gonix/parser/source"
)

// element is a package with its name taken apart.
type element struct {
	eval.Package
	name, version string
}

func elements(packages []eval.Package) []element {
	list := make([]element, len(packages))
	for i, p := range packages {
		list[i].Package = p
		list[i].name, list[i].version = builtin.SplitDrvName(p.Name)
	}
	return list
}

// offered are the packages of the expression, for the systems that are asked for.
// (Nix: loadDerivations)
func (x *listing) offered() ([]element, error) {
	args, err := x.AutoArgs(x.state)
	if err != nil {
		return nil, err
	}
	v, err := x.source()
	if err != nil {
		return nil, err
	}
	if v, _, err = x.state.Attr(args, x.f.attr, v); err != nil {
		return nil, err
	}
	packages, err := x.state.Available(args, x.f.attr, v)
	if err != nil {
		return nil, err
	}
	if x.f.systemFilter != "*" {
		var fitting []eval.Package
		for _, p := range packages {
			system, err := p.System()
			if err != nil {
				return nil, err
			}
			if system == x.f.systemFilter {
				fitting = append(fitting, p)
			}
		}
		packages = fitting
	}
	return elements(packages), nil
}

// source evaluates the expression that packages are offered by.
func (x *listing) source() (value.Value, error) {
	file := x.f.file
	if file == "" {
		file = filepath.Join(x.World.Getenv("HOME"), ".nix-defexpr")
		if _, err := os.Stat(file); err != nil {
			file = "<nixpkgs>"
		}
	}
	file, err := x.state.Lookup(file)
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(file)
	if err == nil && info.IsDir() {
		if _, err := os.Stat(filepath.Join(file, "default.nix")); errors.Is(err, fs.ErrNotExist) {
			return x.folder(file)
		}
	}
	return x.state.EvalFile(file)
}

// maxExpressions is how many files a folder of expressions may have.
const maxExpressions = 1024

// folder combines the expressions in a folder and those below it: a set with an
// attribute for each. (Nix: getAllExprs)
func (x *listing) folder(dir string) (value.Value, error) {
	b := value.NewBuilder(0)
	b.Add(x.state.Symbols().Intern("_combineChannels"), source.NoPos, x.state.Thread().MakeList(nil))
	seen := map[string]bool{}
	if err := x.collect(b, seen, dir, 0); err != nil {
		return nil, err
	}
	return x.state.Thread().MakeSet(b), nil
}

func (x *listing) collect(b *value.Builder, seen map[string]bool, dir string, depth int) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	if depth > 64 {
		return fmt.Errorf("folder '%s' lies too deep; is there a link that leads back?", dir)
	}
	for _, e := range entries {
		name, file := e.Name(), filepath.Join(dir, e.Name())
		if name == "manifest.nix" {
			continue // of a profile, which a channel is
		}
		info, err := os.Stat(file)
		if err != nil {
			continue // a link that leads nowhere
		}
		isExpr := info.Mode().IsRegular() && strings.HasSuffix(name, ".nix")
		if info.IsDir() {
			_, err := os.Stat(filepath.Join(file, "default.nix"))
			isExpr = err == nil
		}
		switch {
		case isExpr:
			attr := strings.TrimSuffix(name, ".nix")
			if seen[attr] {
				x.World.Warn(fmt.Sprintf("name collision in input Nix expressions, skipping '%s'", file))
				continue
			}
			if seen[attr] = true; len(seen) == maxExpressions {
				return fmt.Errorf("too many Nix expressions in directory '%s'", dir)
			}
			v, err := x.state.Expression("import "+fileLiteral(file), "/", "«nix-env»")
			if err != nil {
				return err
			}
			b.Add(x.state.Symbols().Intern(attr), source.NoPos, v)
		case info.IsDir():
			if err := x.collect(b, seen, file, depth+1); err != nil {
				return err
			}
		}
	}
	return nil
}

// fileLiteral is an expression for a file with any name.
func fileLiteral(file string) string {
	return `(/. + "` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, `$`, `\$`).Replace(file) + `")`
}

// profile are the packages of the profile. (Nix: queryInstalled)
func (x *listing) profile() ([]element, error) {
	dir := x.f.profile
	if dir == "" {
		dir = x.World.Getenv("NIX_PROFILE")
	}
	if dir == "" {
		dir = filepath.Join(x.World.Getenv("HOME"), ".nix-profile")
	}
	dir = x.World.Abs(dir)
	if _, err := os.Stat(filepath.Join(dir, "manifest.json")); err == nil {
		return nil, fmt.Errorf("profile %q is incompatible with 'nix-env'; please use 'nix profile' instead", dir)
	}
	manifest, err := filepath.EvalSymlinks(filepath.Join(dir, "manifest.nix"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	v, err := x.state.EvalFile(manifest)
	if err != nil {
		return nil, err
	}
	packages, err := x.state.Packages(value.NewBuilder(0).Finish(), v)
	return elements(packages), err
}

// sortByName orders packages by their names, whatever the case of letters.
func sortByName(list []element) {
	slices.SortStableFunc(list, func(a, b element) int {
		return strings.Compare(lower(a.Name), lower(b.Name))
	})
}

// lower makes the letters of ASCII small.
func lower(s string) string {
	return strings.Map(func(c rune) rune {
		if 'A' <= c && c <= 'Z' {
			return c + 'a' - 'A'
		}
		return c
	}, s)
}
