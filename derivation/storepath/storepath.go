// Package storepath names the objects of the store: it checks and takes apart
// paths such as /nix/store/<digest>-<name>, and makes them from what an object
// consists of.
//
// Paths here are logical: they start with [Dir] wherever the store lies on
// disk, because that text is what goes into hashes and into programs.
package storepath

import (
	"fmt"
	"path"
	"strings"

	"gonix/derivation/nixbase32"
)

// DefaultDir is the logical directory of every store that is to agree with
// anybody else's.
const DefaultDir = "/nix/store"

// Dir is the logical directory of the stores of this process. It is part of all
// hashes, as the text of all paths, so it is one for a whole process; only
// [UseDir] changes it.
var Dir = DefaultDir

// UseDir makes dir the logical directory of stores, as NIX_STORE_DIR does with
// Nix. A program calls it before it makes its first path, or never.
func UseDir(dir string) error {
	if !path.IsAbs(dir) || path.Clean(dir) != dir || dir == "/" {
		return fmt.Errorf("'%s' cannot be the store directory: it must be an absolute path without '.', '..' or a slash at its end", dir)
	}
	Dir = dir
	return nil
}

const (
	// HashLen is the number of base-32 digits at the start of a base name.
	HashLen = 32
	// MaxNameLen bounds the part after the digest and its dash, so that a file
	// system's limit of 255 leaves room for ".lock" and the like.
	MaxNameLen = 211
	// DrvSuffix ends the names of derivations.
	DrvSuffix = ".drv"
)

// Path is a valid store path, or none at all when zero. Paths can be compared
// with == and be keys of maps.
type Path struct{ text string }

// Parse takes a full path; it may not lead to something inside the object.
func Parse(s string) (Path, error) {
	base, ok := strings.CutPrefix(s, Dir+"/")
	if !ok || strings.Contains(base, "/") {
		return Path{}, fmt.Errorf("path '%s' is not in the Nix store", s)
	}
	if err := checkBase(base); err != nil {
		return Path{}, err
	}
	return Path{s}, nil
}

// MustParse is Parse for paths that are written in the program.
func MustParse(s string) Path {
	p, err := Parse(s)
	if err != nil {
		panic("storepath: " + err.Error())
	}
	return p
}

// FromBase takes the part after the store directory.
func FromBase(base string) (Path, error) {
	if err := checkBase(base); err != nil {
		return Path{}, err
	}
	return Path{Dir + "/" + base}, nil
}

func checkBase(base string) error {
	if len(base) < HashLen+1 {
		return fmt.Errorf("'%s' is too short to be a valid store path", base)
	}
	for i := range HashLen {
		if !nixbase32.IsDigit(base[i]) {
			return fmt.Errorf("store path '%s' contains illegal base-32 character '%s'", base, base[i:i+1])
		}
	}
	if base[HashLen] != '-' {
		return fmt.Errorf("path '%s' is not a valid store path: no dash after the digest", base)
	}
	if err := CheckName(base[HashLen+1:]); err != nil {
		return fmt.Errorf("path '%s' is not a valid store path: %w", base, err)
	}
	return nil
}

// Split cuts a file name under the store directory into the store path that it
// belongs to and the rest, which is empty or starts with a slash.
func Split(file string) (Path, string, error) {
	base, ok := strings.CutPrefix(file, Dir+"/")
	if !ok {
		return Path{}, "", fmt.Errorf("path '%s' is not in the Nix store", file)
	}
	rest := ""
	if i := strings.IndexByte(base, '/'); i >= 0 {
		base, rest = base[:i], base[i:]
	}
	p, err := FromBase(base)
	return p, rest, err
}

// String is the full logical path; "" for the zero value.
func (p Path) String() string {
	return p.text
}

// IsZero reports whether p is no path.
func (p Path) IsZero() bool { return p.text == "" }

// Base is the digest, a dash and the name.
func (p Path) Base() string {
	if p.text == "" {
		return ""
	}
	return p.text[len(Dir)+1:]
}

// HashPart is the digest, in base-32.
func (p Path) HashPart() string {
	if p.text == "" {
		return ""
	}
	return p.text[len(Dir)+1:][:HashLen]
}

// Name is what follows the digest and its dash.
func (p Path) Name() string {
	if p.text == "" {
		return ""
	}
	return p.text[len(Dir)+1+HashLen+1:]
}

// IsDerivation reports whether the name ends with .drv.
func (p Path) IsDerivation() bool { return strings.HasSuffix(p.text, DrvSuffix) }

// Compare orders paths as their texts.
func Compare(a, b Path) int { return strings.Compare(a.text, b.text) }

// CheckName reports what is wrong with the name of a store object, in the
// words of Nix.
func CheckName(name string) error {
	if name == "" {
		return fmt.Errorf("name must not be empty")
	}
	if len(name) > MaxNameLen {
		return fmt.Errorf("name '%s' must be no longer than %d characters", name, MaxNameLen)
	}
	for _, dots := range []string{".", ".."} {
		if name == dots {
			return fmt.Errorf("name '%s' is not valid", name)
		}
		if strings.HasPrefix(name, dots+"-") {
			return fmt.Errorf("name '%s' is not valid: first dash-separated component must not be '%s'", name, dots)
		}
	}
	for i := range len(name) {
		if !isNameByte(name[i]) {
			return fmt.Errorf("name '%s' contains illegal character '%s'", name, name[i:i+1])
		}
	}
	return nil
}

func isNameByte(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || strings.IndexByte("+-._?=", c) >= 0
}
