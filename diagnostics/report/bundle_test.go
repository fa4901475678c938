package report

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"golang.org/x/net/html"

	"postier/config"
	"postier/diagnostics"
	"postier/internal/locale"
	"postier/internal/safetext"
	"postier/internal/secret"
)

var formats = []Format{Markdown, HTML, JSONFile}

func bundle(t *testing.T, mask *Mask, more ...diagnostics.Observation) Bundle {
	t.Helper()
	info, results := sample()
	info.Steps = map[string]int{"smtp": 6}
	results[2].Evidence = append(results[2].Evidence, more...)
	profile := &config.Profile{
		From: config.Address{Address: "marie@durand.example"}, Provider: "custom", Enabled: true,
		Submission: config.Server{Host: "smtp.durand.example", Port: 465, Security: config.SecurityTLS, Username: "marie"},
		Credential: config.Credential{
			Kind: config.CredentialCommand, Command: []string{"/usr/bin/pass", "hidden-entry"},
			Path: "/hidden/path",
		},
	}
	return NewBundle(info, results, System{OS: "linux", Arch: "amd64", Terminal: "xterm\x1b[2J", Locale: "en"},
		SettingsOf(profile), mask)
}

func render(t *testing.T, b Bundle, f Format) string {
	t.Helper()
	out, err := b.Render(f)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range string(out) {
		if r != '\n' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r)) {
			t.Fatalf("%s: raw %U", f, r)
		}
	}
	return string(out)
}

func TestBundleHoldsWhatIsListedAndNothingElse(t *testing.T) {
	t.Parallel()
	for _, f := range formats {
		out := render(t, bundle(t, nil), f)
		for _, want := range []string{
			"smtp.durand.example", "postier", "0.1.0", "linux", "command", "AUTH PLAIN ***",
			"wrong-password",
		} {
			if f != JSONFile && want == "wrong-password" {
				want = "A-14"
			}
			if !strings.Contains(out, want) {
				t.Errorf("%s: %q is missing", f, want)
			}
		}
		for _, hidden := range []string{"hidden-entry", "/hidden/path", "/usr/bin/pass", "C4nary"} {
			if strings.Contains(out, hidden) {
				t.Errorf("%s holds %q", f, hidden)
			}
		}
	}
	var decoded map[string]any
	if err := json.Unmarshal([]byte(render(t, bundle(t, nil), JSONFile)), &decoded); err != nil ||
		decoded["kind"] != "support-bundle" {
		t.Errorf("%v %v", err, decoded["kind"])
	}
}

// TestSecretIsReplaced plants the secret in the evidence, in every encoding: no bundle shows it.
func TestSecretIsReplaced(t *testing.T) {
	t.Parallel()
	info, _ := sample()
	for _, form := range info.Target.Secret.Forms(info.Target.Address, info.Target.Submission.Username) {
		for _, f := range formats {
			out := render(t, bundle(t, nil, diagnostics.Reply{Text: safetext.FromRemote("no such password: " + form)}), f)
			if !strings.Contains(out, "no such password: ***") {
				t.Errorf("%s: %q was not replaced", f, form)
			}
		}
	}
}

// TestCanary plants the secret where nothing replaces it: the bundle must refuse to finish.
func TestCanary(t *testing.T) {
	t.Parallel()
	info, _ := sample()
	planted := 0
	for _, form := range info.Target.Secret.Forms(info.Target.Address, info.Target.Submission.Username) {
		if form == info.Target.Secret.Reveal() {
			continue // TestOrdinaryWord has it
		}
		for _, f := range formats {
			b := bundle(t, nil)
			b.System.Terminal = form
			if _, err := b.Render(f); !errors.Is(err, ErrCanary) {
				t.Errorf("%s: %q went through: %v", f, form, err)
			}
			planted++
		}
	}
	if planted < 20 {
		t.Errorf("only %d were planted", planted)
	}
	if _, err := bundle(t, nil).Render("pdf"); !errors.Is(err, ErrFormat) {
		t.Errorf("pdf: %v", err)
	}
}

// TestOrdinaryWord: a password that is a word of the report's own or of the settings does not cost the report. In what
// a server said it is replaced, and another form of the word still ends the report.
func TestOrdinaryWord(t *testing.T) {
	t.Parallel()
	for _, word := range []string{"server", "password", "durand", "really"} {
		for _, f := range formats {
			info, results := sample()
			info.Target.Secret = secret.New(word)
			b := NewBundle(info, results, System{}, bundle(t, nil).Settings, nil)
			out, err := b.Render(f)
			if err != nil {
				t.Fatalf("%s: %q: %v", f, word, err)
			}
			switch found := bytes.Contains(out, []byte(word)); {
			case found != b.Common(f):
				t.Errorf("%s: %q stands there: %v, a word of the report: %v", f, word, found, b.Common(f))
			case word == "really" && found, word == "durand" && !found:
				t.Errorf("%s: %q stands there: %v", f, word, found)
			}
			hidden := b.Hide(out, f)
			if bytes.Contains(hidden, []byte(word)) || f == JSONFile && !json.Valid(hidden) {
				t.Errorf("%s: %q is not hidden", f, word)
			}
			b.System.Terminal = hex.EncodeToString([]byte(word))
			if _, err := b.Render(f); !errors.Is(err, ErrCanary) {
				t.Errorf("%s: %q in hexadecimal went through: %v", f, word, err)
			}
		}
	}
}

