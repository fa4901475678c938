package presets

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"postier/config"
)

// traps are addresses that are easily set up wrongly: each with its MX, the provider and the first server.
var trapCases = []struct {
	address  string
	mx       string // parted by spaces, asked when the domain is unknown
	provider string // parted by spaces when only the person can tell
	smtp     string
	user     string
}{
	{"anna@gmail.com", "", "gmail", "smtp.gmail.com:465 tls", "anna@gmail.com"},
	{"anna@GMail.com", "", "gmail", "smtp.gmail.com:465 tls", "anna@GMail.com"},
	{"info@durand.example", "smtp.google.com.", "google-workspace", "smtp.gmail.com:465 tls", "info@durand.example"},
	{
		"info@durand.example", "ASPMX.L.GOOGLE.COM alt1.aspmx.l.google.com", "google-workspace", "smtp.gmail.com:465 tls",
		"info@durand.example",
	},
	{"info@durand.example", "aspmx2.googlemail.com", "google-workspace", "smtp.gmail.com:465 tls", "info@durand.example"},
	{"me@nyu.edu", "", "google-workspace", "smtp.gmail.com:465 tls", "me@nyu.edu"},
	{
		"contact@durand.example", "mx1.mail.ovh.net mx2.mail.ovh.net", "ovh-mxplan ovh-emailpro ovh-zimbra ovh-exchange",
		"ssl0.ovh.net:465 tls", "contact@durand.example",
	},
	{"contact@durand.example", "mx1.ovh.net", "ovh-mxplan", "ssl0.ovh.net:465 tls", "contact@durand.example"},
	{"a@gmx.fr", "", "gmx-com", "mail.gmx.com:465 tls", "a@gmx.fr"},
	{"a@gmx.de", "", "gmx-net", "mail.gmx.net:465 tls", "a@gmx.de"},
	{"marie.durand@free.fr", "", "free", "smtp.free.fr:465 tls", "marie.durand"},
	{"marie@FreeSbee.fr", "", "free", "smtp.free.fr:465 tls", "marie@FreeSbee.fr"},
	{"marie@laposte.net", "", "laposte", "smtp.laposte.net:465 tls", "marie"},
	{"hans@web.de", "", "webde", "smtp.web.de:465 tls", "hans"},
	{"a@proton.me", "", "proton-bridge", "127.0.0.1:1025 starttls", "a@proton.me"},
	{
		"a@durand.example", "mail.protonmail.ch mailsec.protonmail.ch", "proton-bridge proton-smtp",
		"127.0.0.1:1025 starttls", "a@durand.example",
	},
	{"a@tuta.com", "", "tuta", "", ""},
	{"a@keemail.me", "", "tuta", "", ""},
	{"a@hey.com", "", "hey", "", ""},
	{"john@usa.com", "mx00.mail.com", "mail.com", "smtp.mail.com:465 tls", "john@usa.com"},
	{"a@durand.example", "mx00.gmx.com", "gmx-com", "mail.gmx.com:465 tls", "a@durand.example"},
	{"a@hotmail.com.br", "", "outlook", "smtp-mail.outlook.com:587 starttls", "a@hotmail.com.br"},
	{
		"a@durand.example", "durand-example.olc.protection.outlook.com", "outlook", "smtp-mail.outlook.com:587 starttls",
		"a@durand.example",
	},
	{
		"a@durand.example", "durand-example.mail.protection.outlook.com", "microsoft365", "smtp.office365.com:587 starttls",
		"a@durand.example",
	},
	{
		"a@durand.example", "durand-example.p-v1.mx.microsoft", "microsoft365", "smtp.office365.com:587 starttls",
		"a@durand.example",
	},
	{
		"a@contoso.onmicrosoft.com", "contoso.mail.protection.outlook.com", "microsoft365", "smtp.office365.com:587 starttls",
		"a@contoso.onmicrosoft.com",
	},
	{"a@durand.example", "mx-aol.mail.gm0.yahoodns.net", "aol", "smtp.aol.com:465 tls", "a@durand.example"},
	{"a@durand.example", "mta5.am0.yahoodns.net", "yahoo", "smtp.mail.yahoo.com:465 tls", "a@durand.example"},
	{"a@verizon.net", "", "aol", "smtp.aol.com:465 tls", "a@verizon.net"},
	{"anna@icloud.com", "", "icloud", "smtp.mail.me.com:587 starttls", "anna@icloud.com"},
	{"a@durand.example", "mx01.mail.icloud.com", "icloud", "smtp.mail.me.com:587 starttls", "a@durand.example"},
	{"urs@bluewin.ch", "", "bluewin", "smtpauths.bluewin.ch:465 tls", "urs@bluewin.ch"},
	{"a@durand.example", "mx.infomaniak.ch", "infomaniak", "mail.infomaniak.com:465 tls", "a@durand.example"},
	{"a@durand.example", "mx1.mail.hostpoint.ch", "hostpoint", "asmtp.mail.hostpoint.ch:465 tls", "a@durand.example"},
	{"a@durand.example", "mx00.kundenserver.de", "ionos-de", "smtp.ionos.de:465 tls", "a@durand.example"},
	{"a@durand.example", "in1-smtp.messagingengine.com", "fastmail", "smtp.fastmail.com:465 tls", "a@durand.example"},
	{"a@durand.example", "spool.mail.gandi.net", "gandi", "mail.gandi.net:465 tls", "a@durand.example"},
	{"a@wanadoo.fr", "", "orange", "smtp.orange.fr:465 tls", "a@wanadoo.fr"},
	{"piet@skynet.be", "", "proximus", "relay.proximus.be:587 starttls", "piet@skynet.be"},
	{"a@libero.it", "", "libero", "smtp.libero.it:465 tls", "a@libero.it"},
	{"a@t-online.de", "", "tonline", "securesmtp.t-online.de:465 tls", "a@t-online.de"},
	{"a@durand.example", "smtpin.rzone.de", "strato", "smtp.strato.de:465 tls", "a@durand.example"},
	{"a@durand.example", "mx1.notgoogle.com", "", "", ""},
	{"a@mail.gmail.com", "", "", "", ""},
	{"a@durand.example", "evil-google.com", "", "", ""},
	{"a@notgmail.com", "", "", "", ""},
}

