package image

import (
	"fmt"
	"regexp"
	"strings"
	"sync"
)

// Reference is the name and tag that an archive gives an image.
type Reference struct {
	Name string // as in redis, library/redis, quay.io/app/redis
	Tag  string
}

// The grammar of names and tags is that of Docker's reference format. Most runs
// of a program need none of it.
var (
	namePattern = compiled(`^(?:(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*(?::[0-9]+)?/)?` +
		`[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$`)
	tagPattern = compiled(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$`)
)

// compiled compiles a pattern when it is first used.
func compiled(pattern string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(pattern) })
}

// NewReference checks name and tag.
func NewReference(name, tag string) (Reference, error) {
	if len(name) > 255 || !namePattern().MatchString(name) {
		return Reference{}, fmt.Errorf("image name '%s' is not valid: parts of lower case letters, digits and single . _ - between them, separated by /", name)
	}
	if !tagPattern().MatchString(tag) {
		return Reference{}, fmt.Errorf("image tag '%s' is not valid: at most 128 letters, digits, _ . and -, not beginning with . or -", tag)
	}
	return Reference{Name: name, Tag: tag}, nil
}

// SplitReference takes name:tag apart; without a tag it is latest.
func SplitReference(s string) Reference {
	if i := strings.LastIndexByte(s, ':'); i >= 0 && !strings.Contains(s[i:], "/") {
		return Reference{Name: s[:i], Tag: s[i+1:]}
	}
	return Reference{Name: s, Tag: "latest"}
}

// String returns name:tag.
func (r Reference) String() string { return r.Name + ":" + r.Tag }

// Full returns the name with the registry that Docker supposes when none is given.
func (r Reference) Full() string {
	first, _, many := strings.Cut(r.Name, "/")
	switch {
	case many && (strings.ContainsAny(first, ".:") || first == "localhost"):
		return r.String()
	case many:
		return "docker.io/" + r.String()
	default:
		return "docker.io/library/" + r.String()
	}
}
