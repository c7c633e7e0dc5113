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
	leaving map[netip.Addr]bool
	sticky  map[string]bool
}

func newKernel(t *testing.T) *kernel {
	return &kernel{t, map[entry]string{}, map[string]chain{}, map[string]uint32{}, map[uint32]map[uint32]netip.AddrPort{}, map[slot]bool{},
		map[netip.Addr]bool{}, map[netip.Addr]bool{}, map[string]bool{}}
}

func must(t *testing.T, ok bool, what string, v any) {
	t.Helper()
	if !ok {
		t.Fatalf("%s: %v", what, v)
	}
}

func (k *kernel) apply(c *change) {
	old := maps.Clone(k.chains)
	defer func() {
		for name, was := range old { // packets may have met the old rules
			for i := range was.endpoints {
				if _, stays := k.chains[name]; stays {
					must(k.t, k.slots[k.ids[name]][uint32(i)].IsValid(), "an empty place that the old rules of "+name+" choose", i)
				}
			}
		}
	}()
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
	k.addresses("live", k.live, c.delLive, c.addLive)
	k.addresses("leaving", k.leaving, c.delLeaving, c.addLeaving)
	for e, to := range k.entries {
		_, there := k.chains[to]
		must(k.t, there || to == toReject || to == toDrop, "entry leads nowhere", e)
	}
}

func (k *kernel) addresses(what string, set map[netip.Addr]bool, del, add []netip.Addr) {
	for _, a := range del {
		must(k.t, set[a], "not "+what, a)
		delete(set, a)
	}
	for _, a := range add {
		must(k.t, !set[a], what+" twice", a)
		set[a] = true
	}
}

// check compares with what the parts want.
func (k *kernel) check(parts map[string]part) {
	entries, chains, live, leaving := map[entry]bool{}, 0, map[netip.Addr]bool{}, map[netip.Addr]bool{}
	for _, p := range parts {
		for _, a := range p.pods.live {
			live[a] = true
		}
		for _, a := range p.pods.leaving {
			leaving[a] = true
		}
		for e := range p.entries {
			entries[e] = true
		}
		for name, want := range p.chains {
			chains++
			var got, wanted []string
			for i, at := range k.slots[k.ids[name]] {
				if int(i) < len(want.endpoints) {
					got = append(got, at.String())
				} else {
					must(k.t, slices.Contains(want.endpoints, at), "somebody else in a spare place of "+name, at)
				}
			}
			slices.Sort(got)
			for _, e := range want.endpoints {
				wanted = append(wanted, e.String())
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
	must(k.t, maps.Equal(k.leaving, leaving), "leaving", []any{k.leaving, leaving})
}

// anyPart makes a part that overlaps with others in entries and endpoints.
func anyPart(r *rand.Rand, key string) part {
	p := part{entries: map[entry]string{}, chains: map[string]chain{}}
	for range r.IntN(4) {
		p.pods.live = append(p.pods.live, netip.AddrFrom4([4]byte{10, 0, 0, byte(r.IntN(8))}))
		p.pods.leaving = append(p.pods.leaving, netip.AddrFrom4([4]byte{10, 0, 0, byte(r.IntN(8))}))
	}
	p.pods.live, p.pods.leaving = inOrder(p.pods.live), inOrder(p.pods.leaving)
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
	if n := len(s.parts) + len(s.claims) + len(s.ids) + len(s.slots) + len(s.live) + len(s.leaving) + len(s.waiting); n != 0 {
		t.Errorf("%d things are left in the state of nothing: %+v", n, s)
	}
}

func TestSeatKeepsPlaces(t *testing.T) {
	at := func(n byte) netip.AddrPort { return netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, n}), 80) }
	list := func(ns ...byte) (out []netip.AddrPort) {
		for _, n := range ns {
			out = append(out, at(n))
		}
		return out
	}
	for _, c := range []struct {
		name               string
		before, want, seat []netip.AddrPort
		n                  int
	}{
		{"one for another", list(1, 2, 3), list(1, 3, 4), list(1, 4, 3), 3},
		{"one less: nobody who met the old rules finds an empty place, or the one that went", list(1, 2, 3), list(1, 3), list(1, 3, 3), 3},
		{"the last of three went", list(1, 2, 3), list(1, 2), list(1, 2, 1), 3},
		{"the spare place goes with the next change", list(1, 3, 3), list(1, 3), list(1, 3), 2},
		{"one more", list(1, 3), list(1, 3, 4), list(1, 3, 4), 3},
	} {
		if got := seat(c.before, c.want, c.n); !slices.Equal(got, c.seat) {
			t.Errorf("%s: got %v, want %v", c.name, got, c.seat)
		}
	}
}
