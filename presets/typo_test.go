package presets

import "testing"

func TestTypo(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]string{
		"gmial.com": "gmail.com", "gamil.com": "gmail.com", "gmal.com": "gmail.com", "gmaill.com": "gmail.com",
		"Gmail.con": "gmail.com",
		"gmail.cmo": "gmail.com", "gmail.co": "gmail.com", "gmail.cm": "gmail.com", "gmail.comm": "gmail.com",
		"gnail.com":  "gmail.com",
		"outlok.com": "outlook.com", "outlook.ocm": "outlook.com", "outllook.fr": "outlook.fr", "hotmial.com": "hotmail.com",
		"hotmal.fr": "hotmail.fr", "hotmali.con": "hotmail.com", "yaho.com": "yahoo.com", "yahooo.fr": "yahoo.fr",
		"yhaoo.de":  "yahoo.de",
		"icoud.com": "icloud.com", "iclould.com": "icloud.com", "ornage.fr": "orange.fr", "wanado.fr": "wanadoo.fr",
		"wandaoo.fr": "wanadoo.fr",
		"fre.fr":     "free.fr", "frree.fr": "free.fr", "laposte.ent": "laposte.net", "gxm.de": "gmx.de", "wbe.de": "web.de",
		"t-onlin.de": "t-online.de",
		"bluewim.ch": "bluewin.ch", "sfr.rf": "sfr.fr", "gmail.com.": "", "gmail..com": "gmail.com",
	} {
		got, ok := Default().Typo(typed)
		if got != want || ok != (want != "") {
			t.Errorf("Typo(%q) = %q, %v, want %q", typed, got, ok, want)
		}
	}
}

// TestNoTypo: known domains, and other names that are close to a popular one.
func TestNoTypo(t *testing.T) {
	t.Parallel()
	for _, domain := range []string{
		"gmail.com", "gmx.fr", "mail.com", "email.com", "ymail.com", "usa.com", "hotmail.com.br", "outdoor.com", "fred.fr",
		"line.fr",
		"durand.example", "gmx.be", "orange.com", "live.co", "zoho.co", "web.at", "sfr.de", "mailbox.com",
		"outlook.at.example",
		"", ".", "com", "gmail", "gmial", "é.fr", "proton.com", "yahoo.com.evil.example",
	} {
		if got, ok := Default().Typo(domain); ok {
			t.Errorf("Typo(%q) = %q", domain, got)
		}
	}
}

// TestPopularDomainsAreKnown: a suggestion must lead somewhere.
func TestPopularDomainsAreKnown(t *testing.T) {
	t.Parallel()
	for _, domain := range popular {
		if _, ok := Lookup(domain); !ok {
			t.Errorf("%s is suggested and not known", domain)
		}
	}
}

func TestTypoObeysTheBook(t *testing.T) {
	t.Parallel()
	own := &Provider{ID: "demo", Name: "Demo", Domains: []string{"gmial.com"}}
	if got, ok := Default().With(own).Typo("gmial.com"); ok {
		t.Errorf("a domain of the caller's own was taken for a slip of %s", got)
	}
}

func TestDistance(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		a, b string
		want int
	}{
		{"gmail", "gmail", 0},
		{"", "", 0},
		{"a", "", 1},
		{"gmial", "gmail", 1},
		{"gmai", "gmail", 1},
		{"gmaill", "gmail", 1},
		{"gnail", "gmail", 1},
		{"gnaul", "gmail", 2},
		{"gm", "gmail", 2},
		{"ab", "ba", 1},
		{"abc", "cba", 2},
		{"aab", "ab", 1},
	} {
		if got := distance(tt.a, tt.b); got != tt.want {
			t.Errorf("distance(%q, %q) = %d, want %d", tt.a, tt.b, got, tt.want)
		}
		if got := distance(tt.b, tt.a); got != tt.want {
			t.Errorf("distance(%q, %q) = %d, want %d", tt.b, tt.a, got, tt.want)
		}
	}
}
