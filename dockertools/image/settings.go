package image

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// shape is the JSON that a setting must have.
type shape int

const (
	shapeString shape = iota
	shapeStrings
	shapeCommand
	shapeEnv
	shapeSet
	shapeLabels
	shapeBool
	shapeNumber
	shapeObject
)

// shapeWords says each shape the way an error does.
var shapeWords = [...]string{
	shapeString:  "a string",
	shapeStrings: "a list of strings",
	shapeCommand: "a list of strings",
	shapeEnv:     "a list of strings of the form NAME=value",
	shapeSet:     `a set whose values are empty sets, as in { "6379/tcp" = { }; }`,
	shapeLabels:  "a set of strings",
	shapeBool:    "a Boolean",
	shapeNumber:  "a number",
	shapeObject:  "a set",
}

// settingShapes has every key that Docker's container configuration knows.
var settingShapes = map[string]shape{
	"ArgsEscaped":     shapeBool,
	"AttachStderr":    shapeBool,
	"AttachStdin":     shapeBool,
	"AttachStdout":    shapeBool,
	"Cmd":             shapeCommand,
	"CpuShares":       shapeNumber,
	"Domainname":      shapeString,
	"Entrypoint":      shapeCommand,
	"Env":             shapeEnv,
	"ExposedPorts":    shapeSet,
	"Healthcheck":     shapeObject,
	"Hostname":        shapeString,
	"Image":           shapeString,
	"Labels":          shapeLabels,
	"MacAddress":      shapeString,
	"Memory":          shapeNumber,
	"MemorySwap":      shapeNumber,
	"NetworkDisabled": shapeBool,
	"OnBuild":         shapeStrings,
	"OpenStdin":       shapeBool,
	"Shell":           shapeCommand,
	"StdinOnce":       shapeBool,
	"StopSignal":      shapeString,
	"StopTimeout":     shapeNumber,
	"Tty":             shapeBool,
	"User":            shapeString,
	"Volumes":         shapeSet,
	"WorkingDir":      shapeString,
}

// ParseSettings checks the config that a user wrote. Values are kept as they
// are; a key that differs from a known one in case only gets the known
// spelling, as every client reads it so. A null value is the same as none, and a
// command that is one string, which Docker alone reads, becomes a list.
func ParseSettings(data []byte) (Settings, error) {
	var given map[string]json.RawMessage
	if err := json.Unmarshal(data, &given); err != nil {
		return nil, fmt.Errorf("config is not a set: %w", err)
	}
	out := Settings{}
	for _, key := range slices.Sorted(maps.Keys(given)) {
		value := given[key]
		if string(value) == "null" {
			continue
		}
		name, ok := knownSetting(key)
		if !ok {
			return nil, unknownSetting(key)
		}
		if _, dup := out[name]; dup {
			return nil, fmt.Errorf("config has '%s' twice, in different cases", name)
		}
		if settingShapes[name] == shapeCommand && value[0] == '"' {
			value = slices.Concat([]byte("["), value, []byte("]"))
		}
		if err := checkShape(name, settingShapes[name], value); err != nil {
			return nil, err
		}
		out[name] = value
	}
	return out, nil
}

func knownSetting(key string) (string, bool) {
	if _, ok := settingShapes[key]; ok {
		return key, true
	}
	for name := range settingShapes {
		if strings.EqualFold(name, key) {
			return name, true
		}
	}
	return "", false
}

func unknownSetting(key string) error {
	best, bestDistance := "", len(key)/2+1
	for _, name := range slices.Sorted(maps.Keys(settingShapes)) {
		if d := distance(strings.ToLower(key), strings.ToLower(name)); d < bestDistance {
			best, bestDistance = name, d
		}
	}
	if best != "" {
		return fmt.Errorf("config has no setting '%s'; did you mean '%s'?", key, best)
	}
	return fmt.Errorf("config has no setting '%s'; there are %s", key, strings.Join(slices.Sorted(maps.Keys(settingShapes)), ", "))
}

