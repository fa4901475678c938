package report

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"

	"postier/config"
	"postier/diagnostics"
	"postier/diagnostics/explain"
	"postier/internal/account"
	"postier/internal/check"
	"postier/internal/locale"
	"postier/internal/safetext"
	"postier/internal/secret"
	"postier/internal/wire"
)

var update = flag.Bool("update", false, "write the golden files anew")

func sample() (Info, []diagnostics.Result) {
	info := Info{
		Version: "0.1.0", Started: time.Date(2026, 11, 21, 20, 0, 0, 0, time.UTC), Took: 412 * time.Millisecond,
		Lang: locale.English,
		Target: account.Target{
			Address: "marie@durand.example", Profile: "durand", Provider: "custom", Secret: secret.New("C4nary-pass"),
			Submission: config.Server{
				Host: "smtp.durand.example", Port: 465, Security: config.SecurityTLS,
				Auth: config.MechanismAuto,
			},
			IMAP: &config.Server{Host: "imap.durand.example", Port: 993, Security: config.SecurityTLS},
		},
	}
	recorder := wire.NewRecorder()
	recorder.Add(wire.Client, "AUTH PLAIN "+wire.Masked)
	recorder.Add(wire.Server, "535 5.7.8 no\x1b[2J")
	return info, []diagnostics.Result{
		{
			ID: check.SMTPTLS, Status: check.Pass, Took: 31 * time.Millisecond,
			Needs: []check.ID{check.NetConnect},
			Evidence: diagnostics.Evidence{diagnostics.TLS{
				Version: "TLS 1.3", Cipher: "TLS_AES_128_GCM_SHA256", TookMS: 30,
			}},
		},
		{
			ID: check.SMTPCertificate, Status: check.Warn, Cause: "cert-soon-expiring", Took: time.Millisecond,
			Fix: []check.Fix{{Kind: "host", Value: "mail.durand.example", Old: "smtp.durand.example"}},
		},
		{
			ID: check.SMTPAuth, Status: check.Fail, Cause: "wrong-password", Took: 53 * time.Millisecond,
			Needs: []check.ID{check.SMTPTLS}, Code: &diagnostics.ReplyCode{Reply: 535, Enhanced: "5.7.8"},
			Evidence: diagnostics.Evidence{diagnostics.Reply{Text: safetext.FromRemote(
				"535-5.7.8 no\x1b[2J\n535 5.7.8 \u202ereally")}},
			Transcript: recorder.Since(0),
		},
		{
			ID: check.SMTPSender, Status: check.Skip, Cause: check.CauseNeedsFailed,
			Needs: []check.ID{check.SMTPAuth},
		},
	}
}

// tokens replaces the catalogue's words by their places in it, so that a golden shows the shape of a report and not the
// wording of the day. Each word must be there.
func tokens(t *testing.T, lang locale.Lang, text string) string {
	t.Helper()
	for _, slug := range []string{"cert-soon-expiring", "wrong-password"} {
		cause, ok := explain.Cause(check.Cause(slug))
		if !ok {
			t.Fatalf("no cause %s", slug)
		}
		words := map[string]string{"title": cause.Title(lang), "code": cause.Code, "meaning": cause.Meaning(lang)}
		for i, step := range cause.Remedy(lang) {
			words[fmt.Sprintf("remedy.%d", i+1)] = step
		}
		for place, word := range words {
			if !strings.Contains(text, word) {
				t.Errorf("%s: %s of %s is missing", lang, place, slug)
			}
			text = strings.ReplaceAll(text, word, "{"+slug+"."+place+"}")
		}
	}
	if cause, ok := explain.Cause(check.CauseNeedsFailed); ok {
		text = strings.NewReplacer(cause.Title(lang), "{needs-failed.title}", cause.Code, "{needs-failed.code}",
			cause.Meaning(lang), "{needs-failed.meaning}").Replace(text)
		for _, step := range cause.Remedy(lang) {
			text = strings.ReplaceAll(text, step, "{needs-failed.remedy}")
		}
	}
	return text
}

func golden(t *testing.T, lang locale.Lang, name, text string) {
	t.Helper()
	got := []byte(tokens(t, lang, text))
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs; got\n%s", path, got)
	}
}

