package build

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"gonix/derivation/storepath"
)

// Attr returns an attribute of the derivation as text, whether its attributes
// are structured or not. Lists of texts are joined by spaces.
func (job *Job) Attr(name string) (string, bool) {
	text, ok := job.Drv.Structured()
	if !ok {
		v, ok := job.Drv.Env[name]
		return v, ok
	}
	attrs, err := parseAttrs(text)
	if err != nil {
		return "", false
	}
	switch v := attrs[name].(type) {
	case string:
		return v, true
	case []any:
		words, ok := stringList(v)
		return strings.Join(words, " "), ok
	}
	return "", false
}

// parseAttrs reads the JSON object of structured attributes. Numbers keep their
// notation.
func parseAttrs(text []byte) (map[string]any, error) {
	var attrs map[string]any
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&attrs); err != nil {
		return nil, fmt.Errorf("parse structured attributes: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("parse structured attributes: there is something after the object")
	}
	if attrs == nil {
		return nil, errors.New("parse structured attributes: they are not an object")
	}
	return attrs, nil
}

// stringList converts a list that must hold nothing but texts.
func stringList(list []any) ([]string, bool) {
	words := make([]string, len(list))
	for i, x := range list {
		s, ok := x.(string)
		if !ok {
			return nil, false
		}
		words[i] = s
	}
	return words, true
}

// structured writes .attrs.json and .attrs.sh.
func structured(ctx context.Context, job *Job, dir string, text []byte, placeholders *strings.Replacer, e *Env) error {
	attrs, err := parseAttrs(text)
	if err != nil {
		return err
	}
	outputs := map[string]any{}
	for name, p := range job.Outputs {
		outputs[name] = p.String()
	}
	attrs["outputs"] = outputs
	graphs, isObject := attrs["exportReferencesGraph"].(map[string]any)
	if _, given := attrs["exportReferencesGraph"]; given && !isObject {
		job.Report(Event{Kind: Note, Drv: job.DrvPath, Text: "warning: 'exportReferencesGraph' in structured attrs is not a JSON object, ignoring"})
	}
	if isObject {
		for _, name := range slices.Sorted(maps.Keys(graphs)) {
			if attrs[name], err = job.graphAttr(ctx, name, graphs[name]); err != nil {
				return err
			}
		}
	}
	out := placeholders.Replace(string(appendJSON(nil, attrs)))
	// The shell's form is made of the final texts, so read them again.
	if attrs, err = parseAttrs([]byte(out)); err != nil {
		return err
	}
	files := []struct{ name, variable, content string }{
		{".attrs.sh", "NIX_ATTRS_SH_FILE", shellAttrs(attrs)},
		{".attrs.json", "NIX_ATTRS_JSON_FILE", out},
	}
	for _, f := range files {
		if err := os.WriteFile(filepath.Join(job.TmpDir, f.name), []byte(f.content), 0o644); err != nil {
			return fmt.Errorf("write structured attributes: %w", err)
		}
		e.Vars[f.variable] = dir + "/" + f.name
	}
	return nil
}

// flatTexts appends a text, or those of a list, however deep they are in lists.
func flatTexts(words []string, x any) ([]string, bool) {
	switch x := x.(type) {
	case string:
		return append(words, x), true
	case []any:
		for _, e := range x {
			var ok bool
			if words, ok = flatTexts(words, e); !ok {
				return nil, false
			}
		}
		return words, true
	}
	return nil, false
}

