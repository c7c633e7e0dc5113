//go:build linux

package network

import (
	"net/netip"
	"slices"
	"time"

	"github.com/google/nftables"
	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
	corev1 "k8s.io/api/core/v1"
)

// Registers of 4 bytes; a concatenation fills them in a row.
const (
	r0 = unix.NFT_REG32_00
	r1 = unix.NFT_REG32_01
	r2 = unix.NFT_REG32_02
	r4 = unix.NFT_REG32_04
)

// toMasquerade is the bit of the packet's mark that asks for the node's source address; kube-proxy uses the same one.
const toMasquerade = 0x4000

const (
	ipSource, ipDestination = 12, 16 // offsets in the IPv4 header
)

func imm(reg uint32, data []byte) expr.Any { return &expr.Immediate{Register: reg, Data: data} }

func equal(reg uint32, data []byte) expr.Any {
	return &expr.Cmp{Op: expr.CmpOpEq, Register: reg, Data: data}
}

func unequal(reg uint32, data []byte) expr.Any {
	return &expr.Cmp{Op: expr.CmpOpNeq, Register: reg, Data: data}
}

func address(reg, offset uint32) expr.Any {
	return &expr.Payload{DestRegister: reg, Base: expr.PayloadBaseNetworkHeader, Offset: offset, Len: 4}
}

// destinationPort is at the same place in TCP, UDP and SCTP.
func destinationPort(reg uint32) expr.Any {
	return &expr.Payload{DestRegister: reg, Base: expr.PayloadBaseTransportHeader, Offset: 2, Len: 2}
}

func protocol(reg uint32) expr.Any { return &expr.Meta{Key: expr.MetaKeyL4PROTO, Register: reg} }

func verdict(kind expr.VerdictKind, chain string) expr.Any {
	return &expr.Verdict{Kind: kind, Chain: chain}
}

// within holds for packets with that source or destination.
func within(offset uint32, p netip.Prefix) []expr.Any {
	m := toNet(p).Mask
	return []expr.Any{
		address(r0, offset),
		&expr.Bitwise{SourceRegister: r0, DestRegister: r0, Len: 4, Mask: m, Xor: make([]byte, 4)},
		equal(r0, p.Addr().AsSlice()),
	}
}

// without holds for packets whose source or destination is elsewhere.
func without(offset uint32, p netip.Prefix) []expr.Any {
	out := within(offset, p)
	out[len(out)-1] = unequal(r0, p.Addr().AsSlice())
	return out
}

// local holds for packets with an address of the node as source or destination.
func local(source bool) []expr.Any {
	return []expr.Any{
		&expr.Fib{Register: r0, FlagSADDR: source, FlagDADDR: !source, ResultADDRTYPE: true},
		equal(r0, binaryutil.NativeEndian.PutUint32(unix.RTN_LOCAL)),
	}
}

func ifname(name string) []byte { return append([]byte(name), make([]byte, 16-len(name))...) }

// interfaceIs holds for packets that came in (or go out) there.
func interfaceIs(key expr.MetaKey, name string, is bool) []expr.Any {
	op := unequal
	if is {
		op = equal
	}
	return []expr.Any{&expr.Meta{Key: key, Register: r0}, op(r0, ifname(name))}
}

func mark() []expr.Any {
	return []expr.Any{
		&expr.Meta{Key: expr.MetaKeyMARK, Register: r0},
		&expr.Bitwise{SourceRegister: r0, DestRegister: r0, Len: 4,
			Mask: binaryutil.NativeEndian.PutUint32(^uint32(toMasquerade)), Xor: binaryutil.NativeEndian.PutUint32(toMasquerade)},
		&expr.Meta{Key: expr.MetaKeyMARK, SourceRegister: true, Register: r0},
	}
}

func marked() []expr.Any {
	return []expr.Any{
		&expr.Meta{Key: expr.MetaKeyMARK, Register: r0},
		&expr.Bitwise{SourceRegister: r0, DestRegister: r0, Len: 4,
			Mask: binaryutil.NativeEndian.PutUint32(toMasquerade), Xor: make([]byte, 4)},
		unequal(r0, make([]byte, 4)),
	}
}

func snat(ip netip.Addr) []expr.Any {
	return []expr.Any{imm(r0, ip.AsSlice()), &expr.NAT{Type: expr.NATTypeSourceNAT, Family: unix.NFPROTO_IPV4, RegAddrMin: r0}}
}

