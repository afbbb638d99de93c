// Package config reads what the user has set: files of settings, NIX_CONFIG and
// the flags that all commands have in common, and with them it begins a command.
package config

import (
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"gonix/dockertools/layercache"
	"gonix/eval"
)

// Settings are Nix's settings as far as they mean something here, with its
// names (nix.conf(5)) and defaults.
type Settings struct {
	cacheSettings

	System           string
	Sandbox          bool
	MaxJobs          int
	Cores            int
	KeepGoing        bool
	KeepFailed       bool
	LogLines         int
	Timeout          time.Duration
	MaxSilent        time.Duration
	MaxCallDepth     int
	HashedMirrors    []string
	DownloadAttempts int
	StalledTimeout   time.Duration
	ConnectTimeout   time.Duration
	ShowTrace        bool
	FsyncMetadata    bool
	BuildDir         string
	KeepBuildLog     bool
	CompressBuildLog bool
	JSONLogPath      string
	MaxBuildLogSize  int64

	// The store.
	KeepOutputs          bool
	KeepDerivations      bool
	AutoOptimise         bool
	MinFree, MaxFree     int64
	MinFreeCheckInterval time.Duration

	// What evaluation may do; see eval.Settings.
	Pure                 bool
	Restrict             bool
	TraceVerbose         bool
	AbortOnWarn          bool
	shortWarned          bool // warn-short-path-literals, not its successor, has asked for warnings
	ImportFromDerivation bool
	Features             []string // experimental-features
	Lint                 eval.Lint
	NixPath              []pathEdit // nix-path and extra-nix-path in their order
	fromFlags            bool       // what is set now comes from the command line
	EvalSystem           string     // builtins.currentSystem, if it is not System
	AllowedURIs          []string   // what restricted evaluation may fetch

	ImageLayerCacheSize int64 // bytes of finished layers that are kept; 0 for none

	TarballTTL            time.Duration     // how long what was fetched counts as new
	AccessTokens          map[string]string // by host, or host/path
	AllowDirty, WarnDirty bool              // of uncommitted changes in git work trees
}

func Default() Settings {
	return Settings{
		cacheSettings: defaultCacheSettings(),

		System:           hostSystem(),
		Sandbox:          true,
		MaxJobs:          runtime.NumCPU(),
		LogLines:         10,
		MaxCallDepth:     10000,
		DownloadAttempts: 5,
		StalledTimeout:   300 * time.Second,
		ConnectTimeout:   15 * time.Second,

		KeepBuildLog:         true,
		CompressBuildLog:     true,
		KeepDerivations:      true,
		MaxFree:              math.MaxInt64,
		MinFreeCheckInterval: 5 * time.Second,

		ImportFromDerivation: true,

		ImageLayerCacheSize: layercache.DefaultLimit,

		TarballTTL: time.Hour,
		AllowDirty: true,
		WarnDirty:  true,
	}
}

// hostSystem is builtins.currentSystem: what Linux machine derivations are
// built for. On other systems it is the Linux of the same processor, because
// images are for Linux wherever they are made.
func hostSystem() string {
	arch := map[string]string{"amd64": "x86_64", "arm64": "aarch64", "386": "i686", "arm": "armv7l", "riscv64": "riscv64"}[runtime.GOARCH]
	if arch == "" {
		arch = runtime.GOARCH
	}
	return arch + "-linux"
}

