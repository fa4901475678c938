package delivery

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"postier/config"
)

// TestLocalAuthors: what the programs of a machine write as the author becomes the profile's address under their name.
func TestLocalAuthors(t *testing.T) {
	t.Parallel()
	for author, name := range map[string]string{
		"root (Cron Daemon)": "Cron Daemon", `"(Cron Daemon)" <root>`: "(Cron Daemon)",
		"mdadm monitoring <root>": "mdadm monitoring", "Logwatch <Logwatch@vm>": "Logwatch",
		"www-data@vm": "www-data (vm)", "smartd daemon <root@localhost>": "smartd daemon", "open <x": "",
	} {
		m, _, text := prepared(t, "From: "+author+"\nTo: anna@customer.example\nSubject: x\n\nx\n", Decision{})
		list, err := m.Header.AddressList("From")
		if err != nil || len(list) != 1 || list[0].Address != from.Address || name != "" && list[0].Name != name {
			t.Errorf("%s: From %v, %v", author, m.Header["From"], err)
		}
		if !strings.Contains(text, "X-Original-From: ") {
			t.Errorf("%s: the author is forgotten", author)
		}
	}
}

func TestLocalRecipients(t *testing.T) {
	t.Parallel()
	aliases := map[string][]string{
		"root": {"owner@durand.example", "ops"}, "ops": {"a@durand.example", "root"}, "*": {"rest@durand.example"},
	}
	for recipient, want := range map[string][]string{
		"root": {"owner@durand.example", "a@durand.example"}, "ROOT@localhost": {"owner@durand.example", "a@durand.example"},
		"www-data": {"rest@durand.example"}, "anna@customer.example": {"anna@customer.example"},
	} {
		if got, _ := resolveLocal(aliases, []string{recipient}, "me@durand.example"); !slices.Equal(got, want) {
			t.Errorf("%s goes to %v, want %v", recipient, got, want)
		}
	}
	if got, local := resolveLocal(nil, []string{"root"}, "me@durand.example"); !slices.Equal(got,
		[]string{"me@durand.example"}) || len(local["root"]) != 1 {
		t.Errorf("without aliases it goes to %v", got)
	}
	m, _, _ := prepared(t, "From: root\nTo: root, Anna <anna@customer.example>\nReply-To: root\n\nx\n",
		Decision{Local: map[string][]string{"root": {"owner@durand.example"}}})
	if to, err := m.Header.AddressList("To"); err != nil || len(to) != 2 || to[0].Address != "owner@durand.example" ||
		m.Header.Get("Reply-To") != "" {
		t.Errorf("%v, %v", m.Header, err)
	}
}

// TestAliasesInCircles: each name leads to all others, which takes forever when each path is followed.
func TestAliasesInCircles(t *testing.T) {
	t.Parallel()
	const names = 60
	aliases := map[string][]string{"n0": {"owner@durand.example"}}
	for i := range names {
		for j := range names {
			aliases[fmt.Sprint("n", i)] = append(aliases[fmt.Sprint("n", i)], fmt.Sprint("n", j))
		}
	}
	if got, _ := resolveLocal(aliases, []string{"n5"}, "me@durand.example"); !slices.Equal(got,
		[]string{"owner@durand.example"}) {
		t.Errorf("%v", got)
	}
	circle := map[string][]string{"a": {"b"}, "b": {"a"}}
	if got, _ := resolveLocal(circle, []string{"a"}, "me@durand.example"); !slices.Equal(got,
		[]string{"me@durand.example"}) {
		t.Errorf("a circle leads to %v", got)
	}
}

// TestHeaderOfOthers: what a program writes into a value never begins a field, and doubled fields are joined or
// dropped.
func TestHeaderOfOthers(t *testing.T) {
	t.Parallel()
	for _, evil := range []string{
		"a\rBcc: evil@x.example", "a\vBcc: evil@x.example", "a\x00b", "a\u0085Bcc: e@x.example",
		"a\u2028Bcc: e@x.example", "a\x1b[2J", "a\x7f",
	} {
		m, _, text := prepared(t, "From: a@b.example\nTo: b@b.example\nSubject: "+evil+"\nX-Other: "+evil+"\n\nbody\n",
			Decision{})
		if m.Header.Get("Bcc") != "" || strings.Contains(text, "\nBcc") || strings.ContainsFunc(text, isControl) {
			t.Errorf("%q became %q", evil, text)
		}
	}
	m, _, _ := prepared(t, "\xef\xbb\xbfFrom x Mon\n>From y Tue\nFrom: a@b.example\nFrom: c@d.example\nTo: x@x.example\n"+
		"To: y@y.example\nSubject: one\nSubject: two\nDate: Mon, 2 Nov 2026 10:00:00 +0100\nDate: Mon, 2 Nov 2026 11:00:00 "+
		"+0100\n"+
		"Message-ID: <a@b.example>\nMessage-ID: <c@b.example>\nX-Postier-Kind: invoice\n\nbody\n", Decision{})
	for _, name := range []string{"From", "To", "Subject", "Date", "Message-Id"} {
		if len(m.Header[name]) != 1 {
			t.Errorf("%s: %q", name, m.Header[name])
		}
	}
	if to, _ := m.Header.AddressList("To"); len(to) != 2 || m.Header.Get("Subject") != "one" ||
		m.Header.Get("X-Postier-Kind") != "" {
		t.Errorf("%v", m.Header)
	}
}

func TestAliasesInTheDecision(t *testing.T) {
	t.Parallel()
	file := &config.File{
		Default: "p", Aliases: map[string][]string{"root": {"owner@durand.example"}},
		Profiles: map[string]*config.Profile{"p": {Enabled: true, From: from}},
	}
	d := Decide(file, Request{Recipients: []string{"root", "www-data@vm"}}, Facts{})
	if !d.Send || !slices.Equal(d.Recipients, []string{"owner@durand.example", from.Address}) {
		t.Errorf("%+v", d)
	}
}