func rejection() expr.Any {
	return &expr.Reject{Type: unix.NFT_REJECT_ICMP_UNREACH, Code: 3} // port unreachable: a connect is refused at once
}

// encodeRule writes one line of a chain.
func encodeRule(r rule) []expr.Any {
	var out []expr.Any
	if r.from.IsValid() {
		out = append(out, within(ipSource, r.from)...)
	}
	if r.fromLocal {
		out = append(out, local(true)...)
	}
	if r.masquerade {
		out = append(out, mark()...)
	}
	switch r.then {
	case "":
	case toDrop:
		out = append(out, verdict(expr.VerdictDrop, ""))
	default:
		out = append(out, verdict(expr.VerdictGoto, r.then))
	}
	return out
}

// encodeBalance writes the choice among n endpoints: a number by chance, the endpoint in that place, the translation.
func encodeBalance(id uint32, n int) []expr.Any {
	return append(choose(id, n), translate(r1))
}

// choose leaves the endpoint's address and port in r1 and r2.
func choose(id uint32, n int) []expr.Any {
	number := expr.Any(&expr.Numgen{Register: r1, Modulus: uint32(n), Type: unix.NFT_NG_RANDOM})
	if n == 1 {
		number = imm(r1, make([]byte, 4))
	}
	return []expr.Any{imm(r0, native(id)), number, &expr.Lookup{SourceRegister: r0, DestRegister: r1, IsDestRegSet: true, SetName: setSlots}}
}

func translate(reg uint32) expr.Any {
	return &expr.NAT{Type: expr.NATTypeDestNAT, Family: unix.NFPROTO_IPV4, RegAddrMin: reg, RegProtoMin: reg + 1}
}

// encodeSticky writes the two lines of a chain with affinity: the endpoint that the client had, if it is still one; else
// a choice, remembered in place of what was.
func encodeSticky(name string, id uint32, c chain) [][]expr.Any {
	sticky := stickyName(name)
	remember := func(op uint32, timeout time.Duration) expr.Any {
		return &expr.Dynset{SrcRegKey: r4, SrcRegData: r1, SetName: sticky, Operation: op, Timeout: timeout}
	}
	known := []expr.Any{
		address(r4, ipSource),
		&expr.Lookup{SourceRegister: r4, DestRegister: r1, IsDestRegSet: true, SetName: sticky},
		imm(r0, native(id)),
		&expr.Lookup{SourceRegister: r0, SetName: setAlive},
		remember(unix.NFT_DYNSET_OP_UPDATE, c.affinity),
		translate(r1),
	}
	chosen := append(choose(id, len(c.endpoints)), address(r4, ipSource),
		remember(dynsetDelete, 0), remember(unix.NFT_DYNSET_OP_UPDATE, c.affinity), translate(r1))
	return [][]expr.Any{known, chosen}
}

const dynsetDelete = 2 // NFT_DYNSET_OP_DELETE

func native(v uint32) []byte { return binaryutil.NativeEndian.PutUint32(v) }

// port fills a register with a port.
func portBytes(p uint16) []byte { return []byte{byte(p >> 8), byte(p), 0, 0} }

var protocols = map[corev1.Protocol]byte{corev1.ProtocolTCP: unix.IPPROTO_TCP, corev1.ProtocolUDP: unix.IPPROTO_UDP, corev1.ProtocolSCTP: unix.IPPROTO_SCTP}

// element is an entry as an element of the map it belongs to.
func (e entry) element(to string) nftables.SetElement {
	key := []byte{protocols[e.proto], 0, 0, 0}
	if e.addr.IsValid() {
		key = append(key, e.addr.AsSlice()...)
	}
	v := &expr.Verdict{Kind: expr.VerdictGoto, Chain: to}
	if to == toDrop {
		v = &expr.Verdict{Kind: expr.VerdictDrop}
	}
	return nftables.SetElement{Key: append(key, portBytes(e.port)...), VerdictData: v}
}

func (s slot) element() nftables.SetElement {
	return nftables.SetElement{
		Key: slices.Concat(native(s.chain), native(s.n)),
		Val: slices.Concat(s.at.Addr().AsSlice(), portBytes(s.at.Port())),
	}
}

func (s slot) alive() nftables.SetElement {
	return nftables.SetElement{Key: slices.Concat(native(s.chain), s.at.Addr().AsSlice(), portBytes(s.at.Port()))}
}
