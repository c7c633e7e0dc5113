//go:build linux

package network

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
)

// slot is one place of a chain's endpoints in the map that all chains share.
type slot struct {
	chain uint32
	n     uint32
	at    netip.AddrPort
}

// change is what a transaction does, in the order in which it must be written.
type change struct {
	addChains []string         // empty ones
	addSticky []string         // maps of clients and their endpoints, named like the chain
	delSlots  []slot           // before addSlots: a place may change hands
	addSlots  []slot           //
	fill      map[string]chain // chains whose rules are written anew
	ids       map[string]uint32
	entries   map[entry]turn
	delChains []string
	delSticky []string
	delLive   []netip.Addr
	addLive   []netip.Addr

	delLeaving, addLeaving []netip.Addr

	delAlive []slot // n is not used
	addAlive []slot
	// gone are UDP endpoints whose flows must be forgotten.
	gone map[netip.AddrPort]bool
}

// turn is where an entry led before the transaction and leads after it; empty is nowhere.
type turn struct{ from, to string }

// lead notes that an entry now leads elsewhere. Within one transaction it may pass through several hands.
func (c *change) lead(e entry, from, to string) {
	if t, ok := c.entries[e]; ok {
		from = t.from
	}
	if from == to {
		delete(c.entries, e)
		return
	}
	put(&c.entries, e, turn{from, to})
}

func (c *change) empty() bool {
	return len(c.addChains)+len(c.delSlots)+len(c.addSlots)+len(c.fill)+len(c.entries)+len(c.delChains)+
		len(c.delLive)+len(c.addLive)+len(c.delLeaving)+len(c.addLeaving)+len(c.delAlive)+len(c.addAlive) == 0
}

// state is what a node's table holds, by who wants it.
type state struct {
	parts   map[string]part
	claims  map[entry]string   // who has an entry
	waiting map[entry][]string // who wants one that another has, in order of asking
	ids     map[string]uint32
	slots   map[string][]netip.AddrPort // a chain's endpoints in their places
	live    map[netip.Addr]int          // pods by how many parts have them
	leaving map[netip.Addr]int          // the same
	next    uint32
}

func newState() *state {
	return &state{parts: map[string]part{}, claims: map[entry]string{}, waiting: map[entry][]string{}, ids: map[string]uint32{},
		slots: map[string][]netip.AddrPort{}, live: map[netip.Addr]int{}, leaving: map[netip.Addr]int{}, next: 1}
}

