package webhook

import (
	"errors"
	"fmt"
	"net/netip"
	"syscall"
)

// errAddress refuses to connect to an address that is inside of something.
var errAddress = errors.New("the address is not one of the open internet")

// closed are the ranges of IPv4 that are no unicast addresses of the open internet.
var closed = prefixes(
	"0.0.0.0/8",       // this network
	"10.0.0.0/8",      // private
	"100.64.0.0/10",   // shared by carriers
	"127.0.0.0/8",     // loopback
	"169.254.0.0/16",  // link-local, and where clouds tell machines their secrets
	"172.16.0.0/12",   // private
	"192.0.0.0/24",    // protocol assignments
	"192.0.2.0/24",    // documentation
	"192.88.99.0/24",  // 6to4 relays
	"192.168.0.0/16",  // private
	"198.18.0.0/15",   // benchmarks
	"198.51.100.0/24", // documentation
	"203.0.113.0/24",  // documentation
	"224.0.0.0/4",     // multicast
	"240.0.0.0/4",     // reserved, and broadcast
)

// Of IPv6 only the addresses that are handed out are open: what is in open6 and not in closed6. So loopback, link-local, unique
// local, multicast, and ranges that nobody has a use for yet are not.
var (
	open6   = netip.MustParsePrefix("2000::/3")
	closed6 = prefixes(
		"2001::/23",     // protocol assignments, Teredo
		"2001:db8::/32", // documentation
		"2002::/16",     // 6to4, which leads to an IPv4 address
		"3fff::/20",     // documentation
	)
	nat64 = netip.MustParsePrefix("64:ff9b::/96") // an IPv4 address, for networks that have IPv6 alone
)

func prefixes(all ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(all))
	for i, p := range all {
		out[i] = netip.MustParsePrefix(p)
	}
	return out
}

// isOpen reports whether an address is a unicast one of the open internet. An IPv4 address that is written as one of IPv6 is judged
// as what it is; one with a zone belongs to an interface of this machine.
func isOpen(a netip.Addr) bool {
	if a.Zone() != "" {
		return false
	}
	a = a.Unmap()
	if nat64.Contains(a) {
		b := a.As16()
		a = netip.AddrFrom4([4]byte(b[12:]))
	}
	if a.Is4() {
		return !within(closed, a)
	}
	return open6.Contains(a) && !within(closed6, a)
}

func within(all []netip.Prefix, a netip.Addr) bool {
	for _, p := range all {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// onlyOpen is asked by the dialer about each address that a name has led to, right before it connects: what the name leads to a
// moment later makes no difference.
func onlyOpen(_, address string, _ syscall.RawConn) error {
	a, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%w: %w", errAddress, err)
	}
	if !isOpen(a.Addr()) {
		return errAddress
	}
	return nil
}
