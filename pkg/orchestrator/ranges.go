package orchestrator

import (
	"encoding/binary"
	"fmt"
	"net/netip"
)

// firstOf is the first address of a range that a host can have: the kubernetes Service's.
func firstOf(p netip.Prefix) netip.Addr { return nthAddr(p, 1) }

// nthAddr is the address n after the start of an IPv4 range.
func nthAddr(p netip.Prefix, n int) netip.Addr {
	b := p.Masked().Addr().As4()
	binary.BigEndian.PutUint32(b[:], binary.BigEndian.Uint32(b[:])+uint32(n))
	return netip.AddrFrom4(b)
}

// nthRange is the n-th part (from 0) of a range, cut to parts of the given length.
func nthRange(p netip.Prefix, n, bits int) (netip.Prefix, error) {
	if bits < p.Bits() || n >= 1<<(bits-p.Bits()) {
		return netip.Prefix{}, fmt.Errorf("the range %s has room for %d nodes", p, 1<<max(bits-p.Bits(), 0))
	}
	return netip.PrefixFrom(nthAddr(p, n<<(32-bits)), bits), nil
}
