package distribution

import (
	"iter"
	"slices"
	"strings"

	"gonix/dockertools/listing"
)

// stanzas gives the records of a text in which an empty line ends one, each as its
// fields, until the next is wanted; field cuts a line that begins one. Lines that
// begin with a space belong to the field before, of which they are dropped.
func stanzas(text string, field func(line string) (key, value string, ok bool)) iter.Seq[map[string]string] {
	return func(yield func(map[string]string) bool) {
		record := map[string]string{}
		for line := range strings.SplitSeq(text, "\n") {
			line = strings.TrimSuffix(line, "\r")
			if strings.TrimSpace(line) == "" {
				if len(record) > 0 && !yield(record) {
					return
				}
				clear(record)
				continue
			}
			if line[0] == ' ' || line[0] == '\t' {
				continue
			}
			key, value, ok := field(line)
			if !ok {
				continue
			}
			if _, again := record[key]; !again {
				record[key] = value
			}
		}
		if len(record) > 0 {
			yield(record)
		}
	}
}

// colon cuts the lines of deb822(5).
func colon(line string) (string, string, bool) {
	key, value, ok := strings.Cut(line, ":")
	return strings.ToLower(key), strings.TrimSpace(value), ok
}

// dpkgPackages reads dpkg's status, or a file of status.d as images without dpkg
// have, whose records have no Status.
func dpkgPackages(text string, f listing.File, most int) []Package {
	var out []Package
	for s := range stanzas(text, colon) {
		if status, ok := s["status"]; ok && !strings.HasSuffix(status, " installed") {
			continue
		}
		if s["package"] == "" || s["version"] == "" {
			continue
		}
		source, _, _ := strings.Cut(s["source"], " ")
		out = append(out, Package{Kind: "deb", Name: s["package"], Version: s["version"], Architecture: s["architecture"], Source: source,
			Homepage: s["homepage"], Description: s["description"], Layer: f.Layer, File: "/" + f.Name})
		if len(out) >= most {
			break
		}
	}
	return out
}

// apkPackages reads apk's database of installed packages: lines of a letter, a
// colon and a value.
func apkPackages(text string, f listing.File, most int) []Package {
	letter := func(line string) (string, string, bool) {
		if len(line) < 2 || line[1] != ':' {
			return "", "", false
		}
		return line[:1], line[2:], true
	}
	var out []Package
	for s := range stanzas(text, letter) {
		if s["P"] == "" || s["V"] == "" {
			continue
		}
		p := Package{Kind: "apk", Name: s["P"], Version: s["V"], Architecture: s["A"], Homepage: s["U"], Description: s["T"], Layer: f.Layer, File: "/" + f.Name}
		if s["o"] != s["P"] {
			p.Source = s["o"]
		}
		if s["L"] != "" {
			p.Licences = []string{s["L"]}
		}
		if out = append(out, p); len(out) >= most {
			break
		}
	}
	return out
}

// copyrightLicences returns the short names of licences in a copyright file of the
// form that machines read (DEP 5), sorted; none of another file.
func copyrightLicences(text string) []string {
	if !strings.HasPrefix(text, "Format:") {
		return nil
	}
	var out []string
	for s := range stanzas(text, colon) {
		if name := s["license"]; name != "" && s["files"] != "" {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
