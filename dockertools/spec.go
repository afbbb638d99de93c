package dockertools

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"gonix/derivation/storepath"
	"gonix/dockertools/image"
	"gonix/dockertools/layer"
	"gonix/dockertools/tarball"
)

// defaultCreated is one second after the epoch, as nixpkgs has it: some clients
// show time zero as 2000 years ago.
const defaultCreated = "1970-01-01T00:00:01Z"

// defaultMaxLayers leaves room for layers that others put on top.
const defaultMaxLayers = 100

// Spec says what image to build. It is what the Nix side hands over.
type Spec struct {
	// Name is of the derivation, ImageName of the image.
	Name      string
	ImageName string
	// ImageTag is "" for the hash part of the output.
	ImageTag string
	// FromImage is the logical name of an archive with the base image, or "".
	FromImage     string
	FromImageName string
	FromImageTag  string
	// InheritConfig takes all settings of the base over, not only Env.
	InheritConfig bool
	// Contents are copied to the root.
	Contents          []storepath.Path
	KeepContentsLinks bool
	// Absent are store paths that the config may name although they are not in
	// the image, nor in its base.
	Absent []storepath.Path
	// Settings are the config of the image.
	Settings     image.Settings
	RawConfig    []byte
	Architecture string
	// Variant is of the architecture, such as v7 of arm, or "".
	Variant string
	OS      string
	// ExtraCommands run in the directory that becomes the layer, RunAsRoot with
	// the image as root directory.
	ExtraCommands string
	RunAsRoot     string
	// Layered images have links into the store instead of copies of the
	// contents, and scripts run in the topmost layer alone.
	Layered bool
	// FakeRootCommands run after ExtraCommands as a user who owns everything;
	// with EnableFakechroot the new layer is their root directory.
	FakeRootCommands string
	EnableFakechroot bool
	// IncludeStorePaths is false where the store is there already when the image
	// runs.
	IncludeStorePaths bool
	// IncludeNixDB registers the store paths of the image in a Nix database in it.
	IncludeNixDB bool
	// UID and GID own the files copied or made by ExtraCommands, and in a layered
	// image those of the store instead; User and Group are their names.
	UID, GID    int
	User, Group string
	// Mtime is the time of the store's files in a layered image, in seconds since
	// 1970; with MtimeNow it is that of the build.
	Mtime    int64
	MtimeNow bool
	// Streamer is the logical name of a program that writes archives; with it the
	// output is not an archive but a program that writes one.
	Streamer string
	// Created is a date or "now".
	Created     string
	Compression tarball.Compression
	// Layers says which store paths share a layer, MaxLayers how many there may
	// be in all.
	Layers    layer.Strategy
	MaxLayers int
	// Pipeline replaces Layers; PipelineFile is the logical name of a file that
	// holds one. MaxLayers bounds neither, as with nixpkgs' layeringPipeline.
	Pipeline     *layer.Pipeline
	PipelineFile string
	// Shell runs scripts, with Path as PATH.
	Shell string
	Path  string
}

// fields of a Spec's JSON, by name: what Go's decoder alone would leave
// unchecked is read here.
type field struct {
	name string
	read func(s *Spec, d fieldDecoder) error
}

// fieldDecoder decodes the JSON of one field and describes it in errors.
type fieldDecoder struct {
	name  string
	value json.RawMessage
}

func (d fieldDecoder) wrong(what string) error {
	return fmt.Errorf("'%s' is not %s: %s", d.name, what, d.value)
}

func (d fieldDecoder) str(into *string) error {
	if json.Unmarshal(d.value, into) != nil {
		return d.wrong("a string")
	}
	return nil
}

func (d fieldDecoder) boolean(into *bool) error {
	if json.Unmarshal(d.value, into) != nil {
		return d.wrong("a Boolean")
	}
	return nil
}