// settingTable says how each setting takes its text.
var settingTable = map[string]func(s *Settings, v string) error{
	"system":                   func(s *Settings, v string) error { s.System = v; return nil },
	"sandbox":                  func(s *Settings, v string) error { return boolSetting(&s.Sandbox, v, "relaxed") },
	"build-use-sandbox":        func(s *Settings, v string) error { return boolSetting(&s.Sandbox, v, "relaxed") },
	"max-jobs":                 func(s *Settings, v string) error { return JobsSetting(&s.MaxJobs, v) },
	"build-max-jobs":           func(s *Settings, v string) error { return JobsSetting(&s.MaxJobs, v) },
	"cores":                    func(s *Settings, v string) error { return intSetting(&s.Cores, v) },
	"build-cores":              func(s *Settings, v string) error { return intSetting(&s.Cores, v) },
	"keep-going":               func(s *Settings, v string) error { return boolSetting(&s.KeepGoing, v) },
	"keep-failed":              func(s *Settings, v string) error { return boolSetting(&s.KeepFailed, v) },
	"log-lines":                func(s *Settings, v string) error { return intSetting(&s.LogLines, v) },
	"timeout":                  func(s *Settings, v string) error { return secondsSetting(&s.Timeout, v) },
	"max-silent-time":          func(s *Settings, v string) error { return secondsSetting(&s.MaxSilent, v) },
	"max-call-depth":           func(s *Settings, v string) error { return intSetting(&s.MaxCallDepth, v) },
	"hashed-mirrors":           func(s *Settings, v string) error { s.HashedMirrors = strings.Fields(v); return nil },
	"download-attempts":        func(s *Settings, v string) error { return intSetting(&s.DownloadAttempts, v) },
	"stalled-download-timeout": func(s *Settings, v string) error { return secondsSetting(&s.StalledTimeout, v) },
	"connect-timeout": func(s *Settings, v string) error {
		s.ConnectGiven = true
		return secondsSetting(&s.ConnectTimeout, v)
	},
	"substitute":                  func(s *Settings, v string) error { return boolSetting(&s.Substitute, v) },
	"build-use-substitutes":       func(s *Settings, v string) error { return boolSetting(&s.Substitute, v) },
	"substituters":                func(s *Settings, v string) error { return s.setSubstituters(v) },
	"binary-caches":               func(s *Settings, v string) error { return s.setSubstituters(v) },
	"extra-substituters":          func(s *Settings, v string) error { return extraSetting(&s.Substituters, v) },
	"extra-binary-caches":         func(s *Settings, v string) error { return extraSetting(&s.Substituters, v) },
	"trusted-public-keys":         func(s *Settings, v string) error { return wordsSetting(&s.TrustedKeys, v) },
	"binary-cache-public-keys":    func(s *Settings, v string) error { return wordsSetting(&s.TrustedKeys, v) },
	"extra-trusted-public-keys":   func(s *Settings, v string) error { return extraSetting(&s.TrustedKeys, v) },
	"require-sigs":                func(s *Settings, v string) error { return boolSetting(&s.RequireSigs, v) },
	"always-allow-substitutes":    func(s *Settings, v string) error { return boolSetting(&s.AlwaysSubstitute, v) },
	"fallback":                    func(s *Settings, v string) error { return boolSetting(&s.Fallback, v) },
	"build-fallback":              func(s *Settings, v string) error { return boolSetting(&s.Fallback, v) },
	"http-connections":            func(s *Settings, v string) error { return intSetting(&s.Connections, v) },
	"max-substitution-jobs":       func(s *Settings, v string) error { return intSetting(&s.SubstitutionJobs, v) },
	"narinfo-cache-positive-ttl":  func(s *Settings, v string) error { return secondsSetting(&s.PositiveTTL, v) },
	"narinfo-cache-negative-ttl":  func(s *Settings, v string) error { return secondsSetting(&s.NegativeTTL, v) },
	"netrc-file":                  func(s *Settings, v string) error { s.NetrcFile = v; return nil },
	"ssl-cert-file":               func(s *Settings, v string) error { s.CertFile = v; return nil },
	"secret-key-files":            func(s *Settings, v string) error { return wordsSetting(&s.SecretKeyFiles, v) },
	"extra-secret-key-files":      func(s *Settings, v string) error { return extraSetting(&s.SecretKeyFiles, v) },
	"show-trace":                  func(s *Settings, v string) error { return boolSetting(&s.ShowTrace, v) },
	"fsync-metadata":              func(s *Settings, v string) error { return boolSetting(&s.FsyncMetadata, v) },
	"pure-eval":                   func(s *Settings, v string) error { return boolSetting(&s.Pure, v) },
	"restrict-eval":               func(s *Settings, v string) error { return boolSetting(&s.Restrict, v) },
	"trace-verbose":               func(s *Settings, v string) error { return boolSetting(&s.TraceVerbose, v) },
	"abort-on-warn":               func(s *Settings, v string) error { return boolSetting(&s.AbortOnWarn, v) },
	"experimental-features":       func(s *Settings, v string) error { s.Features = strings.Fields(v); return nil },
	"extra-experimental-features": func(s *Settings, v string) error { s.Features = append(s.Features, strings.Fields(v)...); return nil },
	"nix-path":                    func(s *Settings, v string) error { return s.editPath(v, true) },
	"extra-nix-path":              func(s *Settings, v string) error { return s.editPath(v, false) },
	"lint-url-literals":           func(s *Settings, v string) error { return verdictSetting(&s.Lint.URLs, v) },
	"lint-absolute-path-literals": func(s *Settings, v string) error { return verdictSetting(&s.Lint.AbsolutePaths, v) },
	"lint-short-path-literals": func(s *Settings, v string) error {
		s.shortWarned = false
		return verdictSetting(&s.Lint.ShortPaths, v)
	},
	"warn-short-path-literals": (*Settings).warnShort,
	"allowed-uris":             func(s *Settings, v string) error { s.AllowedURIs = strings.Fields(v); return nil },
	"tarball-ttl":              func(s *Settings, v string) error { return secondsSetting(&s.TarballTTL, v) },
	"access-tokens":            func(s *Settings, v string) error { return pairsSetting(&s.AccessTokens, v) },
	"allow-dirty":              func(s *Settings, v string) error { return boolSetting(&s.AllowDirty, v) },
	"warn-dirty":               func(s *Settings, v string) error { return boolSetting(&s.WarnDirty, v) },
	"build-dir":                func(s *Settings, v string) error { s.BuildDir = v; return nil },
	"keep-build-log":           func(s *Settings, v string) error { return boolSetting(&s.KeepBuildLog, v) },
	"compress-build-log":       func(s *Settings, v string) error { return boolSetting(&s.CompressBuildLog, v) },
	"max-build-log-size":       func(s *Settings, v string) error { return sizeSetting(&s.MaxBuildLogSize, v) },
	"keep-outputs":             func(s *Settings, v string) error { return boolSetting(&s.KeepOutputs, v) },
	"gc-keep-outputs":          func(s *Settings, v string) error { return boolSetting(&s.KeepOutputs, v) },
	"keep-derivations":         func(s *Settings, v string) error { return boolSetting(&s.KeepDerivations, v) },
	"gc-keep-derivations":      func(s *Settings, v string) error { return boolSetting(&s.KeepDerivations, v) },
	"auto-optimise-store":      func(s *Settings, v string) error { return boolSetting(&s.AutoOptimise, v) },
	"image-layer-cache-size":   func(s *Settings, v string) error { return sizeSetting(&s.ImageLayerCacheSize, v) },
	"min-free":                 func(s *Settings, v string) error { return sizeSetting(&s.MinFree, v) },
	"max-free":                 func(s *Settings, v string) error { return sizeSetting(&s.MaxFree, v) },
	"min-free-check-interval":  func(s *Settings, v string) error { return secondsSetting(&s.MinFreeCheckInterval, v) },
	"json-log-path":            func(s *Settings, v string) error { s.JSONLogPath = v; return nil },
	"eval-system":              func(s *Settings, v string) error { s.EvalSystem = v; return nil },
	"allow-import-from-derivation": func(s *Settings, v string) error {
		return boolSetting(&s.ImportFromDerivation, v)
	},
}

