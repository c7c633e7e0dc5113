package image

import (
	"math/rand/v2"
	"testing"
)

// BenchmarkPull is a 14 MB image of 600 files in two layers, from a registry on this machine, unpacked.
func BenchmarkPull(b *testing.B) {
	r := newRegistry(b, nil)
	source := rand.New(rand.NewPCG(1, 2))
	files := func(dir string) []member {
		var out []member
		for i := range 300 {
			body := make([]byte, 46<<10)
			for j := range body {
				if body[j] = byte(source.Uint32()); j%2 == 0 {
					body[j] = 'x' // so that packing halves it, as it does programs
				}
			}
			out = append(out, member{name: dir + string(rune('a'+i%26)) + "/" + string(rune('0'+i/26)), body: string(body)})
		}
		return out
	}
	img := imageOf(b, gzipLayer(b, files("one/")...), gzipLayer(b, files("two/")...))
	r.push(b, "library/big:1", img)
	var size int64
	for b.Loop() {
		b.StopTimer()
		s := newStore(b, b.TempDir(), r)
		b.StartTimer()
		got, err := s.Pull(b.Context(), "big:1", nil, nil)
		if err != nil {
			b.Fatal(err)
		}
		size = got.Size
	}
	b.ReportMetric(float64(size)/1e6, "MB")
}