// id reads a number, or a string of digits as nixpkgs' scripts take it.
func (d fieldDecoder) id(into *int) error {
	var text string
	err := json.Unmarshal(d.value, &text)
	if err == nil {
		*into, err = strconv.Atoi(text)
	} else {
		err = json.Unmarshal(d.value, into)
	}
	if err != nil || *into < 0 || int64(*into) > 1<<32-1 {
		return d.wrong("a user or group number")
	}
	return nil
}

// paths reads a list of store paths, or a single one.
func (d fieldDecoder) paths(into *[]storepath.Path) error {
	var list []string
	if json.Unmarshal(d.value, &list) != nil {
		var one string
		if json.Unmarshal(d.value, &one) != nil {
			return d.wrong("a list of store paths")
		}
		list = []string{one}
	}
	for _, name := range list {
		p, err := storepath.Parse(name)
		if err != nil {
			return fmt.Errorf("'%s': %w", d.name, err)
		}
		*into = append(*into, p)
	}
	return nil
}

// fields has every attribute that the builder reads. Others belong to the
// derivation and are left alone.
var fields = [...]field{
	{"name", func(s *Spec, d fieldDecoder) error { return d.str(&s.Name) }},
	{"imageName", func(s *Spec, d fieldDecoder) error { return d.str(&s.ImageName) }},
	{"imageTag", func(s *Spec, d fieldDecoder) error { return d.str(&s.ImageTag) }},
	{"fromImage", func(s *Spec, d fieldDecoder) error { return d.str(&s.FromImage) }},
	{"fromImageName", func(s *Spec, d fieldDecoder) error { return d.str(&s.FromImageName) }},
	{"fromImageTag", func(s *Spec, d fieldDecoder) error { return d.str(&s.FromImageTag) }},
	{"inheritConfig", func(s *Spec, d fieldDecoder) error { return d.boolean(&s.InheritConfig) }},
	{"contents", func(s *Spec, d fieldDecoder) error { return d.paths(&s.Contents) }},
	{"absentPaths", func(s *Spec, d fieldDecoder) error { return d.paths(&s.Absent) }},
	{"keepContentsDirlinks", func(s *Spec, d fieldDecoder) error { return d.boolean(&s.KeepContentsLinks) }},
	{"config", readConfig},
	{"architecture", func(s *Spec, d fieldDecoder) error { return d.str(&s.Architecture) }},
	{"variant", func(s *Spec, d fieldDecoder) error { return d.str(&s.Variant) }},
	{"os", func(s *Spec, d fieldDecoder) error { return d.str(&s.OS) }},
	{"extraCommands", func(s *Spec, d fieldDecoder) error { return d.str(&s.ExtraCommands) }},
	{"runAsRoot", func(s *Spec, d fieldDecoder) error { return d.str(&s.RunAsRoot) }},
	{"layered", func(s *Spec, d fieldDecoder) error { return d.boolean(&s.Layered) }},
	{"fakeRootCommands", func(s *Spec, d fieldDecoder) error { return d.str(&s.FakeRootCommands) }},
	{"enableFakechroot", func(s *Spec, d fieldDecoder) error { return d.boolean(&s.EnableFakechroot) }},
	{"includeStorePaths", func(s *Spec, d fieldDecoder) error { return d.boolean(&s.IncludeStorePaths) }},
	{"mtime", readMtime},
	{"uname", func(s *Spec, d fieldDecoder) error { return d.str(&s.User) }},
	{"gname", func(s *Spec, d fieldDecoder) error { return d.str(&s.Group) }},
	{"streamer", func(s *Spec, d fieldDecoder) error { return d.str(&s.Streamer) }},
	{"uid", func(s *Spec, d fieldDecoder) error { return d.id(&s.UID) }},
	{"gid", func(s *Spec, d fieldDecoder) error { return d.id(&s.GID) }},
	{"created", func(s *Spec, d fieldDecoder) error { return d.str(&s.Created) }},
	{"compressor", readCompressor},
	{"includeNixDB", func(s *Spec, d fieldDecoder) error { return d.boolean(&s.IncludeNixDB) }},
	{"layerStrategy", readStrategy},
	{"maxLayers", readMaxLayers},
	{"layeringPipeline", readPipeline},
	{"shell", func(s *Spec, d fieldDecoder) error { return d.str(&s.Shell) }},
	{"path", func(s *Spec, d fieldDecoder) error { return d.str(&s.Path) }},
}

