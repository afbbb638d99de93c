package image

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// MaxMetadata bounds the bytes of a configuration, manifest or index; registries and
// other clients take no larger ones either.
const MaxMetadata = 4 << 20

// maxHistory bounds the entries of a history, of which a layer has a few.
const maxHistory = 10_000

// Config is the configuration blob of an image, in the form that Docker and
// the OCI share.
type Config struct {
	Created      string   `json:"created,omitempty"`
	Author       string   `json:"author,omitempty"`
	Architecture string   `json:"architecture"`
	Variant      string   `json:"variant,omitempty"`
	OS           string   `json:"os"`
	Settings     Settings `json:"config"`
	RootFS       RootFS   `json:"rootfs"`
	// History has one entry a layer plus those that say EmptyLayer.
	History []History `json:"history,omitempty"`
}

// RootFS lists the digests of the uncompressed layers, lowest first.
type RootFS struct {
	Type    string   `json:"type"`
	DiffIDs []Digest `json:"diff_ids"`
}

// History says how one step of an image came to be.
type History struct {
	Created    string `json:"created,omitempty"`
	CreatedBy  string `json:"created_by,omitempty"`
	Author     string `json:"author,omitempty"`
	Comment    string `json:"comment,omitempty"`
	EmptyLayer bool   `json:"empty_layer,omitempty"`
}

// Settings is what a container of the image starts with: Cmd, Env, User and so
// on, each value as JSON. It is written with sorted keys.
type Settings map[string]json.RawMessage

// ParseConfig reads a configuration blob of any tool.
func ParseConfig(data []byte) (Config, error) {
	var c Config
	if len(data) > MaxMetadata {
		return Config{}, fmt.Errorf("parse image configuration: it has %d bytes, but clients take no more than %d MiB", len(data), MaxMetadata>>20)
	}
	if err := json.Unmarshal(data, &c); err != nil {
		return Config{}, fmt.Errorf("parse image configuration: %w", err)
	}
	if len(c.History) > maxHistory {
		return Config{}, fmt.Errorf("parse image configuration: its history has %d entries", len(c.History))
	}
	for _, id := range c.RootFS.DiffIDs {
		if _, err := ParseDigest(string(id)); err != nil {
			return Config{}, fmt.Errorf("parse image configuration: diff_ids: %w", err)
		}
	}
	return c, nil
}

// encode writes v as compact JSON without escaping what only HTML needs escaped.
func encode(v any) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n")), nil
}
