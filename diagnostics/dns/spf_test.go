package dns_test

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"postier/diagnostics"
	"postier/diagnostics/dns"
	"postier/internal/check"
	"postier/internal/locale"
)

// spfFindings are slips in SPF records and the record that is offered for each.
func spfFindings() []finding {
	const name = "example.com. IN TXT "
	offered := func(record string) string { return "example.com " + record }
	return []finding{
		{
			"strings joined", provider + name + `"v=spf1 include:spf.provider.test" "ip4:192.0.2.1 -all"`, nil, check.DNSSPF,
			check.Fail, check.CauseSPFSyntax, offered("v=spf1 include:spf.provider.test ip4:192.0.2.1 -all"),
		},
		{
			"names joined", provider + name + `"v=spf1 include:spf.provider.test" "include:b.test -all"`, nil, check.DNSSPF,
			check.Fail, check.CauseSPFIncludeBroken, offered("v=spf1 include:spf.provider.test include:b.test -all"),
		},
		{
			"all glued to a name", provider + name + `"v=spf1 include:spf.provider.test-all"`, nil, check.DNSSPF,
			check.Fail, check.CauseSPFIncludeBroken, offered("v=spf1 include:spf.provider.test -all"),
		},
		{
			"a broken address", provider + name + `"v=spf1 ip4:192.0.2.1.5 include:spf.provider.test -all"`, nil, check.DNSSPF,
			check.Fail, check.CauseSPFSyntax, "",
		},
		{
			"several, one with nonsense", provider + name + `"v=spf1 hello -all"` + "\n" + name + `"v=spf1 mx -all"`, nil,
			check.DNSSPF, check.Fail, check.CauseSPFMultiple, "",
		},
		{
			"after all", provider + name + `"v=spf1 mx include:spf.provider.test -all ip4:192.0.2.1"`, nil, check.DNSSPF,
			check.Warn, check.CauseSPFIdle, offered("v=spf1 mx include:spf.provider.test ip4:192.0.2.1 -all"),
		},
		{
			"redirect next to all", provider + name + `"v=spf1 include:spf.provider.test redirect=spf.provider.test -all"`, nil,
			check.DNSSPF, check.Warn, check.CauseSPFIdle, offered("v=spf1 include:spf.provider.test -all"),
		},
		{
			"mechanism as a modifier", provider + name + `"v=spf1 include:spf.provider.test include=b.test -all"`, nil,
			check.DNSSPF, check.Warn, check.CauseSPFIdle, offered("v=spf1 include:spf.provider.test include:b.test -all"),
		},
		{
			"a typographic dash", provider + name + `"v=spf1 include:spf.provider.test \226\128\147all"`, nil, check.DNSSPF,
			check.Fail, check.CauseSPFSyntax, offered("v=spf1 include:spf.provider.test -all"),
		},
	}
}

// TestWhatIsLeftOut: where a record cannot be offered, the sentence names every term whose meaning is not clear, and
// the evidence says what was changed.
func TestWhatIsLeftOut(t *testing.T) {
	t.Parallel()
	results := run(t, provider+`example.com. IN TXT "v=spf1 ip4:192.0.2.1.5 ip:192.0.2.7 hello -all"`, target(),
		dns.Options{})
	r, _ := diagnostics.Find(results, check.DNSSPF)
	if r.Params.Token.Raw() != "ip4:192.0.2.1.5 hello" || r.Params.Position.Raw() != "8" || len(r.Fix) != 0 {
		t.Errorf("%+v %+v", r.Params, r.Fix)
	}
	text := evidenceText(t, r)
	for _, want := range []string{
		`"change":"unclear","from":"hello","to":""`, `"change":"spelling","from":"ip:192.0.2.7","to":"ip4:192.0.2.7"`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%s is not in %s", want, text)
		}
	}
}

// TestChangesHaveWords: each change has its words in every language.
func TestChangesHaveWords(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("../../internal/mailauth/spf/proposal.go")
	if err != nil {
		t.Fatal(err)
	}
	kinds := regexp.MustCompile(`Change\w+ +ChangeKind = "(.*?)"`).FindAllStringSubmatch(string(source), -1)
	if len(kinds) < 10 {
		t.Fatalf("%d kinds", len(kinds))
	}
	for _, kind := range kinds {
		for _, lang := range []locale.Lang{locale.English, locale.French, locale.German} {
			if !locale.For(lang).Has("checks.evidence.spf-change." + kind[1]) {
				t.Error(fmt.Sprint(lang, " has no words for ", kind[1]))
			}
		}
	}
}
