package dockertools

import (
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
)

// BenchmarkBuild builds an image of 200 MB in 40 store paths; MB/s are of the
// files, from the derivation to the finished archive.
func BenchmarkBuild(b *testing.B) {
	s := newTestStore(b)
	rnd := rand.NewChaCha8([32]byte{1})
	refs := ""
	total := int64(0)
	for i := range 40 {
		f := files{}
		for j := range 100 {
			data := make([]byte, 50<<10)
			rnd.Read(data[:len(data)/3])
			for k := len(data) / 3; k < len(data); k++ {
				data[k] = "etaoin shrdlu\n"[(k*k/7+k>>9)%14]
			}
			f[fmt.Sprintf("lib/f%d", j)] = string(data)
			total += int64(len(data))
		}
		refs += s.add(fmt.Sprintf("p%d", i), f).String() + "\n"
	}
	top := s.add("top", files{"refs": refs})
	for _, compressor := range []string{"none", "gz", "zstd"} {
		b.Run(compressor, func(b *testing.B) {
			b.SetBytes(total)
			job := s.job(attrs{"imageName": "x", "compressor": compressor, "config": attrs{"Cmd": []string{top.String()}}}, top)
			for b.Loop() {
				os.Remove(job.Dest["out"])
				if err := (&Builder{}).Build(b.Context(), job); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("inspect", func(b *testing.B) {
		out := s.build(&Builder{}, attrs{"imageName": "x", "config": attrs{"Cmd": []string{top.String()}}}, top)
		for b.Loop() {
			sum, err := Inspect(b.Context(), out)
			if err != nil || len(sum.StorePaths) != 41 {
				b.Fatal(err, len(sum.StorePaths))
			}
		}
	})
}
