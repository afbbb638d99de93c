// Package lint finds what will go wrong with an image when it is run: a
// configuration and a listing of files go in, findings come out, most serious
// first. It runs nothing and reads no file contents.
package lint

import (
	"encoding/json"
	"fmt"
	"path"
	"strings"

	"gonix/dockertools/image"
	"gonix/dockertools/listing"
	"gonix/dockertools/tarball"
)

// Finding is something wrong with an image.
type Finding struct {
	// Error says that the image cannot run as it is; else it is a warning.
	Error   bool   `json:"error"`
	Check   string `json:"check"`
	Message string `json:"message"`
}

// manyLayers is where little room is left below what clients take.
const manyLayers = 120

// maxLinks bounds the symbolic links followed for one name.
const maxLinks = 40

// defaultPath is where runtimes look for programs without a PATH.
const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// subject is the image under examination.
type subject struct {
	cfg   image.Config
	files map[string]*listing.File
	found []Finding
}

// Check examines an image.
func Check(cfg image.Config, l *listing.Listing) []Finding {
	s := &subject{cfg: cfg, files: make(map[string]*listing.File, len(l.Files))}
	for i := range l.Files {
		s.files[l.Files[i].Name] = &l.Files[i]
	}
	s.command()
	s.user()
	if f := s.resolve("/tmp", 0); f == nil || f.Kind != tarball.Directory {
		s.warn("tmp", "there is no directory /tmp; many programs need one")
	} else if f.Mode&0o1777 != 0o1777 {
		s.warn("tmp", fmt.Sprintf("/tmp has mode %04o; only 1777 lets every user write there and nobody delete what others wrote", f.Mode))
	}
	if n := len(l.UnpackedSizes); n > image.MaxLayers {
		s.fail("layers", fmt.Sprintf("%d layers, but clients take no more than %d", n, image.MaxLayers))
	} else if n > manyLayers {
		s.warn("layers", fmt.Sprintf("%d layers leave little room: clients take no more than %d", n, image.MaxLayers))
	}
	return s.found
}

// fail adds an error before the warnings.
func (s *subject) fail(check, message string) {
	i := 0
	for i < len(s.found) && s.found[i].Error {
		i++
	}
	s.found = append(s.found[:i:i], append([]Finding{{true, check, message}}, s.found[i:]...)...)
}

func (s *subject) warn(check, message string) {
	s.found = append(s.found, Finding{false, check, message})
}

// command checks the first word of Entrypoint, or of Cmd without one.
func (s *subject) command() {
	for _, key := range []string{"Entrypoint", "Cmd"} {
		var words []string
		if raw, ok := s.cfg.Settings[key]; !ok || json.Unmarshal(raw, &words) != nil || len(words) == 0 {
			continue
		}
		s.program(key, words[0])
		return
	}
	s.warn("command", "neither Entrypoint nor Cmd is set; a container needs a command to be named")
}

func (s *subject) program(key, name string) {
	var dirs []string
	if strings.Contains(name, "/") {
		dirs = []string{""}
		if !path.IsAbs(name) {
			dirs = []string{"/" + s.text("WorkingDir")}
		}
	} else {
		dirs = strings.Split(s.searchPath(), ":")
	}
	var denied string
	for _, dir := range dirs {
		file := path.Join("/", dir, name)
		switch f := s.resolve(file, 0); {
		case f == nil:
		case f.Kind == tarball.Regular && f.Mode&0o111 != 0:
			return
		default:
			denied = fmt.Sprintf("%s %s is a %s with mode %04o, not a program", key, file, f.Kind, f.Mode)
		}
	}
	switch {
	case denied != "":
		s.fail("command", denied)
	case strings.Contains(name, "/"):
		s.fail("command", fmt.Sprintf("%s %s is not in the image", key, name))
	default:
		s.fail("command", fmt.Sprintf("%s %s is in no directory of PATH (%s)", key, name, s.searchPath()))
	}
}

func (s *subject) text(key string) string {
	var text string
	if raw, ok := s.cfg.Settings[key]; !ok || json.Unmarshal(raw, &text) != nil {
		return ""
	}
	return text
}

func (s *subject) searchPath() string {
	var env []string
	if raw, ok := s.cfg.Settings["Env"]; ok && json.Unmarshal(raw, &env) == nil {
		for _, e := range env {
			if p, ok := strings.CutPrefix(e, "PATH="); ok {
				return p
			}
		}
	}
	return defaultPath
}

// user checks that names can be looked up.
func (s *subject) user() {
	user, group, _ := strings.Cut(s.text("User"), ":")
	for _, c := range []struct{ what, name, file string }{{"user", user, "/etc/passwd"}, {"group", group, "/etc/group"}} {
		if strings.Trim(c.name, "0123456789") == "" {
			continue
		}
		if f := s.resolve(c.file, 0); f == nil || f.Kind != tarball.Regular {
			s.fail("user", fmt.Sprintf("User names the %s '%s', but there is no %s to look it up in", c.what, c.name, c.file))
		}
	}
}

// resolve returns the file at an absolute name, following symbolic links inside
// the image; nil where there is none.
func (s *subject) resolve(name string, links int) *listing.File {
	at := ""
	parts := strings.Split(strings.Trim(path.Clean(name), "/"), "/")
	for i, part := range parts {
		full := strings.TrimPrefix(at+"/"+part, "/")
		f := s.files[full]
		if f == nil {
			return nil
		}
		if f.Kind == tarball.Symlink {
			if links++; links > maxLinks {
				return nil
			}
			target := f.Target
			if !path.IsAbs(target) {
				target = "/" + at + "/" + target
			}
			return s.resolve(path.Join(append([]string{"/", target}, parts[i+1:]...)...), links)
		}
		at = full
		if i == len(parts)-1 {
			return f
		}
	}
	return nil
}
