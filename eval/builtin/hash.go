package builtin

import (
	"gonix/derivation/nixhash"
	"gonix/eval/value"
	"gonix/parser/source"
)

func hashTable(h Host) []*value.Builtin {
	return []*value.Builtin{
		{Name: "hashString", Params: []string{"type", "s"}, Fn: hashString,
			Doc: "Return the hash of s in base-16; type is md5, sha1, sha256 or sha512."},
		{Name: "hashFile", Params: []string{"type", "p"}, Fn: hashFile(h),
			Doc: "Return the hash of the file at p in base-16."},
		{Name: "convertHash", Params: []string{"args"}, Fn: convertHash(h),
			Doc: "Return { hash; hashAlgo ? …; toHashFormat; } in the notation base16, nix32, base32, base64 or sri."},
	}
}

func hashAlgorithm(th *value.Thread, pos source.Pos, name string) (nixhash.Algorithm, error) {
	a, err := nixhash.ParseAlgorithm(name)
	switch {
	case name == "blake3":
		return a, th.Errorf(pos, value.EvalError, "experimental Nix feature 'blake3-hashes' is disabled; add '--extra-experimental-features blake3-hashes' to enable it")
	case err != nil:
		return a, th.Errorf(pos, value.EvalError, "unknown hash algorithm '%s', expect 'blake3', 'md5', 'sha1', 'sha256', or 'sha512'", name)
	}
	return a, nil
}

func hashString(th *value.Thread, pos source.Pos, args []value.Value) (value.Value, error) {
	name, err := th.StringNoCtx(args[0], pos, "while evaluating the first argument passed to builtins.hashString")
	if err != nil {
		return nil, err
	}
	algo, err := hashAlgorithm(th, pos, name)
	if err != nil {
		return nil, err
	}
	s, err := th.String(args[1], pos, "while evaluating the second argument passed to builtins.hashString")
	if err != nil {
		return nil, err
	}
	return value.NewString(nixhash.Sum(algo, []byte(s.S)).Base16()), nil
}

func hashFile(h Host) builtinFunc {
	return func(th *value.Thread, pos source.Pos, args []value.Value) (value.Value, error) {
		name, err := th.StringNoCtx(args[0], pos, "while evaluating the first argument passed to builtins.hashFile")
		if err != nil {
			return nil, err
		}
		algo, err := hashAlgorithm(th, pos, name)
		if err != nil {
			return nil, err
		}
		path, err := realisePath(h, th, pos, args[1])
		if err != nil {
			return nil, err
		}
		data, err := h.ReadFile(path)
		if err != nil {
			return nil, missing(th, pos, path, err)
		}
		return value.NewString(nixhash.Sum(algo, data).Base16()), nil
	}
}

func convertHash(h Host) builtinFunc {
	return func(th *value.Thread, pos source.Pos, args []value.Value) (value.Value, error) {
		set, err := th.Attrs(args[0], pos, "while evaluating the first argument passed to builtins.convertHash")
		if err != nil {
			return nil, err
		}
		text, err := convertHashArg(th, pos, set, "hash")
		if err != nil {
			return nil, err
		}
		algo := nixhash.Unknown
		if _, ok := set.Get(th.Symbols.Intern("hashAlgo")); ok {
			name, err := convertHashArg(th, pos, set, "hashAlgo")
			if err != nil {
				return nil, err
			}
			if algo, err = hashAlgorithm(th, pos, name); err != nil {
				return nil, err
			}
		}
		format, err := convertHashArg(th, pos, set, "toHashFormat")
		if err != nil {
			return nil, err
		}
		if format == "base32" {
			h.Discourage(`"base32" is a deprecated alias for hash format "nix32".`)
		}
		notation, ok := notations(format)
		if !ok {
			return nil, th.Errorf(pos, value.EvalError, "unknown hash format '%s', expect 'base16', 'base32', 'base64', or 'sri'", format)
		}
		hash, err := nixhash.Parse(text, algo)
		if err != nil {
			return nil, th.Errorf(pos, value.EvalError, "%v", err)
		}
		return value.NewString(notation(hash)), nil
	}
}

// notations returns the function that writes a hash in the named format.
func notations(format string) (write func(nixhash.Hash) string, ok bool) {
	switch format {
	case "base16":
		return nixhash.Hash.Base16, true
	case "nix32", "base32":
		return nixhash.Hash.Base32, true
	case "base64":
		return nixhash.Hash.Base64, true
	case "sri":
		return nixhash.Hash.SRI, true
	}
	return nil, false
}

func convertHashArg(th *value.Thread, pos source.Pos, set *value.Attrs, name string) (string, error) {
	at, err := attr(th, set, name, "while locating the attribute '"+name+"'")
	if err != nil {
		return "", err
	}
	return th.StringNoCtx(at.Val, pos, "while evaluating the attribute '"+name+"'")
}