func TestTraps(t *testing.T) {
	t.Parallel()
	b := Default()
	for _, tt := range trapCases {
		domain := tt.address[strings.LastIndexByte(tt.address, '@')+1:]
		var ids []string
		if m, ok := b.Domain(domain); ok {
			ids = append(ids, m.ID)
		} else {
			for _, m := range b.MX(strings.Fields(tt.mx)) {
				ids = append(ids, m.ID)
			}
		}
		if got := strings.Join(ids, " "); got != tt.provider {
			t.Errorf("%s (MX %s): %q, want %q", tt.address, tt.mx, got, tt.provider)
			continue
		}
		if len(ids) == 0 {
			continue
		}
		p, ok := b.Get(ids[0])
		if !ok {
			t.Errorf("%s: no file for %s", tt.address, ids[0])
			continue
		}
		smtp, _ := p.Servers(tt.address)
		if tt.smtp == "" {
			if _, impossible := p.Impossible(); !impossible || len(smtp) > 0 {
				t.Errorf("%s: impossible %v with servers %v", tt.address, impossible, smtp)
			}
			continue
		}
		if got := show(smtp[0]); got != tt.smtp || smtp[0].Username != tt.user {
			t.Errorf("%s: %s as %s, want %s as %s", tt.address, got, smtp[0].Username, tt.smtp, tt.user)
		}
	}
}

// TestSecondSourceResolvesOffline: every domain that the second source knows leads to that source's own first encrypted
// server, also where a flagship answers for it.
func TestSecondSourceResolvesOffline(t *testing.T) {
	t.Parallel()
	checked := 0
	for _, own := range every(t, SourceISPDB) {
		for _, domain := range own.Domains {
			m, ok := Default().Domain(domain)
			if !ok {
				t.Errorf("%s of %s is unknown", domain, own.ID)
				continue
			}
			if own.SameAs == "" && m.ID != own.ID {
				t.Errorf("%s leads to %s, want %s", domain, m.ID, own.ID)
			}
			p, ok := Default().Get(m.ID)
			if !ok {
				t.Errorf("%s: no provider %s", domain, m.ID)
				continue
			}
			want, _ := own.Servers("someone@" + domain)
			got, _ := p.Servers("someone@" + domain)
			if len(want) == 0 || want[0].Cleartext {
				continue // nothing encrypted is known
			}
			checked++
			if show(got[0]) != show(want[0]) || got[0].Cleartext {
				t.Errorf("%s: %s by %s, its own is %s", domain, show(got[0]), m.ID, show(want[0]))
			}
		}
	}
	if checked < 1000 {
		t.Errorf("only %d domains have an encrypted server", checked)
	}
}

func show(e Endpoint) string {
	return fmt.Sprintf("%s:%d %s", e.Host, e.Port, e.Security)
}

