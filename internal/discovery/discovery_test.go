package discovery

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"postier/config"
	"postier/internal/rehearsal/certificates"
	"postier/internal/scripted"
	"postier/internal/wire"
	"postier/presets"
)

const soa = "durand.example. 300 IN SOA ns.durand.example. h.durand.example. 1 2 3 4 5\n"

func TestTheMXNamesTheProvider(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, mx, provider, server string }{
		{"google", "smtp.google.com.", "google-workspace", "smtp.gmail.com:465 tls " + address},
		{"old google", "aspmx.l.google.com.", "google-workspace", "smtp.gmail.com:465 tls " + address},
		{
			"microsoft", "durand-example.mail.protection.outlook.com.", "microsoft365",
			"smtp.office365.com:587 starttls " + address,
		},
		{
			"microsoft, new names", "durand-example.a-v1.mx.microsoft.", "microsoft365",
			"smtp.office365.com:587 starttls " + address,
		},
		{"fastmail", "in1-smtp.messagingengine.com.", "fastmail", "smtp.fastmail.com:465 tls " + address},
		{"ovh", "mx1.mail.ovh.net.", "ovh-mxplan", "ssl0.ovh.net:465 tls " + address},
		{"gandi", "spool.mail.gandi.net.", "gandi", "mail.gandi.net:465 tls " + address},
		{"zoho", "mx.zoho.eu.", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, soa+"durand.example. 300 IN MX 10 "+tt.mx+"\n")
			c := b.best()
			if tt.provider != "" && (c.Provider != tt.provider || server(c.SMTP) != tt.server) {
				t.Errorf("%s with %s", c.Provider, server(c.SMTP))
			}
			if c.Origin != OriginMX || c.Confidence == presets.Certain || c.Via == "" {
				t.Errorf("origin %s via %q, %s", c.Origin, c.Via, c.Confidence)
			}
			if b.asked("smtp.durand.example", 465) {
				t.Error("names were tried although the MX told the provider")
			}
		})
	}
}

func TestOVHSharesItsMXAmongProducts(t *testing.T) {
	t.Parallel()
	b := newBench(t, soa+"durand.example. 300 IN MX 1 mx1.mail.ovh.net.\n")
	var ids []string
	for _, c := range b.find() {
		ids = append(ids, c.Provider)
	}
	if len(ids) < 2 || ids[0] != "ovh-mxplan" {
		t.Errorf("candidates %v: only the person knows which product it is", ids)
	}
}

func TestBehindAMailFilterSPFHints(t *testing.T) {
	t.Parallel()
	b := newBench(t, soa+`durand.example. 300 IN MX 10 mx1-eu1.ppe-hosted.com.
durand.example. 300 IN TXT "v=spf1 include:spf.brevo.com include:spf.protection.outlook.com -all"
`)
	c := b.best()
	if c.Provider != "microsoft365" || c.Confidence != presets.Guess || reasons(c) != "guess" {
		t.Errorf("%s %s %s", c.Provider, c.Confidence, reasons(c))
	}
	if len(c.Notes) == 0 || !slices.ContainsFunc(c.Notes,
		func(n Note) bool { return strings.Contains(n.In("en"), "Proofpoint") }) {
		t.Errorf("the filter is not named: %v", c.Notes)
	}
	// Without a filter a record says who sends, not where the mailbox is.
	plain := newBench(t, soa+`durand.example. 300 IN MX 10 mx.durand.example.
durand.example. 300 IN TXT "v=spf1 include:spf.protection.outlook.com -all"
`)
	if list := plain.find(); len(list) != 0 {
		t.Errorf("SPF alone gave %+v", list[0])
	}
}