// ignoredSettings are settings of Nix that change nothing about what is built
// here; naming one is no mistake.
var ignoredSettings = []string{
	"builders", "builders-use-substitutes",
	"sandbox-fallback", "trusted-substituters", "trusted-binary-caches",
	"trusted-users", "allowed-users", "accept-flake-config", "use-xdg-base-directories",
	// What a nix.conf that was written for C++ Nix may say, too.
	"allow-dirty-locks", "allow-unsafe-native-code-during-evaluation", "allowed-impure-host-deps", "auto-allocate-uids",
	"commit-lock-file-summary", "debugger-on-trace", "debugger-on-warn", "eval-attrset-update-layer-rhs-threshold",
	"eval-profile-file", "eval-profiler", "eval-profiler-frequency", "external-builders", "ignore-try", "impure-env",
	"nix-shell-always-looks-for-shell-nix", "nix-shell-shebang-arguments-relative-to-script", "trace-function-calls",
	"trace-import-from-derivation", "trust-tarballs-from-git-forges", "upgrade-nix-store-path-url", "use-registries",
	"warn-large-path-threshold",
	"allow-new-privileges", "allow-symlinked-store", "bash-prompt", "bash-prompt-prefix",
	"bash-prompt-suffix", "build-hook", "build-poll-interval", "build-users-group",
	"diff-hook", "download-buffer-size", "download-speed", "eval-cache",
	"extra-platforms", "extra-sandbox-paths", "extra-system-features", "filter-syscalls", "flake-registry",
	"fsync-store-paths", "gc-reserved-space", "http2", "id-count", "ignored-acls", "impersonate-linux-26",
	"keep-env-derivations",
	"nar-buffer-size", "narinfo-cache-meta-ttl", "plugin-files", "post-build-hook",
	"pre-build-hook", "preallocate-contents", "print-missing", "require-drop-supplementary-groups",
	"run-diff-hook", "sandbox-build-dir", "sandbox-dev-shm-size", "sandbox-paths", "start-id",
	"store", "sync-before-registering", "system-features", "use-case-hack", "use-cgroups",
	"use-sqlite-wal", "user-agent-suffix",
}

// Set gives a setting its text; known is false if Nix would not know it.
func (s *Settings) Set(name, value string) (known bool, err error) {
	if fn, ok := settingTable[name]; ok {
		err := fn(s, value)
		switch {
		case errors.Is(err, errBoolean):
			err = fmt.Errorf("Boolean setting '%s' has invalid value '%s'", name, value)
		case errors.Is(err, errNumber):
			err = fmt.Errorf("setting '%s' has invalid value '%s'", name, value)
		case err != nil:
			err = fmt.Errorf("setting '%s': %w", name, err)
		}
		return true, err
	}
	for _, n := range ignoredSettings {
		if n == name {
			return true, nil
		}
	}
	return false, nil
}

