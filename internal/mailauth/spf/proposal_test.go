package spf_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"postier/internal/mailauth/lookup"
	"postier/internal/mailauth/spf"
)

// TestNothingIsDroppedSilently: each term of a record is in the proposal, or a change says what became of it.
func TestNothingIsDroppedSilently(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		old     []string // a | marks where a character string ends
		want    string
		changes string // KIND FROM>TO, joined with "; "
	}{
		{"nothing to do", []string{"v=spf1 mx -all"}, "v=spf1 mx -all", ""},
		{
			"bare network",
			[]string{"v=spf1 2602:fd3f:0:ff06::/64 ~all"},
			"v=spf1 ip6:2602:fd3f:0:ff06::/64 ~all",
			"address 2602:fd3f:0:ff06::/64>ip6:2602:fd3f:0:ff06::/64",
		},
		{
			"address in brackets",
			[]string{"v=spf1 ip6:[2001:db8::1] ~all"},
			"v=spf1 ip6:2001:db8::1 ~all",
			"address ip6:[2001:db8::1]>ip6:2001:db8::1",
		},
		{
			"other family",
			[]string{"v=spf1 ip6:192.0.2.1 -all"},
			"v=spf1 ip4:192.0.2.1 -all",
			"address ip6:192.0.2.1>ip4:192.0.2.1",
		},
		{
			"address after a",
			[]string{"v=spf1 a:192.0.2.1 ?include:192.0.2.0/24 -all"},
			"v=spf1 ip4:192.0.2.1 ?ip4:192.0.2.0/24 -all", "address a:192.0.2.1>ip4:192.0.2.1; " +
				"address ?include:192.0.2.0/24>?ip4:192.0.2.0/24",
		},
		{
			"name after ip4",
			[]string{"v=spf1 ip4:mail.a.example -all"},
			"v=spf1 a:mail.a.example -all",
			"address ip4:mail.a.example>a:mail.a.example",
		},
		{
			"mask",
			[]string{"v=spf1 ip4:192.0.2.0/255.255.255.0 -all"},
			"v=spf1 ip4:192.0.2.0/24 -all",
			"address ip4:192.0.2.0/255.255.255.0>ip4:192.0.2.0/24",
		},
		{
			"broken mask",
			[]string{"v=spf1 ip4:192.0.2.0/255.0.255.0 -all"},
			"v=spf1 -all",
			"unclear ip4:192.0.2.0/255.0.255.0>",
		},
		{"broken address", []string{"v=spf1 ip4:192.0.2.1.5 mx -all"}, "v=spf1 mx -all", "unclear ip4:192.0.2.1.5>"},
		{"address cut short", []string{"v=spf1 ip4:192.0.2 mx -all"}, "v=spf1 mx -all", "unclear ip4:192.0.2>"},
		{"prefix too long", []string{"v=spf1 ip4:192.0.2.0/33 -all"}, "v=spf1 -all", "unclear ip4:192.0.2.0/33>"},
		{
			"unknown mechanisms",
			[]string{"v=spf1 hello foo:bar mx -all"},
			"v=spf1 mx -all",
			"unclear hello>; unclear foo:bar>",
		},
		{
			"known slips",
			[]string{"v=spf1 ip:192.0.2.1 ipv6:2001:db8::1 include=a.example -all"},
			"v=spf1 ip4:192.0.2.1 ip6:2001:db8::1 include:a.example -all", "spelling ip:192.0.2.1>ip4:192.0.2.1; " +
				"spelling ipv6:2001:db8::1>ip6:2001:db8::1; spelling include=a.example>include:a.example",
		},
		{"en dash", []string{"v=spf1 mx –all"}, "v=spf1 mx -all", "typography –all>-all"},
		{
			"em dash, minus, tilde",
			[]string{"v=spf1 mx —ptr −ip4:192.0.2.1 ∼all"},
			"v=spf1 mx -ptr -ip4:192.0.2.1 ~all",
			"typography —ptr>-ptr; typography −ip4:192.0.2.1>-ip4:192.0.2.1; typography ∼all>~all",
		},
		{
			"dash of windows-1252",
			[]string{"v=spf1 mx \x96all"},
			"v=spf1 mx -all",
			"typography v=spf1 mx \x96all>v=spf1 mx -all",
		},
		{"no-break space", []string{"v=spf1 mx\u00a0-all"}, "v=spf1 mx -all", "separator \u00a0> "},
		{"two dashes", []string{"v=spf1 mx --all"}, "v=spf1 mx -all", "spelling --all>-all"},
		{
			"missing space",
			[]string{"v=spf1 ip4:203.0.113.7~all"},
			"v=spf1 ip4:203.0.113.7 ~all",
			"missing-space ip4:203.0.113.7~all>ip4:203.0.113.7 ~all",
		},
		{
			"missing space after a name",
			[]string{"v=spf1 include:a.example-all"},
			"v=spf1 include:a.example -all",
			"missing-space include:a.example-all>include:a.example -all",
		},
		{"missing space after the version", []string{"v=spf1mx -all"}, "v=spf1 mx -all", "missing-space v=spf1mx>v=spf1 mx"},
		{
			"missing space between names",
			[]string{"v=spf1 include:a.exampleinclude:b.example -all"},
			"v=spf1 include:a.example include:b.example -all",
			"missing-space include:a.exampleinclude:b.example>include:a.example include:b.example",
		},
		{
			"strings joined",
			[]string{"v=spf1 ip4:192.0.2.1|include:a.example ~all"},
			"v=spf1 ip4:192.0.2.1 include:a.example ~all",
			"joined-strings ip4:192.0.2.1include:a.example>ip4:192.0.2.1 include:a.example",
		},
		{
			"strings joined before a short term",
			[]string{"v=spf1 ip4:192.0.2.1|mx a ~all"},
			"v=spf1 ip4:192.0.2.1 mx a ~all", "joined-strings ip4:192.0.2.1mx>ip4:192.0.2.1 mx",
		},
		{
			"strings joined between names",
			[]string{"v=spf1 include:a.example|include:b.example ~all"},
			"v=spf1 include:a.example include:b.example ~all",
			"joined-strings include:a.exampleinclude:b.example>include:a.example include:b.example",
		},
		{
			"strings that belong together",
			[]string{"v=spf1 include:long.a.ex|ample ~all"},
			"v=spf1 include:long.a.example ~all", "",
		},
		{
			"space in a term",
			[]string{"v=spf1 include: a.example ip4: 192.0.2.1 - all"},
			"v=spf1 include:a.example ip4:192.0.2.1 -all", "extra-space include: a.example>include:a.example; " +
				"extra-space ip4: 192.0.2.1>ip4:192.0.2.1; extra-space - all>-all",
		},
		{
			"commas",
			[]string{"v=spf1 ip4:192.0.2.1,192.0.2.2, mx -all"},
			"v=spf1 ip4:192.0.2.1 ip4:192.0.2.2 mx -all",
			"separator ip4:192.0.2.1,192.0.2.2,>ip4:192.0.2.1 192.0.2.2; address 192.0.2.2>ip4:192.0.2.2",
		},
		{"semicolons", []string{"v=spf1; mx; -all;"}, "v=spf1 mx -all", "separator ;> "},
		{"several all", []string{"v=spf1 mx -all ~all"}, "v=spf1 mx -all", "several-all ~all>"},
		{"all for everyone", []string{"v=spf1 mx +all"}, "v=spf1 mx ~all", "open-all +all>~all"},
		{"no all", []string{"v=spf1 mx"}, "v=spf1 mx ~all", "open-all >~all"},
		{"terms after all", []string{"v=spf1 -all mx"}, "v=spf1 mx -all", "after-all mx>mx"},
		{
			"redirect next to all",
			[]string{"v=spf1 mx redirect=a.example -all"},
			"v=spf1 mx -all",
			"no-effect redirect=a.example>",
		},
		{
			"two redirects",
			[]string{"v=spf1 redirect=a.example redirect=b.example"},
			"v=spf1 include:b.example redirect=a.example", "redirect-as-include redirect=b.example>include:b.example",
		},
		{
			"two explanations",
			[]string{"v=spf1 -all exp=a.example exp=b.example"},
			"v=spf1 -all exp=a.example",
			"no-effect exp=b.example>",
		},
		{"two versions", []string{"v=spf1 v=spf1 mx -all"}, "v=spf1 mx -all", "no-effect v=spf1>"},
		{
			"two records that differ",
			[]string{"v=spf1 mx -all", "v=spf1 a ~all"},
			"v=spf1 mx a ~all",
			"different-all -all>~all",
		},
		{
			"two records, one redirects",
			[]string{"v=spf1 mx -all", "v=spf1 redirect=b.example"},
			"v=spf1 mx include:b.example -all", "redirect-as-include redirect=b.example>include:b.example",
		},
		{"unknown modifier", []string{"v=spf1 mx x=y -all"}, "v=spf1 mx -all x=y", ""},
		{
			"macros",
			[]string{"v=spf1 exists:%{i}._spf.%{d2} include:%{d}.a.example -all"},
			"v=spf1 exists:%{i}._spf.%{d2} include:%{d}.a.example -all", "",
		},
	} {
		var old []lookup.Text
		for _, record := range c.old {
			text := lookup.Text{}
			for i, part := range strings.Split(record, "|") {
				if i > 0 {
					text.Breaks = append(text.Breaks, len(text.Value))
				}
				text.Value += part
			}
			old = append(old, text)
		}
		got := spf.Propose(old, spf.Need{})
		var changes []string
		for _, change := range got.Changes {
			changes = append(changes, fmt.Sprintf("%s %s>%s", change.Kind, change.From, change.To))
		}
		if text := strings.Join(changes, "; "); got.Record != c.want || text != c.changes {
			t.Errorf("%s\n got %q, %q\nwant %q, %q", c.name, got.Record, text, c.want, c.changes)
		}
	}
}

// FuzzProposeKeeps: whatever stands in a record, the proposal can be read, and proposing again changes nothing.
func FuzzProposeKeeps(f *testing.F) {
	for _, text := range []string{
		"v=spf1 mx –all", "v=spf1 ip4:1.2.3.4~all", "v=spf1 a:b.c,d.e -all", "v=spf1 \xff\x96all", "v=spf1 - all +", "v=spf1",
	} {
		f.Add(text, 9)
	}
	f.Fuzz(func(t *testing.T, text string, at int) {
		breaks := []int{at}
		if at <= 0 || at >= len(text) {
			breaks = nil
		}
		got := spf.Propose([]lookup.Text{{Value: text, Breaks: breaks}}, spf.Need{})
		if faults := spf.Parse(got.Record).Faults; len(faults) > 0 {
			t.Errorf("%q becomes %q: %+v", text, got.Record, faults)
		}
		again := spf.Propose([]lookup.Text{{Value: got.Record}}, spf.Need{})
		if again.Record != got.Record ||
			slices.ContainsFunc(again.Changes, func(c spf.Change) bool { return c.To != c.From }) {
			t.Errorf("%q becomes %q, then %q: %+v", text, got.Record, again.Record, again.Changes)
		}
	})
}
