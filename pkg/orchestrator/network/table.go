//go:build linux

package network

import (
	"net/netip"
	"slices"

	"github.com/google/nftables"
	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
)

// Names in a node's table.
const (
	nodeTable  = "skiff"
	setSvc     = "services"   // protocol, address, port: the chain
	setPorts   = "node-ports" // protocol, port: the chain
	setSlots   = "endpoints"  // chain's number, place: address and port
	setAlive   = "alive"      // chain's number, address, port
	setLive    = "live"       // addresses of pods that services send connections to
	setLeaving = "leaving"    // addresses of pods of which services know that they leave
	setHairpin = "hairpin"    // a pod's address, twice
)

func stickyName(chain string) string { return "clients/" + chain }

func concat(types ...nftables.SetDatatype) nftables.SetDatatype {
	return nftables.MustConcatSetType(types...)
}

// sets are a table's named sets. Their numbers are given here because the library counts in a global that nothing guards.
type sets struct {
	table                                             *nftables.Table
	svc, ports, slots, alive, live, leaving, hairpins *nftables.Set
}

func newSets(t *nftables.Table) sets {
	return sets{
		table: t,
		svc: &nftables.Set{Table: t, ID: 1, Name: setSvc, IsMap: true, Concatenation: true, DataType: nftables.TypeVerdict,
			KeyType: concat(nftables.TypeInetProto, nftables.TypeIPAddr, nftables.TypeInetService)},
		ports: &nftables.Set{Table: t, ID: 2, Name: setPorts, IsMap: true, Concatenation: true, DataType: nftables.TypeVerdict,
			KeyType: concat(nftables.TypeInetProto, nftables.TypeInetService)},
		slots: &nftables.Set{Table: t, ID: 3, Name: setSlots, IsMap: true, Concatenation: true, KeyByteOrder: binaryutil.NativeEndian,
			KeyType: concat(nftables.TypeMark, nftables.TypeMark), DataType: concat(nftables.TypeIPAddr, nftables.TypeInetService)},
		alive: &nftables.Set{Table: t, ID: 4, Name: setAlive, Concatenation: true,
			KeyType: concat(nftables.TypeMark, nftables.TypeIPAddr, nftables.TypeInetService)},
		live: &nftables.Set{Table: t, ID: 5, Name: setLive, KeyType: nftables.TypeIPAddr},
		hairpins: &nftables.Set{Table: t, ID: 6, Name: setHairpin, Concatenation: true,
			KeyType: concat(nftables.TypeIPAddr, nftables.TypeIPAddr)},
		leaving: &nftables.Set{Table: t, ID: 7, Name: setLeaving, KeyType: nftables.TypeIPAddr},
	}
}

func sticky(t *nftables.Table, chain string, id uint32) *nftables.Set {
	return &nftables.Set{Table: t, ID: id, Name: stickyName(chain), IsMap: true, HasTimeout: true, Dynamic: true,
		KeyType: nftables.TypeIPAddr, DataType: concat(nftables.TypeIPAddr, nftables.TypeInetService), Size: 65536}
}

// frame is what a node's table has whatever the services: where packets meet the maps.
type frame struct {
	ip      netip.Addr   // the node's
	pods    netip.Prefix // the node's
	virtual []netip.Prefix
	// sealed keeps everything in, but for these.
	sealed bool
	inner  []netip.Prefix
}

// writeFrame replaces the whole table by an empty one, in the transaction that w collects.
func writeFrame(w *writer, f frame) {
	w.conn.AddTable(w.table) // so that there is one to delete
	w.conn.DelTable(w.table)
	w.conn.AddTable(w.table)
	s := w.sets
	for _, set := range []*nftables.Set{s.svc, s.ports, s.slots, s.alive, s.live, s.leaving, s.hairpins} {
		w.addSet(set)
	}
	var pairs []nftables.SetElement
	for i := 2; i < 255; i++ {
		ip := nth(f.pods, i).AsSlice()
		pairs = append(pairs, nftables.SetElement{Key: slices.Concat(ip, ip)})
	}
	w.add(s.hairpins, pairs)
	w.chain(toReject, []expr.Any{rejection()})

	// A pod must not reach what listens on the node's 127.0.0.1, which route_localnet would allow.
	w.base("guard", nftables.ChainTypeFilter, nftables.ChainHookPrerouting, *nftables.ChainPriorityRaw,
		append(interfaceIs(expr.MetaKeyIIFNAME, "lo", false),
			append(within(ipDestination, netip.MustParsePrefix("127.0.0.0/8")), verdict(expr.VerdictDrop, ""))...))

	services := []expr.Any{protocol(r0), address(r1, ipDestination), destinationPort(r2), &expr.Lookup{SourceRegister: r0, SetName: setSvc, IsDestRegSet: true}}
	ports := append(local(false), protocol(r0), destinationPort(r1), &expr.Lookup{SourceRegister: r0, SetName: setPorts, IsDestRegSet: true})
	w.base("arriving", nftables.ChainTypeNAT, nftables.ChainHookPrerouting, *nftables.ChainPriorityNATDest, services, ports)
	w.base("leaving", nftables.ChainTypeNAT, nftables.ChainHookOutput, *nftables.ChainPriorityNATDest, services, ports)

	hairpin := []expr.Any{address(r0, ipSource), address(r1, ipDestination), &expr.Lookup{SourceRegister: r0, SetName: setHairpin}}
	w.base("sources", nftables.ChainTypeNAT, nftables.ChainHookPostrouting, *nftables.ChainPriorityNATSource,
		append(marked(), snat(f.ip)...), append(hairpin, snat(f.ip)...))

	// What is still meant for a service after translation belongs to none: refused here, or it would travel in circles.
	var forwarded, own [][]expr.Any
	for _, p := range f.virtual {
		forwarded = append(forwarded, append(within(ipDestination, p), rejection()))
		own = append(own, append(append(interfaceIs(expr.MetaKeyOIFNAME, "lo", false), within(ipDestination, p)...), rejection()))
	}
	if f.sealed {
		// By destination too: a packet translated on its way out still bears the link that it would have left by.
		out := interfaceIs(expr.MetaKeyOIFNAME, uplink, true)
		for _, p := range f.inner {
			out = append(out, without(ipDestination, p)...)
		}
		out = append(out, rejection())
		forwarded, own = append(forwarded, out), append(own, out)
	}
	w.base("passing", nftables.ChainTypeFilter, nftables.ChainHookForward, *nftables.ChainPriorityFilter, forwarded...)
	w.base("sending", nftables.ChainTypeFilter, nftables.ChainHookOutput, *nftables.ChainPriorityFilter, own...)
}
