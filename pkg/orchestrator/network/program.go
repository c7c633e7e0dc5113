//go:build linux

package network

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"sync"

	"github.com/google/nftables"
	"golang.org/x/sys/unix"
)

// programmer owns a node's table. What an earlier process wrote stays in force until the first whole write replaces it.
type programmer struct {
	node *Node
	conn *nftables.Conn

	mu    sync.Mutex
	state *state
	// inherited holds while the table is an earlier process's: parts are kept, and written with the first whole write.
	inherited bool
	dirty     bool // a write failed: the next one is whole
	// warn, if set, hears of what went wrong after the rules were in force.
	warn func(error)
}

func newProgrammer(n *Node) *programmer { return &programmer{node: n, state: newState()} }

// open makes the table if there is none and takes the host ports up.
func (p *programmer) open() error {
	var err error
	if p.conn, err = dialRules(int(p.node.ns.fd)); err != nil {
		return err
	}
	there, err := hasTable(p.conn, nodeTable)
	if err == nil {
		p.inherited = there
		parts := map[string]part{}
		for id, l := range p.node.leases.all() {
			if len(l.Ports) > 0 {
				parts[hostPortKey(id)] = planHostPorts(id, l)
			}
		}
		if there {
			p.mu.Lock()
			p.keep(parts)
			p.mu.Unlock()
		} else {
			p.dirty = true
			err = p.apply(parts, false)
		}
	}
	if err != nil {
		return errors.Join(err, p.close())
	}
	return nil
}

func (p *programmer) close() error { return p.conn.CloseLasting() }

// set writes one part.
func (p *programmer) set(key string, v part) error { return p.apply(map[string]part{key: v}, false) }

// apply writes parts in one transaction; an empty part takes back what its key had. If whole, everything is written anew.
func (p *programmer) apply(parts map[string]part, whole bool) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.inherited && !whole {
		p.keep(parts)
		return nil
	}
	whole = whole || p.dirty
	c := p.keep(parts)
	w := newWriter(p.conn, nodeTable)
	if whole {
		writeFrame(w, p.node.frame())
		c = p.everything()
	} else if c.empty() {
		return nil
	}
	w.write(c)
	if err := w.commit(); err != nil {
		p.dirty = true
		return fmt.Errorf("set the rules of %s: %w", p.node.name, err)
	}
	p.inherited, p.dirty = false, false
	if len(c.gone) > 0 {
		if err := p.node.forget(c.gone); err != nil && p.warn != nil {
			p.warn(err)
		}
	}
	return nil
}

// hear sets who is told of warnings.
func (p *programmer) hear(warn func(error)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.warn = warn
}

// keep records parts, in order.
func (p *programmer) keep(parts map[string]part) *change {
	c := &change{}
	for _, key := range slices.Sorted(maps.Keys(parts)) {
		p.state.replace(key, parts[key], c)
	}
	return c
}

// everything is the change from nothing to all parts.
func (p *programmer) everything() *change {
	old := p.state
	p.state = newState()
	return p.keep(old.parts)
}

// nodePorts lists the ports of the node that services have.
func (p *programmer) nodePorts() map[entry]bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := map[entry]bool{}
	for e, key := range p.state.claims {
		if !e.addr.IsValid() && key[0] != 0 {
			out[e] = true
		}
	}
	return out
}

func hasTable(conn *nftables.Conn, name string) (bool, error) {
	tables, err := conn.ListTablesOfFamily(nftables.TableFamilyIPv4)
	if err != nil {
		if errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.EPROTONOSUPPORT) {
			return false, errors.New("this kernel has no nftables: load nf_tables, or run a kernel that has it")
		}
		return false, fmt.Errorf("list nftables: %w", err)
	}
	return slices.ContainsFunc(tables, func(t *nftables.Table) bool { return t.Name == name }), nil
}

// frame is what the node's table is made of before any service.
func (n *Node) frame() frame {
	r := n.f.c.Ranges
	return frame{ip: n.ip, pods: n.pods, virtual: []netip.Prefix{r.Services, r.LoadBalancers},
		sealed: n.index == 1 && !n.f.c.Egress, inner: []netip.Prefix{r.Pods, r.Nodes}}
}
