package refscan

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"gonix/derivation/nixbase32"
	"gonix/derivation/storepath"
)

// candidates makes n paths that depend on nothing but n.
func candidates(n int) []storepath.Path {
	rng := rand.New(rand.NewPCG(1, 2))
	list := make([]storepath.Path, n)
	for i := range list {
		digest := make([]byte, 20)
		for j := range digest {
			digest[j] = byte(rng.Uint32())
		}
		list[i] = storepath.MustParse(storepath.Dir + "/" + nixbase32.Encode(digest) + "-pkg")
	}
	slices.SortFunc(list, storepath.Compare)
	return list
}

func scan(list []storepath.Path, chunks ...string) []storepath.Path {
	s := NewScanner(list)
	for _, c := range chunks {
		s.Write([]byte(c))
	}
	return s.Found()
}

func TestFound(t *testing.T) {
	c := candidates(4)
	h := make([]string, len(c))
	for i := range c {
		h[i] = c[i].HashPart()
	}
	cases := []struct {
		name string
		text string
		want []storepath.Path
	}{
		{"nothing", "", nil},
		{"alone", h[1], c[1:2]},
		{"in a path", "#!/nix/store/" + h[2] + "-pkg/bin/sh\n", c[2:3]},
		{"without the name", "\x00\x00" + h[0] + "\x00", c[:1]},
		{"among digits", "0123456789" + h[3] + "abcdf", c[3:]},
		{"side by side", h[3] + h[0] + h[2], []storepath.Path{c[0], c[2], c[3]}},
		{"twice", h[1] + " " + h[1], c[1:2]},
		{"one character short", h[1][1:], nil},
		{"upper case", strings.ToUpper(h[1]), nil},
		{"cut in two", h[1][:16] + "/" + h[1][16:], nil},
		{"after a long run", strings.Repeat("0", 1000) + h[2], c[2:3]},
		{"before a bad byte", h[2] + "e" + h[2][:31] + "e", c[2:3]},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			if got := scan(c, tc.text); !slices.Equal(got, tc.want) {
				t.Errorf("got %v, want %v", got, tc.want)
			}
			for cut := range len(tc.text) {
				if got := scan(c, tc.text[:cut], tc.text[cut:]); !slices.Equal(got, tc.want) {
					t.Fatalf("cut at %d: got %v, want %v", cut, got, tc.want)
				}
			}
			if got := scan(c, strings.Split(tc.text, "")...); !slices.Equal(got, tc.want) {
				t.Errorf("byte by byte: got %v, want %v", got, tc.want)
			}
		})
	}
}

func TestNoCandidates(t *testing.T) {
	if got := scan(nil, strings.Repeat("0", 100)); len(got) != 0 {
		t.Errorf("found %v", got)
	}
}

// FuzzScan compares with the plain way of looking.
func FuzzScan(f *testing.F) {
	c := candidates(3)
	f.Add([]byte("abc"+c[0].HashPart()+"ddd"+c[1].HashPart()), uint8(40), uint8(3))
	f.Fuzz(func(t *testing.T, data []byte, at, chunk uint8) {
		// Random bytes hold no candidate, so put one in.
		where := min(int(at), len(data))
		text := slices.Concat(data[:where], []byte(c[2].HashPart()), data[where:])
		var want []storepath.Path
		for _, p := range c {
			if bytes.Contains(text, []byte(p.HashPart())) {
				want = append(want, p)
			}
		}
		s := NewScanner(c)
		for piece := range slices.Chunk(text, int(chunk)+1) {
			s.Write(piece)
		}
		if got := s.Found(); !slices.Equal(got, want) {
			t.Errorf("found %v, want %v", got, want)
		}
	})
}

func BenchmarkScan(b *testing.B) {
	rng := rand.New(rand.NewPCG(3, 4))
	random := make([]byte, 4<<20)
	for i := range random {
		random[i] = byte(rng.Uint32())
	}
	const prose = "int main(int argc, char **argv) { return run(argc, argv, environment); } // the usual words\n"
	inputs := []struct {
		name string
		data []byte
	}{
		{"random", random},
		{"zero", make([]byte, 4<<20)},
		{"text", bytes.Repeat([]byte(prose), 4<<20/len(prose))},
		{"digits", bytes.Repeat([]byte(nixbase32.Alphabet), 4<<20/32)},
	}
	for _, in := range inputs {
		b.Run(in.name, func(b *testing.B) {
			s := NewScanner(candidates(500))
			b.SetBytes(int64(len(in.data)))
			for b.Loop() {
				for chunk := range slices.Chunk(in.data, 256<<10) {
					s.Write(chunk)
				}
			}
		})
	}
}

func TestReset(t *testing.T) {
	c := candidates(3)
	s := NewScanner(c)
	s.Write([]byte(c[0].HashPart() + " " + c[2].HashPart()[:20]))
	s.Reset()
	s.Write([]byte(c[2].HashPart()[20:] + " " + c[1].HashPart()))
	if found := s.Found(); !slices.Equal(found, c[1:2]) {
		t.Errorf("found %v", found)
	}
	s.Reset()
	s.Write([]byte(c[0].HashPart()))
	if found := s.Found(); !slices.Equal(found, c[:1]) {
		t.Errorf("found %v", found)
	}
}