func TestJSONIsTheContracts(t *testing.T) {
	t.Parallel()
	info, results := sample()
	for _, transcript := range []bool{false, true} {
		info.Transcript = transcript
		var out bytes.Buffer
		if err := JSON(&out, info, results); err != nil {
			t.Fatal(err)
		}
		golden(t, locale.English, fmt.Sprintf("report-transcript-%t.json", transcript), out.String())
		if strings.Contains(out.String(), `"transcript"`) != transcript {
			t.Errorf("transcript asked for: %t", transcript)
		}
		var any map[string]any
		if err := json.Unmarshal(out.Bytes(), &any); err != nil {
			t.Error(err)
		}
		noRaw(t, out.String())
	}
}

func TestTextInEveryLanguage(t *testing.T) {
	t.Parallel()
	info, results := sample()
	for _, lang := range locale.All() {
		info.Lang = lang
		info.Verbose, info.Transcript = lang == locale.French, lang == locale.German
		var out bytes.Buffer
		if err := Text(&out, info, results); err != nil {
			t.Fatal(err)
		}
		golden(t, lang, "report-"+string(lang)+".txt", out.String())
		noRaw(t, out.String())
		for line := range strings.Lines(out.String()) {
			if strings.Contains(line, "535") && strings.HasPrefix(line, "535") {
				t.Errorf("remote text at column 0: %q", line)
			}
		}
	}
}

// noRaw asserts that no character is left that could act on a terminal.
func noRaw(t *testing.T, s string) {
	t.Helper()
	for _, r := range s {
		if r != '\n' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r)) {
			t.Errorf("raw %U in the output", r)
		}
	}
}

func TestExitCodeIsTheRootCauses(t *testing.T) {
	t.Parallel()
	failed := func(id check.ID, cause check.Cause) diagnostics.Result {
		return diagnostics.Result{ID: id, Status: check.Fail, Cause: cause}
	}
	for _, test := range []struct {
		name    string
		results []diagnostics.Result
		want    int
		verdict check.Status
	}{
		{"nothing", nil, 0, check.Pass},
		{
			"warning",
			[]diagnostics.Result{{ID: check.SMTPTLS, Status: check.Warn, Cause: "cert-soon-expiring"}},
			0,
			check.Warn,
		},
		{"first counts", []diagnostics.Result{
			failed(check.NetResolve, "dns-nxdomain"),
			failed(check.IMAPAuth, "wrong-password"),
		}, 68, check.Fail},
		{"refused", []diagnostics.Result{failed(check.NetConnect, "connection-refused")}, 69, check.Fail},
		{"unknown delivery", []diagnostics.Result{failed(check.SMTPData, "delivery-unknown")}, 74, check.Fail},
		{"greylisted", []diagnostics.Result{failed(check.SMTPRecipient, "greylisted")}, 75, check.Fail},
		{"injected", []diagnostics.Result{failed(check.SMTPInjection, "tls-injected")}, 76, check.Fail},
		{"password", []diagnostics.Result{failed(check.SMTPAuth, "wrong-password")}, 77, check.Fail},
		{"no row names it", []diagnostics.Result{failed(check.DNSSPF, "spf-missing")}, 1, check.Fail},
		{"stopped", []diagnostics.Result{{
			ID: check.SMTPTLS, Status: check.Skip,
			Cause: check.CauseCancelled,
		}}, 130, check.Fail},
	} {
		if got := ExitCode(test.results); got != test.want {
			t.Errorf("%s: exit %d, want %d", test.name, got, test.want)
		}
		if got := diagnostics.Verdict(test.results); got != test.verdict {
			t.Errorf("%s: verdict %s, want %s", test.name, got, test.verdict)
		}
	}
}

func TestEveryCheckHasANameInEveryLanguage(t *testing.T) {
	t.Parallel()
	for _, lang := range locale.All() {
		for _, id := range check.All() {
			if name := Name(lang, id); strings.HasPrefix(name, "<") || len([]rune(name)) >= nameColumn {
				t.Errorf("%s: %s is %q", lang, id, name)
			}
		}
	}
}