// ParseSpec reads the structured attributes of a builtin:docker-image derivation.
func ParseSpec(data []byte) (Spec, error) {
	var given map[string]json.RawMessage
	if err := json.Unmarshal(data, &given); err != nil {
		return Spec{}, fmt.Errorf("the structured attributes are no JSON object: %w", err)
	}
	s := Spec{Architecture: "amd64", OS: "linux", Created: defaultCreated, Compression: tarball.Compressions[1], Settings: image.Settings{}, Layers: layer.Strategies[0], MaxLayers: defaultMaxLayers,
		IncludeStorePaths: true, Mtime: tarball.StoreTime}
	for _, f := range fields {
		value, ok := given[f.name]
		if !ok || string(value) == "null" {
			continue
		}
		if err := f.read(&s, fieldDecoder{f.name, value}); err != nil {
			return Spec{}, err
		}
	}
	if s.ImageName == "" {
		s.ImageName = s.Name
	}
	s.ImageName = strings.ToLower(s.ImageName)
	if err := s.check(); err != nil {
		return Spec{}, err
	}
	return s, nil
}

func readConfig(s *Spec, d fieldDecoder) error {
	settings, err := image.ParseSettings(d.value)
	s.Settings, s.RawConfig = settings, d.value
	return err
}

func readCompressor(s *Spec, d fieldDecoder) error {
	var name string
	if err := d.str(&name); err != nil {
		return err
	}
	c, err := tarball.ParseCompression(name)
	s.Compression = c
	return err
}

func readStrategy(s *Spec, d fieldDecoder) error {
	var name string
	if err := d.str(&name); err != nil {
		return err
	}
	strategy, err := layer.Parse(name)
	s.Layers = strategy
	return err
}

func readMaxLayers(s *Spec, d fieldDecoder) error {
	if json.Unmarshal(d.value, &s.MaxLayers) != nil || s.MaxLayers < 1 || s.MaxLayers > image.MaxLayers {
		return d.wrong(fmt.Sprintf("a number from 1 to %d", image.MaxLayers))
	}
	return nil
}

// readPipeline reads steps, or the name of the file that holds them.
func readPipeline(s *Spec, d fieldDecoder) error {
	if json.Unmarshal(d.value, &s.PipelineFile) == nil {
		if _, _, err := storepath.Split(path.Clean(s.PipelineFile)); err != nil {
			return fmt.Errorf("'layeringPipeline': %w", err)
		}
		return nil
	}
	p, err := layer.ParsePipeline(d.value)
	if err != nil {
		return fmt.Errorf("'layeringPipeline': %w", err)
	}
	s.Pipeline = p
	return nil
}

func readMtime(s *Spec, d fieldDecoder) error {
	var text string
	if err := d.str(&text); err != nil {
		return err
	}
	if text == "now" {
		s.MtimeNow = true
		return nil
	}
	at, err := parseDate(text)
	if err != nil {
		return fmt.Errorf("'mtime' is neither \"now\" nor a date such as %s: '%s'", defaultCreated, text)
	}
	s.Mtime = at.Unix()
	return nil
}

// architectures are those that Go and so Docker have a name for; an image of
// any other name would start nowhere.
var architectures = map[string]bool{
	"386": true, "amd64": true, "arm": true, "arm64": true, "loong64": true, "mips64le": true,
	"ppc64le": true, "riscv64": true, "s390x": true,
}

