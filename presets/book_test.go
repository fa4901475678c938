package presets

import (
	"slices"
	"sync"
	"testing"

	"postier/config"
	"postier/internal/locale"
)

func demo() *Provider {
	return &Provider{
		ID: "demo", Name: "Démo", Kind: KindMailbox, Countries: []string{"FR"},
		Domains:    []string{"demo.example", "gmail.com"},
		MXSuffixes: []string{"mx.demo.example"}, Auth: []config.Mechanism{config.MechanismPlain},
		SMTP:     []Server{{Host: "smtp.demo.example", Port: 465, Security: config.SecurityTLS}},
		UserRule: UserRule{Rule: "{local}"},
	}
}

func TestBookWithOwnProviders(t *testing.T) {
	t.Parallel()
	b := Default().With(demo())
	for _, domain := range []string{"demo.example", "Demo.Example.", "gmail.com"} {
		if m, ok := b.Domain(domain); !ok || m.ID != "demo" || m.Source != SourceVendor {
			t.Errorf("%s: %+v, %v", domain, m, ok)
		}
	}
	if m := b.MX([]string{"a.mx.demo.example", "aspmx.l.google.com"}); len(m) != 2 || m[0].ID != "demo" ||
		m[1].ID != "google-workspace" {
		t.Errorf("MX: %+v", m)
	}
	if p, ok := b.Get("demo"); !ok || p.Source() != SourceVendor {
		t.Error("the own provider is not to be had")
	}
	same := 0
	for _, e := range providerIndex {
		if e.SameAs != "" {
			same++
		}
	}
	if all := b.All(); all[0].ID != "demo" || len(all) != 1+len(providerIndex)-same ||
		slices.ContainsFunc(all, func(e Entry) bool { return e.SameAs != "" }) {
		t.Errorf("%d providers, first %s", len(all), all[0].ID)
	}
	if _, ok := Default().Domain("demo.example"); ok {
		t.Error("the default book was changed")
	}
	if m, _ := b.Without("demo").Domain("gmail.com"); m.ID != "gmail" {
		t.Errorf("once hidden, the own provider still covers Gmail: %s", m.ID)
	}
}

func TestBehindAMailFilter(t *testing.T) {
	t.Parallel()
	for host, want := range map[string]string{
		"mx1-eu1.ppe-hosted.com.": "Proofpoint Essentials", "DE-smtp-inbound-1.mimecast.com": "Mimecast",
		"x.mailinblack.com":  "Mailinblack",
		"aspmx.l.google.com": "", "notmimecast.com": "",
	} {
		if got, ok := MailFilter(host); got != want || ok != (want != "") {
			t.Errorf("%s: %q", host, got)
		}
	}
	b := Default()
	if m := b.SPF([]string{"sendgrid.net", "Spf.Protection.Outlook.com", "unknown.example"}); len(m) != 2 ||
		m[0].ID != "microsoft365" || m[1].ID != "sendgrid" || m[0].By != BySPF {
		t.Errorf("the mailbox provider does not come first: %+v", m)
	}
	if m := b.SPF([]string{"mx.ovh.com"}); len(m) != 4 || m[0].ID != "ovh-mxplan" {
		t.Errorf("OVH: %+v", m)
	}
	if m := b.SPF([]string{"spf.mail.hostpoint.ch"}); len(m) != 1 || m[0].ID != "hostpoint" {
		t.Errorf("a redirect counts as well: %+v", m)
	}
	if m := b.Without("microsoft365").SPF([]string{
		"x.spf.protection.outlook.com",
		"spf.protection.outlook.com",
	}); m != nil {
		t.Errorf("hidden, or only the end of a name: %+v", m)
	}
}

func TestKnownSelectors(t *testing.T) {
	t.Parallel()
	d := DKIM{Selectors: []string{"s1", "{date}pm", "s{n}"}}
	if got := d.Known(); !slices.Equal(got, []string{"s1"}) {
		t.Errorf("patterns cannot be asked for: %v", got)
	}
}

func TestBookHides(t *testing.T) {
	t.Parallel()
	b := Default().Without("gmail", "ovh-exchange").Without("ovh-zimbra")
	if m, ok := b.Domain("gmail.com"); ok {
		t.Errorf("hidden, yet found: %+v", m)
	}
	if _, ok := b.Get("gmail"); ok {
		t.Error("hidden, yet to be had")
	}
	var ids []string
	for _, m := range b.MX([]string{"mx1.mail.ovh.net"}) {
		ids = append(ids, m.ID)
	}
	if !slices.Equal(ids, []string{"ovh-mxplan", "ovh-emailpro"}) {
		t.Errorf("OVH: %v", ids)
	}
	if slices.ContainsFunc(b.All(), func(e Entry) bool { return e.ID == "gmail" || e.ID == "ovh-zimbra" }) {
		t.Error("hidden, yet listed")
	}
}

func TestBookInternationalDomain(t *testing.T) {
	t.Parallel()
	own := demo()
	own.Domains = []string{"xn--bcher-kva.example"}
	b := Default().With(own)
	for _, domain := range []string{"bücher.example", "BÜCHER.example.", "xn--bcher-kva.example"} {
		if m, ok := b.Domain(domain); !ok || m.ID != "demo" {
			t.Errorf("%s: %+v, %v", domain, m, ok)
		}
	}
}

