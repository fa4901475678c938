package imap

import (
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"testing"

	"postier/internal/rehearsal/certificates"
	"postier/internal/scripted"
)

// TestUserNameOfAnInternationalAddress: the domain is sent in A-labels where the server has no UTF8=ACCEPT, and a
// refused name is tried once in its other form, on the same connection.
func TestUserNameOfAnInternationalAddress(t *testing.T) {
	t.Parallel()
	const typed, ascii = "anna@bücher.example", "anna@xn--bcher-kva.example"
	no := scripted.Reply("{tag} NO [AUTHENTICATIONFAILED] no")
	ca := scripted.StartCA(t)
	for name, row := range map[string]struct {
		username, caps string
		script         scripted.Script
		want           []string
		refused        bool
	}{
		"A-labels":            {typed, "AUTH=PLAIN", nil, []string{ascii}, false},
		"as typed":            {typed, "AUTH=PLAIN UTF8=ACCEPT", nil, []string{typed}, false},
		"only as typed":       {typed, "AUTH=PLAIN", scripted.Script{"auth#1": no}, []string{ascii, typed}, false},
		"only A-labels":       {typed, "AUTH=PLAIN UTF8=ONLY", scripted.Script{"auth#1": no}, []string{typed, ascii}, false},
		"neither":             {typed, "AUTH=PLAIN", scripted.Script{"auth": no}, []string{ascii, typed}, true},
		"typed with A-labels": {ascii, "AUTH=PLAIN", scripted.Script{"auth": no}, []string{ascii}, true},
		"hangs up": {
			typed, "AUTH=PLAIN", scripted.Script{"auth#1": {Reply: "{tag} NO no", Close: true}}, []string{ascii}, true,
		},
		"for now": {
			typed, "AUTH=PLAIN", scripted.Script{"auth": scripted.Reply("{tag} NO [UNAVAILABLE] later")}, []string{ascii}, true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := scripted.StartIMAP(t, scripted.Options{
				Certificate: scripted.Leaf(t, ca, certificates.Good, host), ImplicitTLS: true, Script: row.script,
				CapabilitiesTLS: append([]string{"IMAP4rev1", "SASL-IR"}, strings.Fields(row.caps)...),
			})
			a := account()
			a.Server.Username = row.username
			session, err := Open(t.Context(), network(t, ca, server.Addr()), a, nil)
			session.Close()
			var refused *ReplyError
			if errors.As(err, &refused) != row.refused || err != nil && !row.refused {
				t.Errorf("ended with %v", err)
			}
			var got []string
			for _, r := range server.Records() {
				words := strings.Fields(string(r.Data))
				if r.Phase != "AUTHENTICATE" || len(words) != 4 {
					continue
				}
				response, err := base64.StdEncoding.DecodeString(words[3])
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, strings.Split(string(response), "\x00")[1])
			}
			if !slices.Equal(got, row.want) {
				t.Errorf("signed in as %q, want %q", got, row.want)
			}
		})
	}
}

// TestServerNameOutsideASCII: the name that was typed is asked for, and compared with the certificate, in A-labels.
func TestServerNameOutsideASCII(t *testing.T) {
	t.Parallel()
	if got := hostASCII("Bücher.Example"); got != "xn--bcher-kva.example" {
		t.Errorf("asked for %q", got)
	}
	for _, same := range []string{"imap.durand.example", "192.0.2.1", "2001:db8::1"} {
		if got := hostASCII(same); got != same {
			t.Errorf("%s became %s", same, got)
		}
	}
}
