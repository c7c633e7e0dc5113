package nodeipam

import (
	"net/netip"
	"testing"
)

func TestFirstFree(t *testing.T) {
	pool := netip.MustParsePrefix("10.244.0.0/22")
	used := map[netip.Prefix]bool{}
	for _, want := range []string{"10.244.0.0/24", "10.244.1.0/24", "10.244.2.0/24", "10.244.3.0/24"} {
		got, err := firstFree(pool, 24, used)
		if err != nil || got.String() != want {
			t.Fatalf("got %s, %v; want %s", got, err, want)
		}
		used[got] = true
	}
	if got, err := firstFree(pool, 24, used); err == nil {
		t.Errorf("a full range gave %s", got)
	}
	if got, _ := firstFree(pool, 24, map[netip.Prefix]bool{netip.MustParsePrefix("10.244.0.0/23"): true}); got.String() != "10.244.2.0/24" {
		t.Errorf("a larger range in use: got %s", got)
	}
}