func (s *Spec) check() error {
	tag := s.ImageTag
	if tag == "" {
		tag = "latest" // the output's hash part is always valid
	}
	if _, err := image.NewReference(s.ImageName, tag); err != nil {
		return err
	}
	if !architectures[s.Architecture] {
		return fmt.Errorf("architecture '%s' is unknown; there are %s", s.Architecture, strings.Join(slices.Sorted(maps.Keys(architectures)), ", "))
	}
	if s.Shell == "" {
		for _, text := range []string{s.ExtraCommands, s.RunAsRoot, s.FakeRootCommands} {
			if text != "" && !strings.HasPrefix(text, "#!") {
				return errors.New("'extraCommands', 'runAsRoot' and 'fakeRootCommands' need a 'shell' to run them")
			}
		}
	}
	if s.Layered && s.RunAsRoot != "" {
		return errors.New("'runAsRoot' is for images of one layer; layered ones have 'fakeRootCommands'")
	}
	if s.Streamer != "" {
		if _, _, err := storepath.Split(path.Clean(s.Streamer)); err != nil {
			return fmt.Errorf("'streamer': %w", err)
		}
		if s.Compression.Name != "none" {
			return errors.New("a streamed image is not compressed: 'compressor' must be none")
		}
	}
	if s.FromImage != "" {
		if _, _, err := storepath.Split(path.Clean(s.FromImage)); err != nil {
			return fmt.Errorf("'fromImage': %w", err)
		}
	} else if s.FromImageName != "" || s.FromImageTag != "" {
		return errors.New("'fromImageName' and 'fromImageTag' choose among the images of 'fromImage', which is not set")
	}
	_, err := s.created(func() time.Time { return time.Time{} })
	return err
}

// dateForms are the ways to write a date, most precise first: what flakes and
// git say of a commit is among them, as nixpkgs gives dates to GNU's date.
var dateForms = [...]string{
	time.RFC3339Nano, "2006-01-02T15:04:05-0700", "2006-01-02T15:04:05", "2006-01-02T15:04",
	"2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05 -0700", "2006-01-02 15:04:05 UTC", "2006-01-02 15:04:05", "2006-01-02 15:04",
	"2006-01-02", "20060102150405", "20060102",
}

// created returns the date in the form of image configurations.
func (s *Spec) created(now func() time.Time) (string, error) {
	if s.Created == "now" {
		if now == nil {
			return "", fmt.Errorf("'created' is \"now\", but there is no clock")
		}
		return now().UTC().Truncate(time.Second).Format(time.RFC3339), nil
	}
	if _, err := time.Parse(time.RFC3339Nano, s.Created); err == nil {
		return s.Created, nil
	}
	if at, err := parseDate(s.Created); err == nil {
		return at.Format(time.RFC3339), nil
	}
	return "", fmt.Errorf("'created' is neither \"now\" nor a date such as %s: '%s'", defaultCreated, s.Created)
}

// mtime returns the time of the store's files.
func (s *Spec) mtime(now func() time.Time) (int64, error) {
	if !s.MtimeNow {
		return s.Mtime, nil
	}
	if now == nil {
		return 0, fmt.Errorf("'mtime' is \"now\", but there is no clock")
	}
	return now().Unix(), nil
}

// lastSecond is that of the year 9999, beyond which dates have no standard form.
const lastSecond = 253402300799

// parseDate reads a date in one of dateForms, or @ and the seconds since 1970;
// one without a time zone is UTC.
func parseDate(text string) (time.Time, error) {
	if digits, ok := strings.CutPrefix(text, "@"); ok {
		seconds, err := strconv.ParseInt(digits, 10, 64)
		if err == nil && (seconds < 0 || seconds > lastSecond) {
			err = strconv.ErrRange
		}
		return time.Unix(seconds, 0).UTC(), err
	}
	var at time.Time
	var err error
	for _, form := range dateForms {
		if at, err = time.Parse(form, text); err == nil {
			return at, nil
		}
	}
	return at, err
}