// replace puts a part in place of what key had, and adds what that changes to c.
func (s *state) replace(key string, p part, c *change) {
	old := s.parts[key]
	s.replaceEntries(key, old, p, c)
	for _, name := range slices.Sorted(maps.Keys(old.chains)) {
		if _, stays := p.chains[name]; !stays {
			s.removeChain(name, old.chains[name], c)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(p.chains)) {
		was, existed := old.chains[name]
		s.putChain(name, was, existed, p.chains[name], c)
	}
	tally(s.live, old.pods.live, p.pods.live, &c.delLive, &c.addLive)
	tally(s.leaving, old.pods.leaving, p.pods.leaving, &c.delLeaving, &c.addLeaving)
	if len(p.entries)+len(p.chains)+len(p.pods.live)+len(p.pods.leaving) == 0 {
		delete(s.parts, key)
	} else {
		s.parts[key] = p
	}
}

func (s *state) replaceEntries(key string, old, p part, c *change) {
	for e, verdict := range old.entries {
		if _, stays := p.entries[e]; stays {
			continue
		}
		if s.claims[e] != key {
			if s.waiting[e] = slices.DeleteFunc(s.waiting[e], func(k string) bool { return k == key }); len(s.waiting[e]) == 0 {
				delete(s.waiting, e)
			}
			continue
		}
		delete(s.claims, e)
		c.lead(e, verdict, "")
		s.inherit(e, c)
	}
	for e, verdict := range p.entries {
		switch owner, claimed := s.claims[e]; {
		case claimed && owner != key:
			if !slices.Contains(s.waiting[e], key) {
				s.waiting[e] = append(s.waiting[e], key)
			}
		case !claimed:
			s.claims[e] = key
			c.lead(e, "", verdict)
		case old.entries[e] != verdict:
			c.lead(e, old.entries[e], verdict)
		}
	}
}

// inherit gives an entry to the next in line: two services may name one external address.
func (s *state) inherit(e entry, c *change) {
	line := s.waiting[e]
	if len(line) == 0 {
		return
	}
	if len(line) == 1 {
		delete(s.waiting, e)
	} else {
		s.waiting[e] = line[1:]
	}
	if verdict, ok := s.parts[line[0]].entries[e]; ok {
		s.claims[e] = line[0]
		c.lead(e, "", verdict)
	}
}

func (s *state) putChain(name string, was chain, existed bool, now chain, c *change) {
	if !existed {
		if s.next == 0 {
			s.next = 1
		}
		s.ids[name] = s.next
		s.next++
		c.addChains = append(c.addChains, name)
	}
	id := s.ids[name]
	if now.affinity > 0 && was.affinity == 0 {
		c.addSticky = append(c.addSticky, name)
	}
	if now.affinity == 0 && was.affinity > 0 {
		c.delSticky = append(c.delSticky, name)
	}
	before := s.slots[name]
	after := seat(before, now.endpoints, max(len(was.endpoints), len(now.endpoints)))
	s.reseat(id, before, after, c)
	// Who keeps a client's endpoint asks a set whether that endpoint is still one.
	s.guard(id, was, now, c)
	c.forget(was, now)
	s.slots[name] = after
	if !existed || was.affinity != now.affinity || len(was.endpoints) != len(now.endpoints) || !slices.Equal(was.rules, now.rules) {
		put(&c.fill, name, now)
		put(&c.ids, name, id)
	}
}

func (s *state) removeChain(name string, was chain, c *change) {
	id := s.ids[name]
	s.reseat(id, s.slots[name], nil, c)
	s.guard(id, was, chain{}, c)
	c.forget(was, chain{udp: was.udp})
	c.delChains = append(c.delChains, name)
	if was.affinity > 0 {
		c.delSticky = append(c.delSticky, name)
	}
	delete(s.slots, name)
	delete(s.ids, name)
}

// seat gives n places to endpoints, so that those that stay keep theirs as far as the number of places allows. Places beyond the number
// of endpoints hold some of them again: a packet that met the rules of before a transaction, which chose among more, may look its place
// up after it.
func seat(before, want []netip.AddrPort, n int) []netip.AddrPort {
	out := make([]netip.AddrPort, n)
	wanted := make(map[netip.AddrPort]bool, len(want))
	for _, e := range want {
		wanted[e] = true
	}
	for i, e := range before {
		if i < len(want) && wanted[e] {
			out[i] = e
			delete(wanted, e)
		}
	}
	free := 0
	for _, e := range want {
		if !wanted[e] {
			continue
		}
		for out[free].IsValid() {
			free++
		}
		out[free] = e
	}
	for i := len(want); i < n && len(want) > 0; i++ {
		if out[i] = out[i%len(want)]; i < len(before) && slices.Contains(want, before[i]) {
			out[i] = before[i]
		}
	}
	return out
}

func (s *state) reseat(id uint32, before, after []netip.AddrPort, c *change) {
	for i := range max(len(before), len(after)) {
		var was, now netip.AddrPort
		if i < len(before) {
			was = before[i]
		}
		if i < len(after) {
			now = after[i]
		}
		if was == now {
			continue
		}
		if was.IsValid() {
			c.delSlots = append(c.delSlots, slot{id, uint32(i), was})
		}
		if now.IsValid() {
			c.addSlots = append(c.addSlots, slot{id, uint32(i), now})
		}
	}
}

func (s *state) guard(id uint32, was, now chain, c *change) {
	var before, after []netip.AddrPort
	if was.affinity > 0 {
		before = was.endpoints
	}
	if now.affinity > 0 {
		after = now.endpoints
	}
	gone, come := apart(before, after)
	for _, e := range gone {
		c.delAlive = append(c.delAlive, slot{chain: id, at: e})
	}
	for _, e := range come {
		c.addAlive = append(c.addAlive, slot{chain: id, at: e})
	}
}

// forget remembers UDP endpoints that went.
func (c *change) forget(was, now chain) {
	if !now.udp {
		return
	}
	gone, _ := apart(was.endpoints, now.endpoints)
	for _, e := range gone {
		put(&c.gone, e, true)
	}
}

// tally counts addresses; those that come and those that go for good are what a set of them has to learn.
func tally(counts map[netip.Addr]int, was, now []netip.Addr, del, add *[]netip.Addr) {
	gone, come := apart(was, now)
	for _, a := range come {
		if counts[a]++; counts[a] == 1 {
			toggle(del, add, a)
		}
	}
	for _, a := range gone {
		if counts[a]--; counts[a] == 0 {
			delete(counts, a)
			toggle(add, del, a)
		}
	}
}

// toggle takes a back out of undo, where an earlier step of the same change put it, or adds it to do.
func toggle(undo, do *[]netip.Addr, a netip.Addr) {
	if i := slices.Index(*undo, a); i >= 0 {
		*undo = slices.Delete(*undo, i, i+1)
		return
	}
	*do = append(*do, a)
}

// apart gives what two sorted lists do not share.
func apart[T interface{ Compare(T) int }](a, b []T) (onlyA, onlyB []T) {
	for len(a) > 0 || len(b) > 0 {
		order := 0
		switch {
		case len(a) == 0:
			order = 1
		case len(b) == 0:
			order = -1
		default:
			order = cmp.Compare(a[0].Compare(b[0]), 0)
		}
		switch {
		case order < 0:
			onlyA, a = append(onlyA, a[0]), a[1:]
		case order > 0:
			onlyB, b = append(onlyB, b[0]), b[1:]
		default:
			a, b = a[1:], b[1:]
		}
	}
	return onlyA, onlyB
}

func put[K comparable, V any](m *map[K]V, k K, v V) {
	if *m == nil {
		*m = map[K]V{}
	}
	(*m)[k] = v
}
