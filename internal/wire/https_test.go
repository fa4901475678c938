package wire

import (
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"postier/internal/rehearsal/certificates"
	"postier/internal/scripted"
)

// TestHTTPSKeepsThePolicy: requests over HTTPS keep the minimum TLS version and trust the network's roots alone.
func TestHTTPSKeepsThePolicy(t *testing.T) {
	t.Parallel()
	ca := scripted.StartCA(t)
	server := httptest.NewUnstartedServer(
		http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "here") }))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.TLS = &tls.Config{
		Certificates: []tls.Certificate{leafOf(t, ca, certificates.Good, "127.0.0.1")}, MaxVersion: tls.VersionTLS12,
	}
	server.StartTLS()
	t.Cleanup(server.Close)
	for name, test := range map[string]struct {
		network *Network
		kind    Kind
	}{
		"TLS 1.2":         {&Network{Roots: ca.Roots()}, KindNone},
		"below":           {&Network{Roots: ca.Roots(), Policy: Policy{MinVersion: tls.VersionTLS13}}, KindVersion},
		"no lower either": {&Network{Roots: ca.Roots(), Policy: Policy{MinVersion: tls.VersionTLS10}}, KindNone},
		"another root":    {&Network{Roots: scripted.StartCA(t).Roots()}, KindTLS},
		"a served wizard": {&Network{Roots: ca.Roots(), Served: true}, KindPolicy},
	} {
		transport := test.network.HTTPS()
		if transport.Proxy != nil {
			t.Errorf("%s: a proxy", name)
		}
		response, err := (&http.Client{Transport: transport}).Get(server.URL)
		if err == nil {
			_ = response.Body.Close()
		}
		if got := Classify(err).Kind; got != test.kind {
			t.Errorf("%s: %s, want %s (%v)", name, got, test.kind, err)
		}
	}
}

func TestReadBodyIsBounded(t *testing.T) {
	t.Parallel()
	if body, err := ReadBody(strings.NewReader("four"), 4); err != nil || string(body) != "four" {
		t.Errorf("%q %v", body, err)
	}
	var limit *LimitError
	if _, err := ReadBody(strings.NewReader("fives"), 4); !errors.As(err, &limit) || limit.Max != 4 {
		t.Errorf("%v", err)
	}
}