func TestSRV(t *testing.T) {
	t.Parallel()
	const hosts = "mail.durand.example. 300 IN A 192.0.2.1\nspare.durand.example. 300 IN A 192.0.2.2\n"
	t.Run("own hosts", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, soa+hosts+`_submissions._tcp.durand.example. 300 IN SRV 10 1 465 spare.durand.example.
_submissions._tcp.durand.example. 300 IN SRV 1 1 4465 mail.durand.example.
_submission._tcp.durand.example. 300 IN SRV 0 1 587 mail.durand.example.
_imaps._tcp.durand.example. 300 IN SRV 0 1 993 mail.durand.example.
`)
		c := b.best()
		if c.Provider != Custom || c.Origin != OriginSRV || c.Confidence != presets.Likely || len(c.Confirm) != 0 {
			t.Errorf("%+v", c)
		}
		if got := server(c.SMTP); got != "mail.durand.example:4465 tls "+address || len(c.SMTP) != 3 ||
			c.SMTP[2].Security != config.SecurityStartTLS {
			t.Errorf("servers %+v", c.SMTP)
		}
		if got := server(c.IMAP); got != "mail.durand.example:993 tls "+address || c.SentCopy != config.SentAppend {
			t.Errorf("IMAP %s, Sent copy %s", got, c.SentCopy)
		}
	})
	t.Run("a dot means no", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, soa+hosts+`_submissions._tcp.durand.example. 300 IN SRV 0 0 0 .
_submission._tcp.durand.example. 300 IN SRV 0 1 587 mail.durand.example.
_imaps._tcp.durand.example. 300 IN SRV 0 0 0 .
`)
		c := b.best()
		if server(c.SMTP) != "mail.durand.example:587 starttls "+address || len(c.SMTP) != 1 || len(c.IMAP) != 0 ||
			c.SentCopy != config.SentNone {
			t.Errorf("%+v", c)
		}
	})
	t.Run("one bad record costs only itself", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, soa+hosts+`_submissions._tcp.durand.example. 300 IN SRV 0 1 465 ma\032il.durand.example.
_submissions._tcp.durand.example. 300 IN SRV 0 0 0 .
_submissions._tcp.durand.example. 300 IN SRV 0 1 0 mail.durand.example.
_submissions._tcp.durand.example. 300 IN SRV 1 1 465 spare.durand.example.
_imaps._tcp.durand.example. 300 IN SRV 0 1 993 .
_imap._tcp.durand.example. 300 IN SRV 0 1 143 mail.durand.example.
`)
		c := b.best()
		if server(c.SMTP) != "spare.durand.example:465 tls "+address || len(c.SMTP) != 1 ||
			server(c.IMAP) != "mail.durand.example:143 starttls "+address {
			t.Errorf("%+v", c)
		}
	})
	t.Run("another domain is confirmed", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, soa+`mail.elsewhere.example. 300 IN A 192.0.2.9
_submissions._tcp.durand.example. 300 IN SRV 0 1 465 mail.elsewhere.example.
`)
		c := b.best()
		if reasons(c) != "other-domain" || c.Confidence != presets.Guess {
			t.Errorf("%s %s", reasons(c), c.Confidence)
		}
	})
	t.Run("a known provider vouches for its hosts", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, soa+`smtp.fastmail.com. 300 IN A 192.0.2.9
_submissions._tcp.durand.example. 300 IN SRV 0 1 465 smtp.fastmail.com.
`)
		c := b.best()
		if c.Provider != "fastmail" || len(c.Confirm) != 0 || c.Credential != config.SecretAppPassword {
			t.Errorf("%s %s %s", c.Provider, reasons(c), c.Credential)
		}
	})
	t.Run("an alias that leads out is confirmed", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, soa+`smtp.durand.example. 300 IN CNAME cluster.elsewhere.example.
cluster.elsewhere.example. 300 IN A 192.0.2.9
_submissions._tcp.durand.example. 300 IN SRV 0 1 465 smtp.durand.example.
`)
		if c := b.best(); reasons(c) != "alias" {
			t.Errorf("%s", reasons(c))
		}
	})
	for name, target := range map[string]string{
		"no such host":   "gone.durand.example.",
		"metadata":       "meta.durand.example.",
		"odd characters": `ma\032il.durand.example.`,
		"underscore":     "_dmarc.durand.example.",
		"an address":     "192.0.2.1.",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, soa+"meta.durand.example. 300 IN A 169.254.169.254\n_dmarc.durand.example. 300 IN A "+
				"192.0.2.1\n192.0.2.1. 300 IN A 192.0.2.1\n"+
				"_submissions._tcp.durand.example. 300 IN SRV 0 1 465 "+target+"\n")
			if list := b.find(); len(list) != 0 {
				t.Errorf("found %+v", list)
			}
		})
	}
}

func TestServedModeTakesNoPrivateHost(t *testing.T) {
	t.Parallel()
	b := newBench(t, soa+`mail.durand.example. 300 IN A 192.168.1.5
_submissions._tcp.durand.example. 300 IN SRV 0 1 465 mail.durand.example.
`)
	if c := b.best(); server(c.SMTP) != "mail.durand.example:465 tls "+address {
		t.Errorf("at home a private address is fine: %+v", c)
	}
	b.network.Served = true
	if list := b.find(); len(list) != 0 {
		t.Errorf("served to others it is not: %+v", list)
	}
}

