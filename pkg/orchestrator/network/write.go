//go:build linux

package network

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	mdnetlink "github.com/mdlayher/netlink"
)

// batchBytes is room for a transaction of thousands of services, which the kernel takes as one message.
const batchBytes = 32 << 20

// dialRules opens nftables in a namespace; 0 is the process's own.
func dialRules(fd int) (*nftables.Conn, error) {
	conn, err := nftables.New(nftables.AsLasting(), nftables.WithNetNSFd(fd), nftables.WithSockOptions(
		func(c *mdnetlink.Conn) error { return c.SetWriteBuffer(batchBytes) },
		func(c *mdnetlink.Conn) error { return c.SetReadBuffer(batchBytes) },
	))
	if err != nil {
		return nil, fmt.Errorf("open nftables: %w", err)
	}
	return conn, nil
}

// writer collects one transaction. Its first error is kept.
type writer struct {
	conn  *nftables.Conn
	table *nftables.Table
	sets  sets
	setID uint32
	err   error
}

func newWriter(conn *nftables.Conn, name string) *writer {
	t := &nftables.Table{Name: name, Family: nftables.TableFamilyIPv4}
	return &writer{conn: conn, table: t, sets: newSets(t), setID: 100}
}

func (w *writer) keep(err error) {
	if w.err == nil {
		w.err = err
	}
}

// commit sends the transaction: all of it happens, or nothing.
func (w *writer) commit() error {
	if w.err != nil {
		return w.err
	}
	if err := w.conn.Flush(); err != nil {
		return fmt.Errorf("write nftables: %w", err)
	}
	return nil
}

func (w *writer) addSet(s *nftables.Set) { w.keep(w.conn.AddSet(s, nil)) }

// elementsPerMessage keeps a list within the 64 KiB that an attribute can be long.
const elementsPerMessage = 150

func (w *writer) add(s *nftables.Set, es []nftables.SetElement) {
	for part := range slices.Chunk(es, elementsPerMessage) {
		w.keep(w.conn.SetAddElements(s, part))
	}
}

func (w *writer) del(s *nftables.Set, es []nftables.SetElement) {
	for part := range slices.Chunk(es, elementsPerMessage) {
		w.keep(w.conn.SetDeleteElements(s, part))
	}
}

func (w *writer) ref(name string) *nftables.Chain { return &nftables.Chain{Name: name, Table: w.table} }

func (w *writer) chain(name string, rules ...[]expr.Any) {
	w.rules(w.conn.AddChain(w.ref(name)), rules)
}

func (w *writer) base(name string, t nftables.ChainType, hook *nftables.ChainHook, priority nftables.ChainPriority, rules ...[]expr.Any) {
	c := w.conn.AddChain(&nftables.Chain{Name: name, Table: w.table, Type: t, Hooknum: hook, Priority: &priority})
	w.rules(c, rules)
}

func (w *writer) rules(c *nftables.Chain, rules [][]expr.Any) {
	for _, exprs := range rules {
		w.conn.AddRule(&nftables.Rule{Table: w.table, Chain: c, Exprs: exprs})
	}
}

// write puts a change into the transaction. What refers comes after what is referred to, and goes before it.
func (w *writer) write(c *change) {
	for _, name := range c.addSticky {
		w.setID++
		w.addSet(sticky(w.table, name, w.setID))
	}
	for _, name := range c.addChains {
		w.conn.AddChain(w.ref(name))
	}
	w.del(w.sets.slots, elements(c.delSlots, slot.element))
	w.add(w.sets.slots, elements(c.addSlots, slot.element))
	w.del(w.sets.alive, elements(c.delAlive, slot.alive))
	w.add(w.sets.alive, elements(c.addAlive, slot.alive))
	w.fill(c)
	w.entries(c.entries, func(t turn) string { return t.from }, w.del)
	w.entries(c.entries, func(t turn) string { return t.to }, w.add)
	for _, name := range c.delChains {
		w.conn.FlushChain(w.ref(name))
	}
	for _, name := range c.delChains {
		w.conn.DelChain(w.ref(name))
	}
	for _, name := range c.delSticky {
		w.conn.DelSet(&nftables.Set{Table: w.table, Name: stickyName(name)})
	}
	address := func(a netip.Addr) nftables.SetElement { return nftables.SetElement{Key: a.AsSlice()} }
	w.del(w.sets.live, elements(c.delLive, address))
	w.add(w.sets.live, elements(c.addLive, address))
	w.del(w.sets.leaving, elements(c.delLeaving, address))
	w.add(w.sets.leaving, elements(c.addLeaving, address))
}

func (w *writer) fill(c *change) {
	fresh := make(map[string]bool, len(c.addChains))
	for _, name := range c.addChains {
		fresh[name] = true
	}
	for _, name := range slices.Sorted(maps.Keys(c.fill)) {
		ref, now := w.ref(name), c.fill[name]
		if !fresh[name] {
			w.conn.FlushChain(ref)
		}
		var lines [][]expr.Any
		for _, r := range now.rules {
			lines = append(lines, encodeRule(r))
		}
		switch {
		case len(now.endpoints) == 0:
		case now.affinity > 0:
			lines = append(lines, encodeSticky(name, c.ids[name], now)...)
		default:
			lines = append(lines, encodeBalance(c.ids[name], len(now.endpoints)))
		}
		w.rules(ref, lines)
	}
}

// entries sorts those that lead somewhere by the map they belong to.
func (w *writer) entries(m map[entry]turn, end func(turn) string, do func(*nftables.Set, []nftables.SetElement)) {
	var byAddress, byPort []nftables.SetElement
	for e, t := range m {
		to := end(t)
		if to == "" {
			continue
		}
		if e.addr.IsValid() {
			byAddress = append(byAddress, e.element(to))
		} else {
			byPort = append(byPort, e.element(to))
		}
	}
	do(w.sets.svc, byAddress)
	do(w.sets.ports, byPort)
}

func elements[T any](from []T, f func(T) nftables.SetElement) []nftables.SetElement {
	out := make([]nftables.SetElement, len(from))
	for i, v := range from {
		out[i] = f(v)
	}
	return out
}
