//go:build linux

package network

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// kernel applies changes as the kernel would, and fails on what it would refuse.
type kernel struct {
	t       *testing.T
	entries map[entry]string
	chains  map[string]chain // rules as last written; endpoints are in slots
	ids     map[string]uint32
	slots   map[uint32]map[uint32]netip.AddrPort
	alive   map[slot]bool
	live    map[netip.Addr]bool
	sticky  map[string]bool
}

func newKernel(t *testing.T) *kernel {
	return &kernel{t, map[entry]string{}, map[string]chain{}, map[string]uint32{}, map[uint32]map[uint32]netip.AddrPort{}, map[slot]bool{}, map[netip.Addr]bool{}, map[string]bool{}}
}

func must(t *testing.T, ok bool, what string, v any) {
	t.Helper()
	if !ok {
		t.Fatalf("%s: %v", what, v)
	}
}

func (k *kernel) apply(c *change) {
	for _, n := range c.addSticky {
		must(k.t, !k.sticky[n], "clients twice", n)
		k.sticky[n] = true
	}
	for _, n := range c.addChains {
		_, there := k.chains[n]
		must(k.t, !there, "chain twice", n)
		k.chains[n] = chain{}
	}
	for _, s := range c.delSlots {
		must(k.t, k.slots[s.chain][s.n] == s.at, "no such place", s)
		delete(k.slots[s.chain], s.n)
	}
	for _, s := range c.addSlots {
		must(k.t, !k.slots[s.chain][s.n].IsValid(), "place taken", s)
		if k.slots[s.chain] == nil {
			k.slots[s.chain] = map[uint32]netip.AddrPort{}
		}
		k.slots[s.chain][s.n] = s.at
	}
	for _, s := range c.delAlive {
		must(k.t, k.alive[s], "not alive", s)
		delete(k.alive, s)
	}
	for _, s := range c.addAlive {
		k.alive[s] = true
	}
	for n, now := range c.fill {
		k.chains[n], k.ids[n] = now, c.ids[n]
	}
	for e, turn := range c.entries {
		must(k.t, k.entries[e] == turn.from, "entry led elsewhere", e)
		delete(k.entries, e)
		if turn.to != "" {
			k.entries[e] = turn.to
		}
	}
	for _, n := range c.delChains {
		_, there := k.chains[n]
		must(k.t, there, "no such chain", n)
		delete(k.chains, n)
		delete(k.slots, k.ids[n])
	}
	for _, n := range c.delSticky {
		must(k.t, k.sticky[n], "no clients", n)
		delete(k.sticky, n)
	}
	for _, a := range c.delLive {
		must(k.t, k.live[a], "not live", a)
		delete(k.live, a)
	}
	for _, a := range c.addLive {
		must(k.t, !k.live[a], "live twice", a)
		k.live[a] = true
	}
	for e, to := range k.entries {
		_, there := k.chains[to]
		must(k.t, there || to == toReject || to == toDrop, "entry leads nowhere", e)
	}
}

// check compares with what the parts want.
func (k *kernel) check(parts map[string]part) {
	entries, chains, live := map[entry]bool{}, 0, map[netip.Addr]bool{}
	for _, p := range parts {
		for e := range p.entries {
			entries[e] = true
		}
		for name, want := range p.chains {
			chains++
			got := slices.Sorted(func(yield func(string) bool) {
				for _, at := range k.slots[k.ids[name]] {
					if !yield(at.String()) {
						return
					}
				}
			})
			var wanted []string
			for _, e := range want.endpoints {
				wanted = append(wanted, e.String())
				live[e.Addr()] = true
				must(k.t, k.alive[slot{chain: k.ids[name], at: e}] == (want.affinity > 0), "alive", e)
			}
			slices.Sort(wanted)
			must(k.t, slices.Equal(got, wanted), "endpoints of "+name, []any{got, wanted})
			must(k.t, len(k.chains[name].endpoints) == len(want.endpoints), "numbers of "+name, want)
			must(k.t, reflect.DeepEqual(k.chains[name].rules, want.rules), "rules of "+name, want)
			must(k.t, k.sticky[name] == (want.affinity > 0), "clients of "+name, want)
			for i := range want.endpoints {
				must(k.t, k.slots[k.ids[name]][uint32(i)].IsValid(), "a gap in "+name, i)
			}
		}
	}
	must(k.t, len(k.entries) == len(entries), "entries", k.entries)
	must(k.t, len(k.chains) == chains, "chains", k.chains)
	must(k.t, maps.Equal(k.live, live), "live", []any{k.live, live})
}

// anyPart makes a part that overlaps with others in entries and endpoints.
func anyPart(r *rand.Rand, key string) part {
	p := part{map[entry]string{}, map[string]chain{}}
	for i := range r.IntN(3) {
		name := fmt.Sprintf("svc/%s/%d", key, i)
		c := chain{affinity: time.Duration(r.IntN(2)) * time.Hour, udp: r.IntN(2) == 0}
		for range 1 + r.IntN(4) {
			c.endpoints = append(c.endpoints, netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(r.IntN(8))}), 80))
		}
		c.endpoints = distinct(c.endpoints)
		if r.IntN(2) == 0 {
			c.rules = []rule{{masquerade: true}}
		}
		p.chains[name] = c
		p.entries[entry{corev1.ProtocolTCP, netip.AddrFrom4([4]byte{10, 1, 0, byte(r.IntN(6))}), 80}] = name
	}
	if r.IntN(3) == 0 {
		p.entries[entry{corev1.ProtocolTCP, netip.Addr{}, uint16(30000 + r.IntN(4))}] = toReject
	}
	return p
}

func TestChangesLeadToWhatIsWanted(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	k, s, parts := newKernel(t), newState(), map[string]part{}
	for range 3000 {
		c := &change{}
		seen := map[string]bool{}
		for range 1 + r.IntN(3) {
			key := string(rune('a' + r.IntN(5)))
			if seen[key] {
				continue
			}
			seen[key] = true
			p := anyPart(r, key)
			s.replace(key, p, c)
			parts[key] = p
		}
		k.apply(c)
		k.check(parts)
	}
	for key := range parts {
		c := &change{}
		s.replace(key, part{}, c)
		k.apply(c)
	}
	k.check(nil)
	if n := len(s.parts) + len(s.claims) + len(s.ids) + len(s.slots) + len(s.live) + len(s.waiting); n != 0 {
		t.Errorf("%d things are left in the state of nothing: %+v", n, s)
	}
}

func TestSeatKeepsPlaces(t *testing.T) {
	at := func(n byte) netip.AddrPort { return netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, n}), 80) }
	got := seat([]netip.AddrPort{at(1), at(2), at(3)}, []netip.AddrPort{at(1), at(3), at(4)})
	if want := []netip.AddrPort{at(1), at(4), at(3)}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