func TestProbing(t *testing.T) {
	t.Parallel()
	t.Run("smtp and imap", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, soa+"smtp.durand.example. 300 IN A 192.0.2.1\nimap.durand.example. 300 IN A "+
			"192.0.2.2\nmail.durand.example. 300 IN A 192.0.2.3\n")
		b.smtp("smtp.durand.example", 587, scripted.Options{})
		b.smtp("mail.durand.example", 465, scripted.Options{})
		b.imap("imap.durand.example", 993, scripted.Options{})
		c := b.best()
		if c.Origin != OriginProbe || server(c.SMTP) != "smtp.durand.example:587 starttls "+address ||
			server(c.IMAP) != "imap.durand.example:993 tls "+address {
			t.Errorf("%+v", c)
		}
		if reasons(c) != "guess" || c.Confidence != presets.Guess ||
			!slices.Contains(c.SMTP[0].Mechanisms, config.MechanismPlain) {
			t.Errorf("%s %s %v", reasons(c), c.Confidence, c.SMTP[0].Mechanisms)
		}
	})
	t.Run("a wildcard with another certificate is none", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, soa+"*.durand.example. 300 IN A 192.0.2.1\n")
		for _, host := range []string{"smtp", "mail", "mx"} {
			b.smtp(host+".durand.example", 465,
				scripted.Options{Certificate: scripted.Leaf(t, b.ca, certificates.WrongName, host+".durand.example")})
		}
		if list := b.find(); len(list) != 0 {
			t.Errorf("%+v", list)
		}
	})
	t.Run("injected behind STARTTLS", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, soa+"smtp.durand.example. 300 IN A 192.0.2.1\n")
		b.smtp("smtp.durand.example", 587,
			scripted.Options{Script: scripted.Script{"STARTTLS": {
				Reply:  "220 go",
				Inject: "250-evil\r\n250 AUTH PLAIN\r\n",
			}}})
		if list := b.find(); len(list) != 0 {
			t.Errorf("%+v", list)
		}
	})
	t.Run("no STARTTLS is no server", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, soa+"mail.durand.example. 300 IN A 192.0.2.1\n")
		b.smtp("mail.durand.example", 587, scripted.Options{Capabilities: []string{"AUTH PLAIN"}})
		b.imap("mail.durand.example", 143,
			scripted.Options{Script: scripted.Script{"STARTTLS": scripted.Reply("{tag} BAD no")}})
		if list := b.find(); len(list) != 0 {
			t.Errorf("%+v", list)
		}
	})
	t.Run("the MX host itself", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, soa+"durand.example. 300 IN MX 10 post.durand.example.\npost.durand.example. 300 IN A 192.0.2.1\n")
		b.smtp("post.durand.example", 465, scripted.Options{})
		b.imap("post.durand.example", 143, scripted.Options{})
		c := b.best()
		if server(c.SMTP) != "post.durand.example:465 tls "+address ||
			server(c.IMAP) != "post.durand.example:143 starttls "+address {
			t.Errorf("%+v", c)
		}
		if reasons(c) != "mx-derived guess" {
			t.Errorf("reasons %s", reasons(c))
		}
	})
}

// TestAProbeSendsLittle: the whole of what a server that can be used reads, and nothing at all where none greets.
func TestAProbeSendsLittle(t *testing.T) {
	t.Parallel()
	const ehlo, quit = "EHLO [127.0.0.1]\r\n", "QUIT\r\n"
	for _, tt := range []struct {
		port int
		want string
	}{
		{465, ehlo + quit},
		{587, ehlo + "STARTTLS\r\n" + ehlo + quit},
		{993, "P1 LOGOUT\r\n"},
		{143, "P1 CAPABILITY\r\nP2 STARTTLS\r\nP3 LOGOUT\r\n"},
	} {
		t.Run(strconv.Itoa(tt.port), func(t *testing.T) {
			t.Parallel()
			b := newBench(t, soa+"mail.durand.example. 300 IN A 192.0.2.1\n")
			if tt.port == 465 || tt.port == 587 {
				b.smtp("mail.durand.example", tt.port, scripted.Options{})
			} else {
				b.imap("mail.durand.example", tt.port, scripted.Options{})
			}
			b.find()
			var got string
			for range 200 { // the last line may still be on its way
				if got = string(b.servers[0].Received()); got == tt.want {
					return
				}
				time.Sleep(10 * time.Millisecond)
			}
			t.Errorf("sent %q, want %q", got, tt.want)
		})
	}
	t.Run("silence", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, soa+"smtp.durand.example. 300 IN A 192.0.2.1\n")
		listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = listener.Close() }()
		b.route("smtp.durand.example", 587, listener.Addr().String())
		within(t, probeStep+time.Second, func(context.Context) { b.find() })
		conn, err := listener.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		if got, err := io.ReadAll(conn); len(got) != 0 || err != nil {
			t.Errorf("sent %q, %v", got, err)
		}
	})
}

