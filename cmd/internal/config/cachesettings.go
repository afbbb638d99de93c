package config

import (
	"slices"
	"strings"
	"time"
)

// The public cache of Nix and its key, which the world knows by heart.
const (
	publicCache = "https://cache.nixos.org"
	publicKey   = "cache.nixos.org-1:6NCHdD59X431o0gWypbMrAURkbJ16ZPMQFGspcDShjY="
)

// cacheSettings are the settings about binary caches.
type cacheSettings struct {
	Substitute        bool
	Substituters      []string
	SubstitutersGiven bool // by the user; caches of our own choice may be away without trouble
	TrustedKeys       []string
	RequireSigs       bool
	AlwaysSubstitute  bool
	Fallback          bool
	Connections       int
	SubstitutionJobs  int
	PositiveTTL       time.Duration
	NegativeTTL       time.Duration
	NetrcFile         string
	CertFile          string // of the authorities that are trusted; "" for the machine's
	SecretKeyFiles    []string
	ConnectGiven      bool // connect-timeout is the user's
}

func defaultCacheSettings() cacheSettings {
	return cacheSettings{
		Substitute:       true,
		Substituters:     []string{publicCache},
		TrustedKeys:      []string{publicKey},
		RequireSigs:      true,
		Connections:      25,
		SubstitutionJobs: 16,
		PositiveTTL:      30 * 24 * time.Hour,
		NegativeTTL:      time.Hour,
	}
}

// wordsSetting replaces a list.
func wordsSetting(dst *[]string, v string) error {
	*dst = strings.Fields(v)
	return nil
}

// extraSetting adds to a list what is not there yet.
func extraSetting(dst *[]string, v string) error {
	list := slices.Clone(*dst)
	for _, word := range strings.Fields(v) {
		if !slices.Contains(list, word) {
			list = append(list, word)
		}
	}
	*dst = list
	return nil
}

func (s *Settings) setSubstituters(v string) error {
	s.SubstitutersGiven = true
	return wordsSetting(&s.Substituters, v)
}

// Connect says how long connecting to a cache may take: not long where the user
// has not asked for the cache.
func (s *Settings) Connect() time.Duration {
	if s.SubstitutersGiven || s.ConnectGiven {
		return s.ConnectTimeout
	}
	return min(s.ConnectTimeout, 5*time.Second)
}
