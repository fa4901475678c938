package wire

import (
	"errors"
	"net/netip"
	"testing"
	"time"
)

// TestQuota: an hour has room for so many connections and for so many servers, and then for new ones.
func TestQuota(t *testing.T) {
	t.Parallel()
	target := func(n byte) netip.AddrPort {
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, n}), 465)
	}
	start := time.Unix(0, 0)
	q := &Quota{Connections: 5, Targets: 2}
	for i, row := range []struct {
		after time.Duration
		to    byte
		ok    bool
	}{
		{0, 1, true},
		{0, 1, true},
		{time.Minute, 2, true},
		{time.Minute, 3, false}, // a third server
		{time.Minute, 1, true},
		{time.Minute, 2, true},
		{time.Minute, 2, false}, // a sixth connection
		{59 * time.Minute, 1, false},
		{time.Hour, 1, true},
		{time.Hour, 1, true}, // the first two are over
		{time.Hour, 3, false},
		{2 * time.Hour, 3, true},
	} {
		err := q.take(target(row.to), start.Add(row.after))
		if (err == nil) != row.ok || err != nil && !errors.Is(err, ErrAddressRefused) {
			t.Errorf("row %d: %v", i, err)
		}
	}
	var none *Quota
	if err := none.take(target(1), start); err != nil {
		t.Error(err)
	}
}

// TestQuotaOfTheDialer: the one dialer counts, and says the same as for an address that is never allowed.
func TestQuotaOfTheDialer(t *testing.T) {
	t.Parallel()
	n := &Network{Quota: &Quota{Connections: 0, Targets: 1}}
	_, attempts := n.Connect(t.Context(), "mail.example", 465, []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil)
	if len(attempts) != 1 || Classify(attempts[0].Err).Kind != KindPolicy {
		t.Errorf("%v", attempts)
	}
}

// TestAllowedNetworks: what the operator allows may be reached by mail's ports, and addresses of clouds never.
func TestAllowedNetworks(t *testing.T) {
	t.Parallel()
	n := &Network{Served: true, Allowed: []netip.Prefix{
		netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("169.254.0.0/16"),
	}}
	for address, want := range map[string]bool{
		"10.1.2.3:465": true, "10.1.2.3:22": false, "10.2.0.1:465": false, "127.0.0.1:465": false,
		"169.254.169.254:465":   false,
		"[::ffff:10.1.2.3]:465": true, "93.184.216.34:465": true,
	} {
		if got := n.Permit(netip.MustParseAddrPort(address)) == nil; got != want {
			t.Errorf("%s: %v", address, got)
		}
	}
}