func TestASourceInTheDomainBeatsOneThatLeadsElsewhere(t *testing.T) {
	t.Parallel()
	b := newBench(t, soa+`autoconfig.durand.example. 300 IN A 192.0.2.3
mail.durand.example. 300 IN A 192.0.2.1
mail.elsewhere.example. 300 IN A 192.0.2.2
_submissions._tcp.durand.example. 300 IN SRV 0 1 465 mail.elsewhere.example.
`)
	b.web("autoconfig.durand.example", answer(clientConfig("mail.durand.example", "465", "SSL", "%EMAILADDRESS%")))
	var told []string
	list, err := Find(t.Context(), b.network, presets.Default(), address,
		Options{Found: func(list []Candidate) { told = append(told, string(list[0].Origin)) }})
	if err != nil || len(list) != 2 || list[0].Origin != OriginAutoconfig || list[1].Origin != OriginSRV {
		t.Fatalf("%v %+v", err, list)
	}
	if told[len(told)-1] != "autoconfig" {
		t.Errorf("told %v", told)
	}
}

func TestThePresetsAskNobody(t *testing.T) {
	t.Parallel()
	b := newBench(t, "")
	for _, a := range []string{"x@gmail.com", "x@GMX.fr", "x@hotmail.com"} {
		list, err := Find(t.Context(), b.network, presets.Default(), a, Options{})
		if err != nil || len(list) != 1 || list[0].Origin != OriginPreset {
			t.Errorf("%s: %v %+v", a, err, list)
		}
	}
	if list, err := Find(t.Context(), b.network, presets.Default(), address, Options{Offline: true}); err != nil ||
		len(list) != 0 {
		t.Errorf("offline: %v %+v", err, list)
	}
	if n := len(b.dns.Queries()); n != 0 {
		t.Errorf("%d questions were asked", n)
	}
}

// TestTheSecondSourceGivesWay: what the domain says of itself today is newer than a list, and both stand before the MX.
func TestTheSecondSourceGivesWay(t *testing.T) {
	t.Parallel()
	const domain = "usa.com" // of mail.com, whose MX belong to GMX
	b := newBench(t, domain+". 300 IN SOA ns."+domain+". h."+domain+". 1 2 3 4 5\n"+
		domain+". 300 IN MX 10 mx00.mail.com.\n"+domain+". 300 IN MX 20 mx00.gmx.net.\n")
	list, err := Find(t.Context(), b.network, presets.Default(), "x@"+domain, Options{})
	if err != nil || len(list) < 2 || list[0].Origin != OriginPreset || list[0].Provider != "mail.com" ||
		list[0].SMTP[0].Source != SourceISPDB || list[1].Origin != OriginMX {
		t.Fatalf("%v %+v", err, list)
	}
	if err := b.dns.Add("new." + domain + ". 300 IN A 192.0.2.1\n_submissions._tcp." + domain +
		". 300 IN SRV 0 1 465 new." + domain + ".\n"); err != nil {
		t.Fatal(err)
	}
	list, err = Find(t.Context(), b.network, presets.Default(), "x@"+domain, Options{})
	if err != nil || len(list) < 2 || list[0].Origin != OriginSRV {
		t.Fatalf("%v %+v", err, list)
	}
}

