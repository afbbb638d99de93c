package instantiate_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"gonix/derivation/store"
	"gonix/derivation/storepath"
	"gonix/eval"
	"gonix/eval/instantiate"
	"gonix/eval/render"
)

const (
	addressed = "/nix/store/00000000000000000000000000000001-addressed"
	input     = "/nix/store/00000000000000000000000000000002-input"
	rewritten = "/nix/store/00000000000000000000000000000003-input"
	absent    = "/nix/store/00000000000000000000000000000004-absent"
)

// closures is a store and a binary cache from which it can be filled.
type closures struct {
	store.Memory
	valid map[string]string // content addresses by path
}

func (c *closures) Info(_ context.Context, p storepath.Path) (*store.Info, error) {
	ca, ok := c.valid[p.String()]
	if !ok {
		return nil, fmt.Errorf("path '%s' is not valid: %w", p, store.ErrNotFound)
	}
	return &store.Info{Path: p, CA: ca}, nil
}

func (c *closures) FetchClosure(_ context.Context, cache string, p storepath.Path) error {
	if p.String() == absent {
		return fmt.Errorf("%s has no %s", cache, p)
	}
	c.valid[p.String()] = map[string]string{addressed: "fixed:r:sha256:x"}[p.String()]
	return nil
}

func (c *closures) ReaddressClosure(context.Context, string, storepath.Path) (storepath.Path, error) {
	c.valid[rewritten] = "fixed:r:sha256:y"
	return storepath.MustParse(rewritten), nil
}

func TestFetchClosure(t *testing.T) {
	const in = ` fromStore = "https://cache"; `
	for _, c := range []struct{ args, want string }{
		{in + "fromPath = " + addressed + ";", `{"` + addressed + `":{"path":true}}`},
		{in + "fromPath = " + input + "; inputAddressed = true;", `{"` + input + `":{"path":true}}`},
		{in + "fromPath = " + input + "; toPath = " + rewritten + ";", `{"` + rewritten + `":{"path":true}}`},
		{in + "fromPath = " + absent + ";", "https://cache has no " + absent},
		{in + "fromPath = " + input + ";", "The 'fromPath' value '" + input + "' is input-addressed, but 'inputAddressed' is set to 'false' (default)."},
		{in + "fromPath = " + addressed + "; inputAddressed = true;", "The store object referred to by 'fromPath' at '" + addressed + "' is not input-addressed, but 'inputAddressed' is set to 'true'."},
		{in + "fromPath = " + input + `; toPath = "";`, "rewriting '" + input + "' to content-addressed form yielded '" + rewritten + "'\nUse this value"},
		{in + "fromPath = " + input + "; toPath = " + addressed + ";", "yielded '" + rewritten + "', while '" + addressed + "' was expected"},
		{in + "fromPath = " + input + "; toPath = " + rewritten + "; inputAddressed = true;", "attribute 'inputAddressed' is set to true, but 'toPath' is also set"},
		{in, "attribute 'fromPath' is missing in call to 'fetchClosure'"},
		{in + `fromPath = "/etc";`, "path '/etc' is not in the Nix store"},
		{"fromPath = " + input + ";", "attribute 'fromStore' is missing in call to 'fetchClosure'"},
		{`fromStore = "file:///cache"; fromPath = ` + input + ";", "'fetchClosure' only supports http:// and https:// stores"},
		{`fromStore = "https://cache?x=y"; fromPath = ` + input + ";", "'fetchClosure' does not support URL query parameters (in 'https://cache?x=y')"},
		{in + "fromWhere = 1;", "attribute 'fromWhere' isn't supported in call to 'fetchClosure'"},
	} {
		world := &closures{valid: map[string]string{}}
		made := instantiate.New(t.Context(), instantiate.Options{Store: world, Closures: world, FetchClosure: true})
		s := eval.New(eval.Options{Builtins: made.Builtins(), Paths: made})
		v, err := s.EvalString("builtins.getContext (builtins.fetchClosure {"+c.args+"})", "/", "test")
		var got string
		if err == nil {
			got, _, err = render.JSON(s.Thread(), v, 0, true, false)
		}
		if err != nil {
			got = err.Error()
		}
		if !strings.Contains(got, c.want) {
			t.Errorf("%s: got %s, want %s", c.args, got, c.want)
		}
	}
}
