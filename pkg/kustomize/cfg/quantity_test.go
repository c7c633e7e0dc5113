package cfg

import (
	"testing"

	"k8s.io/apimachinery/pkg/api/resource"
)

// TestQuantity compares quantities with what Kubernetes' own library makes of them.
func TestQuantity(t *testing.T) {
	texts := []string{
		"0", "00", "1", "-1", "+1", "--1", "1.", ".5", "0.5", "-0.5", "1.5", "1.25", "1..2", "1.2.3", "12345678901234567", "0x10", "1_0", " 1", "1 ",
		"1n", "1u", "1m", "1500m", "1k", "1K", "1M", "1G", "1T", "1P", "1E", "1Ki", "1ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei", "1.5Gi", "0.5Ki", "1e", "1e3", "1E3",
		"1e-3", "1E-3", "1e+3", "1e0", "e3", "Ki", "m", "1mm", "1i", "1Kii", "1e3e", "1e1.5", "0.0000000001", "-0.0000000001", "1e-12", "0e-12", "1e17", "x", "1x",
		"1Mi3", "1é", "0.1", "0.10", "100m", "1024", "1000k", "1048576",
	}
	for _, s := range texts {
		got, err := quantity(s)
		want, errWant := resource.ParseQuantity(s)
		if (err == nil) != (errWant == nil) {
			t.Errorf("%q: got error %v, want %v", s, err, errWant)
		}
		if err != nil || errWant != nil {
			continue
		}
		for _, other := range texts {
			than, err := quantity(other)
			if wantThan, errWant := resource.ParseQuantity(other); err == nil && errWant == nil && got.Cmp(than) != want.Cmp(wantThan) {
				t.Errorf("%s against %s: got %d, want %d", s, other, got.Cmp(than), want.Cmp(wantThan))
			}
		}
	}
}
