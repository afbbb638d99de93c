package tree

import (
	"encoding/json"
	"os"
	"path/filepath"

	"gonix/derivation/nixhash"
)

// entry is the file that holds what is known under a key.
func (f *Fetcher) entry(kind, key string) string {
	return filepath.Join(f.Cache, kind, nixhash.Sum(nixhash.SHA256, []byte(key)).Base32()+".json")
}

// recall reads what is known under a key into v.
func (f *Fetcher) recall(kind, key string, v any) bool {
	text, err := os.ReadFile(f.entry(kind, key))
	if err != nil {
		return false
	}
	known := struct {
		Key   string
		Value json.RawMessage
	}{}
	return json.Unmarshal(text, &known) == nil && known.Key == key && json.Unmarshal(known.Value, v) == nil
}

// remember is of use to later evaluations only, so that what goes wrong does
// not matter.
func (f *Fetcher) remember(kind, key string, v any) {
	file := f.entry(kind, key)
	text, err := json.Marshal(struct {
		Key   string
		Value any
	}{key, v})
	if err != nil || os.MkdirAll(filepath.Dir(file), 0o755) != nil {
		return
	}
	tmp, err := os.CreateTemp(filepath.Dir(file), ".new-")
	if err != nil {
		return
	}
	_, err = tmp.Write(text)
	if tmp.Close() != nil || err != nil || os.Rename(tmp.Name(), file) != nil {
		os.Remove(tmp.Name())
		return
	}
	now := f.Now()
	os.Chtimes(file, now, now)
}

// fresh reports whether what is known under a key is young enough.
func (f *Fetcher) fresh(kind, key string) bool {
	st, err := os.Stat(f.entry(kind, key))
	return err == nil && f.Now().Sub(st.ModTime()) < f.TTL
}

// refresh makes what is known under a key young again.
func (f *Fetcher) refresh(kind, key string) {
	now := f.Now()
	os.Chtimes(f.entry(kind, key), now, now)
}