func TestCleartextIsNeverFirst(t *testing.T) {
	t.Parallel()
	only := 0
	for _, p := range append(every(t, SourceFlagship), every(t, SourceISPDB)...) {
		smtp, imap := p.Servers("someone@example.org")
		for _, list := range [][]Endpoint{smtp, imap} {
			seen := false
			for _, e := range list {
				if e.Cleartext != (e.Security == config.SecurityNone && e.Host != "localhost") {
					t.Errorf("%s: %s, Cleartext %v", p.ID, show(e), e.Cleartext)
				}
				if seen && !e.Cleartext {
					t.Errorf("%s: an encrypted server stands behind an unencrypted one", p.ID)
				}
				seen = seen || e.Cleartext
			}
		}
		if p.source == SourceISPDB && len(smtp) > 0 && smtp[0].Cleartext {
			only++
		}
	}
	if only == 0 {
		t.Error("the second source has providers without encryption; none was flagged")
	}
}

func TestLookupForms(t *testing.T) {
	t.Parallel()
	for _, domain := range []string{"free.fr", "FREE.FR", "Free.fr."} {
		if m, ok := Lookup(domain); !ok || m.ID != "free" || m.On != "free.fr" || m.By != ByDomain ||
			m.Source != SourceFlagship {
			t.Errorf("%q: %+v, %v", domain, m, ok)
		}
	}
	for _, domain := range []string{
		"", ".", "free.fr..", "x.free.fr", "fr", "free", " free.fr", "free.fr\x00",
		strings.Repeat("a", 254), "fréé.fr",
	} {
		if m, ok := Lookup(domain); ok {
			t.Errorf("%q: %+v", domain, m)
		}
	}
	if a, err := ALabel("Bücher.Example."); err != nil || a != "xn--bcher-kva.example" {
		t.Errorf("A-label: %q, %v", a, err)
	}
	if _, err := ALabel("\u200e.example"); err == nil {
		t.Error("a direction mark passed for a domain")
	}
}

func TestIndexIsSorted(t *testing.T) {
	t.Parallel()
	if !slices.IsSortedFunc(providerIndex[:], func(a, b Entry) int { return strings.Compare(a.ID, b.ID) }) {
		t.Error("providers are not sorted")
	}
	for _, index := range [][]indexRow{domainIndex, flagshipSuffixes, ispdbSuffixes, spfIndex} {
		if !slices.IsSortedFunc(index, func(a, b indexRow) int { return strings.Compare(a.name, b.name) }) {
			t.Error("names are not sorted")
		}
		for _, row := range index {
			for _, m := range row.matches(ByMX) {
				if entry := builtIn(m.ID); entry == nil || entry.Source != m.Source {
					t.Errorf("%s leads to %+v, which is no provider", row.name, m)
				}
			}
		}
	}
	for _, row := range domainIndex {
		if m, ok := Lookup(row.name); !ok || m.On != row.name {
			t.Errorf("%s is not found", row.name)
		}
	}
}

func TestLookupAllocatesNothing(t *testing.T) {
	for _, domain := range []string{"gmail.com", "Free.FR.", "nowhere.example"} {
		if n := testing.AllocsPerRun(100, func() { sinkMatch, sinkOK = Lookup(domain) }); n != 0 {
			t.Errorf("Lookup(%q) allocates %v times", domain, n)
		}
		if n := testing.AllocsPerRun(100, func() { sinkMatch, sinkOK = Default().Domain(domain) }); n != 0 {
			t.Errorf("Book.Domain(%q) allocates %v times", domain, n)
		}
	}
}

var (
	sinkMatch Match
	sinkOK    bool
	sinkList  []Match
)

func BenchmarkLookup(b *testing.B) {
	for _, domain := range []string{"gmail.com", "zohomail.eu", "nowhere.example", "SOMEBODY.T-Online.DE"} {
		b.Run(domain, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				sinkMatch, sinkOK = Lookup(domain)
			}
		})
	}
}

func BenchmarkLookupMX(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		sinkList = LookupMX("alt1.aspmx.l.google.com.")
	}
}

func FuzzLookup(f *testing.F) {
	for _, tt := range trapCases {
		f.Add(tt.address[strings.LastIndexByte(tt.address, '@')+1:], tt.mx)
	}
	f.Add("xn--bcher-kva.example", "..")
	f.Add("gmial.com", "\xff\xfe")
	f.Fuzz(func(t *testing.T, domain, host string) {
		b := Default()
		if m, ok := b.Domain(domain); ok {
			if _, found := b.Get(m.ID); !found {
				t.Errorf("%q leads to %q, which has no file", domain, m.ID)
			}
			if s, typo := b.Typo(domain); typo {
				t.Errorf("%q is known, yet %q was suggested", domain, s)
			}
		}
		if s, ok := b.Typo(domain); ok {
			if _, known := b.Domain(s); !known {
				t.Errorf("%q was suggested for %q and is not known", s, domain)
			}
		}
		for _, m := range b.MX([]string{host}) {
			if h := strings.ToLower(strings.TrimSuffix(host, ".")); h != m.On && !strings.HasSuffix(h, "."+m.On) {
				t.Errorf("%q does not end in %q on a label boundary", host, m.On)
			}
		}
	})
}