func TestMask(t *testing.T) {
	t.Parallel()
	mask := func() *Mask {
		return NewMask([]string{"durand.example", "gmail.com"}, []string{"durand", "marie", "x"},
			func(d string) bool { return d == "gmail.com" })
	}
	for in, want := range map[string]string{
		"marie@durand.example and MARIE@Durand.Example":  "address-1@domain-1 and address-1@domain-1",
		"rcpt <paul@gmail.com>: 550":                     "rcpt <address-1@gmail.com>: 550",
		"smtp.durand.example. 300 IN A 192.0.2.7":        "smtp.domain-1. 300 IN A ip-1",
		"v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::1 -all":   "v=spf1 ip4:ip-2/24 ip6:ip-1 -all",
		"127.0.0.1 ::1 0.0.0.0 20:00:00 TLS 1.3 5.7.8":   "127.0.0.1 ::1 0.0.0.0 20:00:00 TLS 1.3 5.7.8",
		"user marie, profile durand, mariette, x":        "user name-2, profile name-1, mariette, x",
		"marie marie marie":                              "name-1 name-1 name-1",
		"durand.example.evil.example":                    "domain-1.evil.example",
		"999.1.2.3 is none":                              "999.1.2.3 is none",
		"jos\u00e9@durand.example":                       "address-1@domain-1",
		"v=DMARC1; rua=mailto:reports@durand.example":    "v=DMARC1; rua=mailto:address-1@domain-1",
		"[IPv6:2001:db8::1] 192.0.2.7 192.0.2.7 1.2.3.4": "[IPv6:ip-1] ip-2 ip-2 ip-3",
	} {
		if got := mask().Text(in); got != want {
			t.Errorf("%s\n got %s\nwant %s", in, got, want)
		}
	}
	for _, f := range formats {
		out := render(t, bundle(t, mask()), f)
		if regexp.MustCompile(`(?i)marie|durand`).MatchString(out) {
			t.Errorf("%s names the person: %s", f, regexp.MustCompile(`(?i).*(marie|durand).*`).FindString(out))
		}
	}
}

// TestMarkdownFences: a server cannot end the fence that its words stand in.
func TestMarkdownFences(t *testing.T) {
	t.Parallel()
	out := render(t, bundle(t, nil, diagnostics.Reply{Text: safetext.FromRemote("550 no\n``````\n# All is well\n~~~~")}),
		Markdown)
	fence := ""
	for line := range strings.Lines(out) {
		line = strings.TrimRight(line, "\n")
		switch {
		case fence == "" && strings.HasPrefix(line, "```"):
			fence = strings.TrimSuffix(line, "text")
		case line == fence:
			fence = ""
		case fence == "" && line != "" && !strings.HasPrefix(line, "# Report for support") && !strings.HasPrefix(line, "## "):
			t.Errorf("outside a fence: %q", line)
		case fence != "" && strings.Contains(line, fence):
			t.Errorf("a fence inside: %q", line)
		}
	}
	if fence != "" {
		t.Error("a fence stays open")
	}
}

// TestHTMLHasOnlyText: whatever a server says becomes text, never an element or attribute.
func TestHTMLHasOnlyText(t *testing.T) {
	t.Parallel()
	evil := `550 <script>alert(1)</script><img src=x onerror=alert(1)>"'><a href="https://evil.example">x</a>]]>--></pre></code>`
	out := render(t, bundle(t, nil, diagnostics.Reply{Text: safetext.FromRemote(evil)}), HTML)
	if !strings.Contains(out, `content="default-src 'none'"`) {
		t.Error("no policy")
	}
	doc, err := html.Parse(strings.NewReader(out))
	if err != nil {
		t.Fatal(err)
	}
	allowed := map[string]bool{
		"html": true, "head": true, "meta": true, "title": true, "body": true, "h1": true,
		"h2": true, "table": true, "tbody": true, "tr": true, "th": true, "td": true, "pre": true, "code": true,
	}
	var text bytes.Buffer
	for n := range doc.Descendants() {
		switch n.Type {
		case html.ElementNode:
			if !allowed[n.Data] {
				t.Errorf("element %s", n.Data)
			}
			for _, a := range n.Attr {
				if strings.HasPrefix(a.Key, "on") || a.Key == "src" || a.Key == "href" || a.Key == "style" {
					t.Errorf("attribute %s", a.Key)
				}
			}
			if (n.Data == "td" || n.Data == "th" || n.Data == "code") && n.FirstChild != nil &&
				(n.FirstChild != n.LastChild || n.FirstChild.Type != html.TextNode) {
				t.Errorf("%s holds more than one text", n.Data)
			}
		case html.TextNode:
			text.WriteString(n.Data)
		case html.CommentNode:
			t.Error("a comment")
		}
	}
	if !strings.Contains(text.String(), safetext.Escape("<script>alert(1)</script>")) {
		t.Error("what the server said is gone")
	}
}

func TestBundleSpeaksEveryLanguage(t *testing.T) {
	t.Parallel()
	for _, lang := range locale.All() {
		info, results := sample()
		info.Lang, info.Steps = lang, map[string]int{"smtp": 6}
		out := render(t, NewBundle(info, results, System{}, nil, nil), Markdown)
		if strings.Contains(out, "<diagnose.") || strings.Contains(out, "<checks.") {
			t.Errorf("%s: a message is missing", lang)
		}
	}
}