// setAll applies the text of NIX_CONFIG.
func (s *Settings) setAll(text string, warn func(string)) error {
	return s.setLines(text, "NIX_CONFIG", warn, nil)
}

// Feature reports whether an experimental feature of Nix is on.
func (s *Settings) Feature(name string) bool {
	return slices.Contains(s.Features, name) || name == "fetch-tree" && slices.Contains(s.Features, "flakes")
}

// nixFeatures are the experimental features of Nix 2.34, whether or not gonix
// has what they stand for.
var nixFeatures = []string{
	"auto-allocate-uids", "blake3-hashes", "ca-derivations", "cgroups", "configurable-impure-env",
	"daemon-trust-override", "dynamic-derivations", "external-builders", "fetch-closure", "fetch-tree",
	"flakes", "git-hashing", "impure-derivations", "local-overlay-store", "mounted-ssh-store",
	"nix-command", "parse-toml-timestamps", "pipe-operators", "read-only-local-store",
	"recursive-nix", "verified-fetches",
}

// warnFeatures tells of features that have become settings, and of what is none.
func (s *Settings) warnFeatures(warn func(string)) {
	for i, name := range s.Features {
		switch {
		case slices.Contains(nixFeatures, name) || slices.Contains(s.Features[:i], name):
		case name == "no-url-literals":
			warn("experimental feature 'no-url-literals' has been stabilized and renamed; use 'lint-url-literals = fatal' setting instead")
		default:
			warn("unknown experimental feature '" + name + "'")
		}
	}
}

// pairsSetting takes name=value pairs.
func pairsSetting(dst *map[string]string, v string) error {
	*dst = map[string]string{}
	for _, pair := range strings.Fields(v) {
		name, value, ok := strings.Cut(pair, "=")
		if !ok {
			return fmt.Errorf("'%s' is not of the form name=value", pair)
		}
		(*dst)[name] = value
	}
	return nil
}

// What a value is not.
var (
	errBoolean = errors.New("not a Boolean")
	errNumber  = errors.New("not a whole number of at least 0, with K, M, G or T behind it or not")
)

func boolSetting(dst *bool, v string, alsoTrue ...string) error {
	switch v {
	case "true", "yes", "1":
		*dst = true
		return nil
	case "false", "no", "0":
		*dst = false
		return nil
	}
	for _, t := range alsoTrue {
		if v == t {
			*dst = true
			return nil
		}
	}
	return errBoolean
}

func verdictSetting(dst *eval.Verdict, v string) error {
	i := slices.Index([]string{eval.Accept: "ignore", eval.Warn: "warn", eval.Refuse: "fatal"}, v)
	if i < 0 {
		return fmt.Errorf("'%s' is not 'ignore', 'warn' or 'fatal'", v)
	}
	*dst = eval.Verdict(i)
	return nil
}

// warnShort takes the older form of a verdict: a switch for warnings, which takes
// back only what it has asked for itself.
func (s *Settings) warnShort(v string) error {
	var warn bool
	err := boolSetting(&warn, v)
	switch {
	case err != nil:
	case warn:
		s.Lint.ShortPaths, s.shortWarned = eval.Warn, true
	case s.shortWarned:
		s.Lint.ShortPaths, s.shortWarned = eval.Accept, false
	}
	return err
}

func intSetting(dst *int, v string) error {
	n, err := ByteCount(v) // Nix takes K, M, G and T for any number
	if err != nil {
		return errNumber
	}
	*dst = int(n)
	return nil
}

// sizeSetting takes a number of bytes, perhaps with K, M, G or T at its end.
func sizeSetting(dst *int64, v string) error {
	n, err := ByteCount(v)
	if err == nil {
		*dst = n
	}
	return err
}

func ByteCount(v string) (int64, error) {
	digits, shift := v, 0
	if v != "" {
		if i := strings.IndexByte("KMGT", v[len(v)-1]&^0x20); i >= 0 {
			digits, shift = v[:len(v)-1], 10*(i+1)
		}
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n < 0 || n > math.MaxInt64>>shift {
		return 0, fmt.Errorf("'%s' is %w", v, errNumber)
	}
	return n << shift, nil
}

func JobsSetting(dst *int, v string) error {
	if v == "auto" {
		*dst = runtime.NumCPU()
		return nil
	}
	return intSetting(dst, v)
}

func secondsSetting(dst *time.Duration, v string) error {
	var n int
	if err := intSetting(&n, v); err != nil {
		return err
	}
	*dst = time.Duration(n) * time.Second
	return nil
}