func TestExtensionsAreExplained(t *testing.T) {
	t.Parallel()
	extension := func(keyword, params string) diagnostics.Extension {
		return diagnostics.Extension{Keyword: safetext.FromRemote(keyword), Params: safetext.FromRemote(params)}
	}
	r := diagnostics.Result{
		ID: check.SMTPEhlo, Status: check.Pass,
		Evidence: diagnostics.Evidence{diagnostics.Extensions{
			List: []diagnostics.Extension{extension("SIZE", "1000"), extension("X-ODD\x1b", "")},
		}},
	}
	lines := strings.Join(Lines(Info{Lang: locale.English, Verbose: true}, r), "\n")
	for _, want := range []string{
		"SIZE 1000: largest message accepted, in octets",
		`X-ODD\x1b: an extension of this server`,
	} {
		if !strings.Contains(lines, want) {
			t.Errorf("%q is missing in\n%s", want, lines)
		}
	}
}

// TestDescribeForTheProvider: a service's own steps show for that service alone, and the sentence about the case
// follows.
// TestOwnMessage: no one is asked to edit the test message.
func TestOwnMessage(t *testing.T) {
	t.Parallel()
	edits := regexp.MustCompile("(?i)the subject and|attachments|a link|headers")
	for _, cause := range explain.Causes() {
		r := diagnostics.Result{ID: check.SMTPData, Status: check.Fail, Cause: cause.Slug}
		about := edits.MatchString(strings.Join(cause.Remedy(locale.English), " "))
		if remedy := strings.Join(Describe(locale.English, r).Remedy, " "); edits.MatchString(remedy) {
			t.Errorf("%s: %s", cause.Slug, remedy)
		}
		for _, lang := range locale.All() {
			words := Describe(lang, r)
			if says := strings.HasSuffix(words.Meaning, locale.For(lang).T("checks.own-message")); says != about {
				t.Errorf("%s in %s: %s", cause.Slug, lang, words.Meaning)
			}
		}
	}
}

func TestDescribeForTheProvider(t *testing.T) {
	t.Parallel()
	remedy := func(provider string) string {
		answer := explain.Match(explain.Query{
			Protocol: explain.SMTP, Code: "534", Enhanced: "5.7.9",
			Text: "Application-specific password required.", Provider: provider,
		})
		if answer.Cause != "app-password-required" || answer.Reply == "" {
			t.Fatalf("%+v", answer)
		}
		return strings.Join(Describe(locale.English, diagnostics.Result{
			ID: check.SMTPAuth, Status: check.Fail, Cause: answer.Cause, Answer: answer,
		}).Remedy, " ")
	}
	own, other := remedy("gmail"), remedy("demo")
	if !strings.Contains(own, "Google") || strings.Contains(other, "Google") || other == "" {
		t.Errorf("gmail: %s\ndemo: %s", own, other)
	}
	words := Describe(locale.English, diagnostics.Result{
		Cause: "cert-name-mismatch",
		Params: check.Params{
			Host: safetext.FromRemote("smtp.a.example"), Names: safetext.FromRemote("mail.b.example"),
		},
	})
	if !strings.Contains(words.Meaning, "smtp.a.example") {
		t.Errorf("the case is not told: %s", words.Meaning)
	}
}

// TestExitOfTransient: a cause that says no more than "failed" is "try again later" when the reply was transient.
func TestExitOfTransient(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		cause string
		code  *diagnostics.ReplyCode
		want  int
	}{
		{"unknown", nil, 1},
		{"unknown", &diagnostics.ReplyCode{Reply: 550, Enhanced: "5.7.1"}, 1},
		{"unknown", &diagnostics.ReplyCode{Reply: 451, Enhanced: "4.7.1"}, 75},
		{"unknown", &diagnostics.ReplyCode{Enhanced: "4.7.1"}, 75},
		{"wrong-password", &diagnostics.ReplyCode{Reply: 454}, 77},
	} {
		if got := ExitOf(diagnostics.Result{Status: check.Fail, Cause: check.Cause(c.cause), Code: c.code}); got != c.want {
			t.Errorf("%s %+v: exit %d, want %d", c.cause, c.code, got, c.want)
		}
	}
}