// graphAttr describes the closure of one or several inputs as Nix does for
// structured attributes.
func (job *Job) graphAttr(ctx context.Context, name string, spec any) (any, error) {
	words, ok := flatTexts(nil, spec)
	if !ok {
		return nil, fmt.Errorf("'exportReferencesGraph' has something else than store paths for '%s'", name)
	}
	var roots []storepath.Path
	for _, w := range words {
		p, _, err := storepath.Split(w)
		if err != nil {
			return nil, fmt.Errorf("'exportReferencesGraph' contains a non-store path '%s'", w)
		}
		roots = append(roots, p)
	}
	closure, err := job.graph(ctx, roots)
	if err != nil {
		return nil, err
	}
	list := []any{}
	for _, p := range closure {
		info, err := job.Store.Info(ctx, p)
		if err != nil {
			return nil, fmt.Errorf("export a references graph: %w", err)
		}
		below, err := job.Store.Closure(ctx, p)
		if err != nil {
			return nil, fmt.Errorf("export a references graph: %w", err)
		}
		var size int64
		for _, q := range below {
			i, err := job.Store.Info(ctx, q)
			if err != nil {
				return nil, fmt.Errorf("export a references graph: %w", err)
			}
			size += i.NarSize
		}
		refs := []any{}
		for _, r := range info.References {
			refs = append(refs, r.String())
		}
		entry := map[string]any{
			"path":        p.String(),
			"narHash":     info.NarHash.Prefixed32(),
			"narSize":     number(info.NarSize),
			"references":  refs,
			"closureSize": number(size),
			"valid":       true,
		}
		if info.CA != "" {
			entry["ca"] = info.CA
		}
		list = append(list, entry)
	}
	return list, nil
}

func number(n int64) json.Number { return json.Number(strconv.FormatInt(n, 10)) }

// appendJSON writes v as Nix does: keys sorted, no spaces, nothing escaped that
// need not be.
func appendJSON(b []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(b, "null"...)
	case bool:
		return strconv.AppendBool(b, v)
	case json.Number:
		return append(b, v.String()...)
	case string:
		return appendJSONString(b, v)
	case []any:
		b = append(b, '[')
		for i, x := range v {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendJSON(b, x)
		}
		return append(b, ']')
	case map[string]any:
		b = append(b, '{')
		for i, key := range slices.Sorted(maps.Keys(v)) {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendJSONString(b, key)
			b = append(b, ':')
			b = appendJSON(b, v[key])
		}
		return append(b, '}')
	}
	panic(fmt.Sprintf("build: JSON value of type %T", v))
}

var jsonEscapes = map[byte]string{
	'"': `\"`, '\\': `\\`, '\b': `\b`, '\f': `\f`, '\n': `\n`, '\r': `\r`, '\t': `\t`,
}

func appendJSONString(b []byte, s string) []byte {
	b = append(b, '"')
	for i := range len(s) {
		c := s[i]
		if esc, ok := jsonEscapes[c]; ok {
			b = append(b, esc...)
		} else if c < 0x20 {
			b = fmt.Appendf(b, `\u%04x`, c)
		} else {
			b = append(b, c)
		}
	}
	return append(b, '"')
}

var shellName = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
})

// shellAttrs declares in Bash's language what it has types for: texts, numbers,
// truth values, and lists and sets of these (Nix: writeStructuredAttrsShell).
func shellAttrs(attrs map[string]any) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(attrs)) {
		if !shellName().MatchString(name) {
			continue
		}
		switch v := attrs[name].(type) {
		case []any:
			var items strings.Builder
			for _, x := range v {
				word, ok := shellWord(x)
				if !ok {
					items.Reset()
					v = nil
					break
				}
				items.WriteString(word + " ")
			}
			if v != nil {
				fmt.Fprintf(&b, "declare -a %s=(%s)\n", name, items.String())
			}
		case map[string]any:
			var items strings.Builder
			for _, key := range slices.Sorted(maps.Keys(v)) {
				word, ok := shellWord(v[key])
				if !ok {
					v = nil
					break
				}
				fmt.Fprintf(&items, "[%s]=%s ", shellQuote(key), word)
			}
			if v != nil {
				fmt.Fprintf(&b, "declare -A %s=(%s)\n", name, items.String())
			}
		default:
			if word, ok := shellWord(v); ok {
				fmt.Fprintf(&b, "declare %s=%s\n", name, word)
			}
		}
	}
	return b.String()
}

// shellWord is a simple value as a word of the shell. Numbers must be whole.
func shellWord(v any) (string, bool) {
	switch v := v.(type) {
	case nil:
		return "''", true
	case string:
		return shellQuote(v), true
	case bool:
		if v {
			return "1", true
		}
		return "", true
	case json.Number:
		if _, err := v.Int64(); err == nil {
			return v.String(), true
		}
		f, err := v.Float64()
		if err == nil && f == math.Trunc(f) && math.Abs(f) < 1<<31 {
			return strconv.FormatInt(int64(f), 10), true
		}
	}
	return "", false
}

func shellQuote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