func TestSearch(t *testing.T) {
	t.Parallel()
	b := Default()
	first := func(text string, lang locale.Lang) string {
		list := b.Search(text, lang)
		if len(list) == 0 {
			return ""
		}
		return list[0].ID
	}
	for _, tt := range []struct {
		text string
		lang locale.Lang
		want string
	}{
		{"gmail", locale.English, "gmail"},
		{"GMX", locale.German, "gmx-net"},
		{"GMX", locale.French, "gmx-com"},
		{"hotmail.fr", locale.French, "outlook"},
		{"wanadoo", locale.French, "orange"},
		{"la poste", locale.French, "laposte"},
		{"usa.com", locale.English, "mail.com"},
		{"ovh", locale.French, "ovh-emailpro"},
		{"relais", locale.French, "smarthost"},
		{" Infomaniak ", locale.French, "infomaniak"},
		{"no such thing", locale.English, ""},
	} {
		if got := first(tt.text, tt.lang); got != tt.want {
			t.Errorf("%q in %s: %q, want %q", tt.text, tt.lang, got, tt.want)
		}
	}
	empty := b.Search("", locale.French)
	if len(empty) != len(every(t, SourceFlagship)) ||
		slices.ContainsFunc(empty, func(e Entry) bool { return e.Source == SourceISPDB }) {
		t.Errorf("an empty search lists %d providers", len(empty))
	}
}

func TestGetIsSharedAndSafe(t *testing.T) {
	t.Parallel()
	var wg sync.WaitGroup
	got := make([]*Provider, 8)
	for i := range got {
		wg.Go(func() { got[i], _ = Default().Get("bluewin") })
	}
	wg.Wait()
	for _, p := range got {
		if p == nil || p != got[0] {
			t.Fatal("the file was kept twice")
		}
	}
	if _, ok := Default().Get("../flagships/gmail"); ok {
		t.Error("an id is not a path")
	}
}

func TestEndpoints(t *testing.T) {
	t.Parallel()
	get := func(id string) *Provider { p, _ := Default().Get(id); return p }

	smtp, imap := get("o2switch").Servers("a@durand.example")
	if smtp[0].Complete() || !slices.Equal(smtp[0].Ask, []string{"server"}) || smtp[1].Host != "mail.durand.example" ||
		!smtp[1].Complete() {
		t.Errorf("o2switch: %+v", smtp)
	}
	if smtp, _ = get("o2switch").ServersWith("a@durand.example",
		map[string]string{"server": "bissap"}); smtp[0].Host != "bissap.o2switch.net" || len(smtp[0].Ask) > 0 {
		t.Errorf("o2switch answered: %+v", smtp[0])
	}
	if len(imap) != 2 || imap[1].Host != "mail.durand.example" {
		t.Errorf("o2switch IMAP: %+v", imap)
	}

	smtp, _ = get("ovh-exchange").Servers("a@durand.example")
	if smtp[0].Host != "ex{number}.mail.ovh.net" || smtp[0].Complete() {
		t.Errorf("OVH Exchange: %+v", smtp[0])
	}
	smtp, _ = get("ovh-emailpro").Servers("a@durand.example")
	if smtp[0].Host != "pro1.mail.ovh.net" || !smtp[0].Complete() || !slices.Equal(smtp[0].Ask, []string{"number"}) {
		t.Errorf("OVH Email Pro: a default, yet to be confirmed: %+v", smtp[0])
	}
	smtp, _ = get("ses").ServersWith("a@durand.example",
		map[string]string{"region": "us-east-1", "smtp-username": "AKIAX"})
	if smtp[0].Host != "email-smtp.us-east-1.amazonaws.com" || smtp[0].Username != "AKIAX" || len(smtp[0].Ask) > 0 {
		t.Errorf("SES: %+v", smtp[0])
	}

	smtp, imap = get("icloud").Servers("anna@icloud.com")
	if smtp[0].Username != "anna@icloud.com" || imap[0].Username != "anna" {
		t.Errorf("iCloud: %q and %q", smtp[0].Username, imap[0].Username)
	}
	if smtp, _ = get("localhost").Servers("a@b.example"); smtp[0].Port != 25 || smtp[0].Cleartext ||
		smtp[0].Auth != config.MechanismNone {
		t.Errorf("localhost: %+v", smtp)
	}
	if name, ask := get("brevo").Username("a@b.example"); name != "{smtp-login}" ||
		!slices.Equal(ask, []string{"smtp-login"}) {
		t.Errorf("Brevo: %q %v", name, ask)
	}
	if tiscali := get("tiscali"); !slices.Contains(tiscali.Auth, config.MechanismCRAMMD5) {
		t.Errorf("Tiscali: %v", tiscali.Auth)
	}
}

// TestPlaceholdersInAddresses: what a person typed is never read as a placeholder.
func TestPlaceholdersInAddresses(t *testing.T) {
	t.Parallel()
	p := demo()
	p.Ask = []Ask{{Name: "n", Default: "7"}}
	p.UserRule.Rule = "{local}-{n}"
	smtp, _ := p.ServersWith("{n}{domain}@demo.example", map[string]string{"n": "{address}"})
	if smtp[0].Username != "{n}{domain}-{address}" {
		t.Errorf("%q", smtp[0].Username)
	}
	if got := Username("{local}|{domain}|{address}", `"a@b"@c.example`); got != `"a@b"|c.example|"a@b"@c.example` {
		t.Errorf("quoted local part: %s", got)
	}
}
