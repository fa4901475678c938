package imap

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/emersion/go-imap/v2"

	"postier/internal/rehearsal/certificates"
	"postier/internal/scripted"
)

// TestCapabilities compares what go-imap's CapSet infers with what servers mean by the names they send.
func TestCapabilities(t *testing.T) {
	t.Parallel()
	implied := []imap.Cap{imap.CapUIDPlus, imap.CapNamespace, imap.CapLiteralMinus, imap.CapSASLIR, imap.CapListExtended}
	for _, spelling := range []string{"IMAP4rev2", "IMAP4REV2", "imap4rev2"} {
		s := new(Session)
		s.learn([]string{spelling, "uidplus"})
		for _, c := range implied {
			if !s.caps.Has(c) {
				t.Errorf("%s does not imply %s", spelling, c)
			}
		}
		if s.caps.Has(imap.CapSpecialUse) || s.caps.Has(imap.CapLiteralPlus) {
			t.Errorf("%s implies too much", spelling)
		}
		if got := s.Capabilities(); !slices.Equal(got, []string{"IMAP4REV2", "UIDPLUS"}) {
			t.Errorf("%s is reported as %v", spelling, got)
		}
	}
	s := new(Session)
	s.learn(strings.Fields("auth=PLAIN AUTH=CRAM-MD5 LITERAL+ LITERAL"))
	if got := s.offered(); !slices.Equal(got, []string{"CRAM-MD5", "PLAIN"}) {
		t.Errorf("mechanisms %v", got)
	}
	if s.literalSign(5000) != "+" {
		t.Error("LITERAL+ does not cover a long literal")
	}
	s.learn([]string{"IMAP4rev2"})
	if s.literalSign(4096) != "+" || s.literalSign(4097) != "" {
		t.Error("LITERAL- ends at 4,096 octets (RFC 7888 §5)")
	}
}

// TestNoMessageIsNotTheLast: go-imap writes the set of UID 0 as "*", the last message of the folder.
func TestNoMessageIsNotTheLast(t *testing.T) {
	t.Parallel()
	if set := imap.UIDSetNum(0).String(); set != "*" {
		t.Errorf("UID 0 is written %q: only may be simpler", set)
	}
	s := new(Session) // a command on it would panic
	if _, err := s.Fetch(t.Context(), 0); !errors.Is(err, ErrGone) {
		t.Errorf("fetch: %v", err)
	}
	if _, err := s.Remove(t.Context(), 0); !errors.Is(err, ErrGone) {
		t.Errorf("remove: %v", err)
	}
}

// TestInitialResponseOfRev2: IMAP4rev2 includes SASL-IR (RFC 9051 §6.2.2), so the sign-in takes one round trip.
func TestInitialResponseOfRev2(t *testing.T) {
	t.Parallel()
	ca := scripted.StartCA(t)
	server := scripted.StartIMAP(t, scripted.Options{
		Certificate: scripted.Leaf(t, ca, certificates.Good, host), ImplicitTLS: true,
		CapabilitiesTLS: []string{"IMAP4rev2", "AUTH=PLAIN"},
	})
	session, err := Open(t.Context(), network(t, ca, server.Addr()), account(), nil)
	if err != nil {
		t.Fatal(err)
	}
	session.Close()
	for _, r := range server.Records() {
		if r.Phase == "AUTHENTICATE" && len(strings.Fields(string(r.Data))) != 4 {
			t.Errorf("sent %d words, want the initial response with the command", len(strings.Fields(string(r.Data))))
		}
	}
}
