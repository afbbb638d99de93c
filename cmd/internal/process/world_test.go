package process

import "testing"

func TestHome(t *testing.T) {
	for _, c := range []struct {
		name   string
		env    map[string]string
		passwd func() string
		home   string
		cache  string
	}{
		{"HOME comes first", map[string]string{"HOME": "/h"}, func() string { return "/p" }, "/h", "/h/.cache/gonix"},
		{"the list of users", map[string]string{"HOME": ""}, func() string { return "/p" }, "/p", "/p/.cache/gonix"},
		{"not in the list", nil, func() string { return "" }, "", ""},
		{"no list", nil, nil, "", ""},
		{"a cache elsewhere", map[string]string{"XDG_CACHE_HOME": "/c"}, nil, "", "/c/gonix"},
	} {
		w := &World{PasswdHome: c.passwd, LookupEnv: func(name string) (string, bool) {
			value, ok := c.env[name]
			return value, ok
		}}
		if home, cache := w.Home(), w.CacheDir(); home != c.home || cache != c.cache {
			t.Errorf("%s: %q, cache %q", c.name, home, cache)
		}
	}
}