func checkShape(key string, s shape, value json.RawMessage) error {
	bad := func() error { return fmt.Errorf("config.%s is not %s: %s", key, shapeWords[s], clip(string(value))) }
	var err error
	switch s {
	case shapeString:
		var v string
		err = json.Unmarshal(value, &v)
	case shapeStrings, shapeCommand, shapeEnv:
		// A null inside would be read as "", so pointers tell them apart.
		var v []*string
		err = json.Unmarshal(value, &v)
		for _, e := range v {
			if e == nil || s == shapeEnv && strings.IndexByte(*e, '=') < 1 {
				return bad()
			}
		}
	case shapeSet:
		var v map[string]map[string]json.RawMessage
		err = json.Unmarshal(value, &v)
		for _, e := range v {
			if len(e) > 0 {
				return bad()
			}
		}
	case shapeLabels:
		var v map[string]*string
		err = json.Unmarshal(value, &v)
		for _, e := range v {
			if e == nil {
				return bad()
			}
		}
	case shapeBool:
		var v bool
		err = json.Unmarshal(value, &v)
	case shapeNumber:
		var v json.Number
		err = json.Unmarshal(value, &v)
		if len(value) > 0 && value[0] == '"' {
			return bad()
		}
	case shapeObject:
		var v map[string]json.RawMessage
		err = json.Unmarshal(value, &v)
	}
	if err != nil {
		return bad()
	}
	return nil
}

func clip(s string) string {
	const most = 80
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

// distance is the number of single byte edits that make b of a.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		prev := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			prev, row[j+1] = row[j+1], min(prev+cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// WithBase returns s on top of the settings of a base image. Of those, only
// the environment is taken over, unless all says that everything is.
// A variable that s sets too has the value and the place that s gives it.
func (s Settings) WithBase(base Settings, all bool) (Settings, error) {
	out := Settings{}
	if all {
		maps.Copy(out, base)
	}
	maps.Copy(out, s)
	env, err := mergeEnv(base["Env"], s["Env"])
	if err != nil {
		return nil, err
	}
	if env != nil {
		out["Env"] = env
	}
	return out, nil
}

func mergeEnv(base, own json.RawMessage) (json.RawMessage, error) {
	var lower, upper []string
	if base != nil {
		if err := json.Unmarshal(base, &lower); err != nil {
			return nil, fmt.Errorf("read Env of the base image: %w", err)
		}
	}
	if own != nil {
		if err := json.Unmarshal(own, &upper); err != nil {
			return nil, fmt.Errorf("read config.Env: %w", err)
		}
	}
	if len(lower) == 0 {
		return own, nil
	}
	set := map[string]bool{}
	for _, e := range upper {
		name, _, _ := strings.Cut(e, "=")
		set[name] = true
	}
	var merged []string
	for _, e := range lower {
		if name, _, _ := strings.Cut(e, "="); !set[name] {
			merged = append(merged, e)
		}
	}
	return encode(append(merged, upper...))
}

// SettingChange is a setting that two images do not have alike, or the platform.
// Old or New is nil where one of them does not have it.
type SettingChange struct {
	Name     string
	Old, New json.RawMessage
}

// DiffSettings compares how two images are run, by the values that JSON stands
// for; absent, null and empty are the same.
func DiffSettings(a, b Config) []SettingChange {
	all := func(c Config) map[string]json.RawMessage {
		out := map[string]json.RawMessage{}
		for name, value := range c.Settings {
			var v any
			if json.Unmarshal(value, &v) != nil {
				out[name] = value
				continue
			}
			// An encoder sorts the keys of sets.
			var text bytes.Buffer
			enc := json.NewEncoder(&text)
			enc.SetEscapeHTML(false)
			enc.Encode(v)
			switch value := bytes.TrimSpace(text.Bytes()); string(value) {
			case "null", `""`, "[]", "{}", "false", "0":
			default:
				out[name] = value
			}
		}
		for name, value := range map[string]string{"architecture": c.Architecture, "os": c.OS, "variant": c.Variant} {
			if value != "" {
				out[name], _ = json.Marshal(value)
			}
		}
		return out
	}
	old, now := all(a), all(b)
	names := maps.Clone(old)
	maps.Copy(names, now)
	var out []SettingChange
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if string(old[name]) != string(now[name]) {
			out = append(out, SettingChange{name, old[name], now[name]})
		}
	}
	return out
}
