package bzip2

import (
	"bytes"
	"compress/bzip2"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
)

func compress(t testing.TB, text []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := NewWriter(&b)
	if _, err := z.Write(text); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func check(t testing.TB, text []byte) {
	t.Helper()
	got, err := io.ReadAll(bzip2.NewReader(bytes.NewReader(compress(t, text))))
	if err != nil || !bytes.Equal(got, text) {
		t.Fatalf("text of %d bytes: came back as %d bytes, %v", len(text), len(got), err)
	}
}

func TestRoundTrip(t *testing.T) {
	random := make([]byte, 350_000)
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range random {
		random[i] = byte(rng.Uint32())
	}
	var log strings.Builder
	for i := range 12_000 {
		fmt.Fprintf(&log, "  CC src/file%d.o -O2 -Wall\n", i*i%977)
	}
	var skewed bytes.Buffer
	for i := range 24 {
		skewed.WriteString(strings.Repeat(string(rune('a'+i))+"-", 1<<min(i, 16)))
	}
	for name, text := range map[string][]byte{
		"empty":      nil,
		"one byte":   {'x'},
		"two bytes":  {'x', 'y'},
		"run of 3":   []byte("aaa"),
		"run of 4":   []byte("aaaa"),
		"run of 5":   []byte("aaaaa"),
		"run of 255": bytes.Repeat([]byte{0}, 255),
		"run of 256": bytes.Repeat([]byte{0}, 256),
		"long run":   bytes.Repeat([]byte{7}, 400_000),
		"periodic":   bytes.Repeat([]byte("abcabd"), 60_000),
		"random":     random,
		"log":        []byte(log.String()),
		"skewed":     skewed.Bytes(),
	} {
		t.Run(name, func(t *testing.T) { check(t, text) })
	}
}

func TestSmallerThanText(t *testing.T) {
	text := []byte(strings.Repeat("checking whether the compiler works... yes\nchecking for stdlib.h... yes\n", 2000))
	if n := len(compress(t, text)); n > len(text)/50 {
		t.Errorf("%d bytes became %d", len(text), n)
	}
}

func FuzzRoundTrip(f *testing.F) {
	f.Add([]byte("abracadabra"))
	f.Add(bytes.Repeat([]byte("ab"), 300))
	f.Fuzz(func(t *testing.T, text []byte) { check(t, text) })
}

func BenchmarkWriter(b *testing.B) {
	text := []byte(strings.Repeat("gcc -O2 -c server.c -o server.o\nmake[1]: Entering directory '/build'\n", 20_000))
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		compress(b, text)
	}
}
