//go:build linux

package network

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// hostTablePrefix begins the name of each cluster's table on the host.
const hostTablePrefix = "skiff-"

// forwardDebt is an empty chain that says: this host did not forward before. It sits in some cluster's table and moves to
// another's when that cluster goes, so that the last one restores what was, even if every file is gone.
const forwardDebt = "forwarding-was-off"

const ipForward = "net.ipv4.ip_forward"

// openEgress lets the cluster out: the host forwards, and packets that leave by other links get the host's address.
func openEgress(cluster, link string, r Ranges) error {
	conn, err := dialRules(0)
	if err != nil {
		return err
	}
	defer conn.CloseLasting()
	name := hostTablePrefix + cluster
	owed, err := owes(conn, name)
	if err != nil {
		return err
	}
	on, err := forwards()
	if err != nil {
		return err
	}
	w := newWriter(conn, name)
	writeEgress(w, link, r)
	if owed || !on {
		w.chain(forwardDebt)
	}
	if err := w.commit(); err != nil {
		return fmt.Errorf("let the cluster out (--no-egress does without): %w", err)
	}
	return setSysctl(ipForward, 1)
}

// writeEgress replaces the cluster's table on the host. From other links nothing new comes in.
func writeEgress(w *writer, link string, r Ranges) {
	w.conn.AddTable(w.table)
	w.conn.DelTable(w.table)
	w.conn.AddTable(w.table)
	var out [][]expr.Any
	for _, p := range []netip.Prefix{r.Pods, r.Nodes} {
		out = append(out, append(append(interfaceIs(expr.MetaKeyOIFNAME, link, false), within(ipSource, p)...), &expr.Masq{}))
	}
	w.base("sources", nftables.ChainTypeNAT, nftables.ChainHookPostrouting, *nftables.ChainPriorityNATSource, out...)
	known := []expr.Any{
		&expr.Ct{Key: expr.CtKeySTATE, Register: r0},
		&expr.Bitwise{SourceRegister: r0, DestRegister: r0, Len: 4, Mask: native(expr.CtStateBitESTABLISHED | expr.CtStateBitRELATED), Xor: make([]byte, 4)},
		unequal(r0, make([]byte, 4)),
	}
	w.base("passing", nftables.ChainTypeFilter, nftables.ChainHookForward, *nftables.ChainPriorityFilter,
		append(interfaceIs(expr.MetaKeyIIFNAME, link, true), verdict(expr.VerdictAccept, "")),
		append(interfaceIs(expr.MetaKeyOIFNAME, link, true), append(known, verdict(expr.VerdictAccept, ""))...),
		append(interfaceIs(expr.MetaKeyOIFNAME, link, true), verdict(expr.VerdictDrop, "")))
}

// closeEgress takes the cluster's table away and restores the host's forwarding when no other cluster needs it.
func closeEgress(cluster string) error {
	conn, err := dialRules(0)
	if err != nil {
		return err
	}
	defer conn.CloseLasting()
	tables, err := conn.ListTablesOfFamily(nftables.TableFamilyIPv4)
	if err != nil {
		if errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.EPROTONOSUPPORT) {
			return nil
		}
		return fmt.Errorf("list nftables: %w", err)
	}
	own, other := false, ""
	for _, t := range tables {
		if t.Name == hostTablePrefix+cluster {
			own = true
		} else if strings.HasPrefix(t.Name, hostTablePrefix) {
			other = t.Name
		}
	}
	if !own {
		return nil
	}
	owed, err := owes(conn, hostTablePrefix+cluster)
	if err != nil {
		return err
	}
	if owed && other == "" {
		if err := setSysctl(ipForward, 0); err != nil {
			return err
		}
	}
	w := newWriter(conn, hostTablePrefix+cluster)
	w.conn.DelTable(w.table)
	if owed && other != "" {
		w.conn.AddChain(&nftables.Chain{Name: forwardDebt, Table: &nftables.Table{Name: other, Family: nftables.TableFamilyIPv4}})
	}
	return w.commit()
}

// Warnings says what on this host, which is not ours to change, keeps the network from working.
func (f *Fabric) Warnings() ([]string, error) {
	if !f.c.Egress {
		return nil, nil
	}
	conn, err := dialRules(0)
	if err != nil {
		return nil, err
	}
	defer conn.CloseLasting()
	chains, err := conn.ListChainsOfTableFamily(nftables.TableFamilyIPv4)
	if err != nil {
		return nil, fmt.Errorf("list nftables: %w", err)
	}
	var out []string
	for _, c := range chains {
		if c.Hooknum != nil && *c.Hooknum == *nftables.ChainHookForward && c.Policy != nil && *c.Policy == nftables.ChainPolicyDrop {
			out = append(out, fmt.Sprintf("the host drops forwarded packets (chain %s of table %s), so pods may not reach the world: "+
				"accept what comes from and goes to %s there, as with iptables -I %s -i %s -j ACCEPT and -o %s",
				c.Name, c.Table.Name, f.link, c.Name, f.link, f.link))
		}
	}
	return out, nil
}

// owes says whether a table holds the debt.
func owes(conn *nftables.Conn, table string) (bool, error) {
	chains, err := conn.ListChainsOfTableFamily(nftables.TableFamilyIPv4)
	if err != nil {
		return false, fmt.Errorf("list nftables: %w", err)
	}
	for _, c := range chains {
		if c.Table.Name == table && c.Name == forwardDebt {
			return true, nil
		}
	}
	return false, nil
}