func TestDNSOddities(t *testing.T) {
	t.Parallel()
	t.Run("no such domain", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, "example. 300 IN SOA ns.example. h.example. 1 2 3 4 5\n")
		if _, err := Find(t.Context(), b.network, presets.Default(), address, Options{}); !errors.Is(err, ErrNoDomain) {
			t.Errorf("%v", err)
		}
	})
	t.Run("servfail everywhere", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, soa)
		b.dns.BehaveAll(scripted.ServFail)
		if _, err := Find(t.Context(), b.network, presets.Default(), address, Options{}); !errors.Is(err, ErrUnreachable) {
			t.Errorf("%v", err)
		}
	})
	t.Run("garbage", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, soa)
		b.dns.BehaveAll(scripted.Garbage)
		if _, err := Find(t.Context(), b.network, presets.Default(), address, Options{}); !errors.Is(err, ErrUnreachable) {
			t.Errorf("%v", err)
		}
	})
	t.Run("null MX", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, soa+"durand.example. 300 IN MX 0 .\n")
		if list := b.find(); len(list) != 0 {
			t.Errorf("%+v", list)
		}
	})
	t.Run("MX fails, SRV answers", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, soa+"mail.durand.example. 300 IN A 192.0.2.1\n_submissions._tcp.durand.example. 300 IN SRV 0 1 "+
			"465 mail.durand.example.\n!servfail durand.example. MX\n")
		if c := b.best(); c.Origin != OriginSRV {
			t.Errorf("%+v", c)
		}
	})
	t.Run("a flood of exchangers and targets", func(t *testing.T) {
		t.Parallel()
		var zone strings.Builder
		zone.WriteString(soa)
		for i := range 40 {
			n := string(rune('a'+i%26)) + strings.Repeat("x", i/26)
			zone.WriteString("durand.example. 300 IN MX 10 " + n + ".durand.example.\n" + n +
				".durand.example. 300 IN A 192.0.2.7\n" +
				"_submissions._tcp.durand.example. 300 IN SRV 0 1 465 " + n + ".durand.example.\n")
		}
		b := newBench(t, zone.String())
		if c := b.best(); len(c.SMTP) != maxSRV {
			t.Errorf("%d servers", len(c.SMTP))
		}
		if n := len(b.dns.Queries()); n > wire.MaxQueries {
			t.Errorf("%d questions", n)
		}
	})
}

func TestCancelled(t *testing.T) {
	t.Parallel()
	b := newBench(t, soa+"durand.example. 300 IN A 192.0.2.1\n!silent durand.example. MX\n")
	b.web("durand.example", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	within(t, time.Second, func(ctx context.Context) {
		ctx, cancel := context.WithCancel(ctx)
		time.AfterFunc(50*time.Millisecond, cancel)
		if list, err := Find(ctx, b.network, presets.Default(), address, Options{}); !errors.Is(err, context.Canceled) ||
			len(list) != 0 {
			t.Errorf("%v %v", list, err)
		}
	})
	// What was found by then is the answer.
	const domain = "usa.com"
	slow := newBench(t, "!silent "+domain+". MX\n!silent "+domain+". TXT\n")
	within(t, time.Second, func(ctx context.Context) {
		ctx, cancel := context.WithCancel(ctx)
		time.AfterFunc(50*time.Millisecond, cancel)
		if list, err := Find(ctx, slow.network, presets.Default(), "x@"+domain, Options{}); err != nil || len(list) != 1 {
			t.Errorf("%v %v", list, err)
		}
	})
}

// TestRoundTrips: a known MX ends the search although every file of the domain hangs.
func TestRoundTrips(t *testing.T) {
	t.Parallel()
	b := newBench(t, soa+"durand.example. 300 IN A 192.0.2.1\nautoconfig.durand.example. 300 IN A "+
		"192.0.2.1\ndurand.example. 300 IN MX 10 smtp.google.com.\n")
	hang := func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	b.web("durand.example", hang)
	b.web("autoconfig.durand.example", hang)
	within(t, 2*time.Second, func(context.Context) {
		if c := b.best(); c.Provider != "google-workspace" {
			t.Errorf("%+v", c)
		}
	})
}

func TestMalformedAddress(t *testing.T) {
	t.Parallel()
	for _, a := range []string{"", "x", "x@", "@x.example", "x@y z.example", "x@[192.0.2.1]"} {
		if _, err := Find(t.Context(), nil, presets.Default(), a, Options{Offline: true}); !errors.Is(err, ErrAddress) {
			t.Errorf("%q: %v", a, err)
		}
	}
}

func clientConfig(host, port, socket, user string) string {
	return `<?xml version="1.0" encoding="UTF-8"?>
<clientConfig version="1.1"><emailProvider id="durand.example"><domain>durand.example</domain>
<displayName>` + "\u202e" + `Evil</displayName>
<incomingServer type="pop3"><hostname>` + host + `</hostname><port>995</port><socketType>SSL</socketType><username>%EMAILADDRESS%</username></incomingServer>
<incomingServer type="imap"><hostname>` + host + `</hostname><port>993</port><socketType>SSL</socketType><authentication>password-cleartext</authentication><username>` + user + `</username></incomingServer>
<outgoingServer type="smtp"><hostname>` + host + `</hostname><port>` + port + `</port><socketType>` + socket + `</socketType><authentication>password-cleartext</authentication><username>` + user + `</username></outgoingServer>
</emailProvider></clientConfig>`
}
