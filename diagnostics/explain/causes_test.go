package explain

import (
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"postier/internal/check"
	"postier/internal/locale"
	"postier/internal/safetext"
	"postier/presets"
)

func TestCausesAreComplete(t *testing.T) {
	t.Parallel()
	slugForm := regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	codeForm := regexp.MustCompile(`^[A-Z]-[1-9][0-9]{1,2}$`)
	who := []Who{WhoUser, WhoAdmin, WhoProvider, WhoNetwork, WhoServer, WhoDeveloper}
	retry := []Retry{RetryNo, RetryLater, RetryAfterChange, RetryAutomatic}
	severity := []Severity{SeverityFail, SeverityWarn, SeverityInfo, SeveritySkip}
	exits := []int{0, 1, 64, 65, 68, 69, 74, 75, 76, 77, 78, 130}
	steps := []string{
		"", "address", "provider", "server", "prepare", "credential", "submission", "sent", "dns", "test",
		"options",
	}
	fields := []string{
		"", "smtp-host", "smtp-port", "smtp-security", "smtp-auth", "username", "credential", "from", "sent-folder",
		"imap-host", "helo",
	}
	letters := map[string]string{} // of a group
	slugs, numbers := map[check.Cause]bool{}, map[string]bool{}
	for _, c := range Causes() {
		_, number := splitCode(c.Code)
		if slugs[c.Slug] || numbers[number] {
			t.Errorf("%s: slug or code %s doubled", c.Slug, c.Code)
		}
		slugs[c.Slug], numbers[number] = true, true
		if !slugForm.MatchString(string(c.Slug)) || !codeForm.MatchString(c.Code) {
			t.Errorf("%s: slug or code %q of the wrong form", c.Slug, c.Code)
		}
		if letter := c.Code[:1]; letters[c.Group] == "" {
			letters[c.Group] = letter
		} else if letters[c.Group] != letter {
			t.Errorf("%s: letter of group %s is %s", c.Code, c.Group, letters[c.Group])
		}
		if !slices.Contains(who, c.Who) || !slices.Contains(retry, c.Retry) || !slices.Contains(severity, c.Severity) ||
			!slices.Contains(exits, c.Exit) {
			t.Errorf("%s: who %q, retry %q, severity %q, exit %d", c.Slug, c.Who, c.Retry, c.Severity, c.Exit)
		}
		if (c.Severity == SeverityFail) != (c.Exit != 0) && c.Slug != "lockout-guard" {
			t.Errorf("%s: severity %s with exit code %d", c.Slug, c.Severity, c.Exit)
		}
		if !slices.Contains(steps, c.Step) || !slices.Contains(fields, c.Field) {
			t.Errorf("%s: step %q, field %q", c.Slug, c.Step, c.Field)
		}
		checkWords(t, string(c.Slug), c.Text)
		for _, lang := range locale.Written() {
			if w := c.Text[lang]; w.Title == "" || w.Meaning == "" || len(w.Remedy) == 0 {
				t.Errorf("%s %s: title, meaning or remedy missing", c.Slug, lang)
			}
		}
	}
}

// That every check has a page is tested in package diagnostics, which knows the checks.
func TestCheckPagesAreComplete(t *testing.T) {
	t.Parallel()
	for _, c := range Checks() {
		if len(c.Text) != len(locale.Written()) || len(c.Causes) == 0 {
			t.Errorf("%s: %d languages, %d causes", c.ID, len(c.Text), len(c.Causes))
		}
		for _, lang := range locale.Written() {
			w := c.Text[lang]
			if w.Title == "" || w.What == "" || w.Why == "" {
				t.Errorf("%s %s: incomplete", c.ID, lang)
			}
			checkLine(t, string(c.ID), w.Title, 60)
			checkLine(t, string(c.ID), w.What, 300)
			checkLine(t, string(c.ID), w.Why, 300)
		}
		seen := map[string]bool{}
		for _, slug := range c.Causes {
			if _, ok := Cause(slug); !ok || seen[string(slug)] {
				t.Errorf("%s: cause %q unknown or doubled", c.ID, slug)
			}
			seen[string(slug)] = true
		}
	}
}

func TestNoCauseIsUnused(t *testing.T) {
	t.Parallel()
	used := map[string]bool{}
	for _, protocol := range protocols {
		for _, r := range replies(protocol) {
			used[string(r.Cause)] = true
		}
	}
	for _, c := range Checks() {
		for _, slug := range c.Causes {
			used[string(slug)] = true
		}
	}
	for _, c := range Causes() {
		if !used[string(c.Slug)] && len(c.UsedBy) == 0 {
			t.Errorf("%s: neither a reply nor a check leads to it, and used_by names nobody", c.Slug)
		}
	}
}

func TestGeneralAnswersAreComplete(t *testing.T) {
	t.Parallel()
	for name, entries := range map[string]map[string]generalEntry{
		"details": generals().Details, "subjects": generals().Subjects, "replies": generals().Replies,
		"classes":   generals().Classes,
		"responses": generals().Responses, "statuses": generals().Statuses, "layers": generals().Layers,
		"letters": generals().Letters,
	} {
		if len(entries) == 0 {
			t.Errorf("%s: empty", name)
		}
		for code, e := range entries {
			if e.Cause != "" {
				c, ok := Cause(e.Cause)
				if !ok || c.Severity != SeverityFail {
					t.Errorf("%s %s: cause %q is unknown or no failure", name, code, e.Cause)
				}
			} else {
				checkWords(t, name+" "+code, e.Text)
			}
		}
	}
	for _, class := range []string{"2", "3", "4", "5"} {
		if e := generals().Classes[class]; len(e.Text[locale.English].Remedy) == 0 {
			t.Errorf("class %s has no remedy to fall back on", class)
		}
	}
}

func TestLabelsOfWhoAndRetry(t *testing.T) {
	t.Parallel()
	for _, c := range Causes() {
		for _, lang := range locale.Written() {
			if c.Who.Say(lang) == "" || c.Retry.Say(lang) == "" {
				t.Errorf("%s %s: who %q or retry %q has no words", c.Slug, lang, c.Who, c.Retry)
			}
		}
	}
}

func TestEveryDataFileIsRead(t *testing.T) {
	t.Parallel()
	known := regexp.MustCompile(`^data/(causes/[a-z-]+|replies/(smtp|imap|tls|tcp|dns)/[a-z]+|` +
		`general/(enhanced-details|enhanced-subjects|smtp-codes|smtp-classes|imap-response-codes|imap-statuses|layers|password-letters)|checks|labels|providers)\.json$`)
	err := fs.WalkDir(files, "data", func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && !known.MatchString(path) {
			t.Errorf("%s: nothing reads this file", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func TestByCode(t *testing.T) {
	t.Parallel()
	want, _ := Cause("wrong-password")
	_, number := splitCode(want.Code)
	for _, said := range []string{
		want.Code, strings.ToLower(want.Code), "A" + number, "a " + number, number,
		" a-0" + number,
	} {
		if got, ok := ByCode(said); !ok || got.Slug != want.Slug {
			t.Errorf("%q leads to %q, %v", said, got.Slug, ok)
		}
	}
	for _, said := range []string{"", "A", "Z-" + number, "A-9999", "A-1x", "-", "wrong-password", "A--", "٣"} {
		if got, ok := ByCode(said); ok {
			t.Errorf("%q leads to %q", said, got.Slug)
		}
	}
}

// People say codes over the phone and write them down. testdata/codes.txt only ever grows.
func TestCodesNeverChange(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("testdata/codes.txt")
	if err != nil {
		t.Fatal(err)
	}
	given := map[string]string{} // slug by code
	for line := range strings.Lines(string(data)) {
		code, slug, _ := strings.Cut(strings.TrimSpace(line), " ")
		given[code] = slug
		if c, ok := ByCode(code); !ok || string(c.Slug) != slug {
			t.Errorf("%s was given to %s and now leads to %q", code, slug, c.Slug)
		}
	}
	for _, c := range Causes() {
		if given[c.Code] == "" {
			t.Errorf("add the line %q to testdata/codes.txt", c.Code+" "+string(c.Slug))
		}
	}
}

func TestPage(t *testing.T) {
	t.Parallel()
	cause, _ := Cause("cert-expired")
	for _, code := range []string{"cert-expired", " CERT-Expired ", cause.Code, strings.ToLower(cause.Code)} {
		page, ok := Page(code, locale.French)
		if !ok || page.Kind != KindCause || page.ID != "cert-expired" || page.Title != cause.Title(locale.French) {
			t.Errorf("%q: %+v", code, page)
		}
		if !slices.Contains(page.Related, "smtp.certificate") || !slices.Contains(page.Related, "imap.certificate") {
			t.Errorf("%q: related %v", code, page.Related)
		}
	}
	for _, c := range Checks() {
		page, ok := Page(strings.ToUpper(string(c.ID)), locale.German)
		if !ok || page.Kind != KindCheck || page.ID != string(c.ID) || page.Why == "" {
			t.Errorf("%s: %+v", c.ID, page)
		}
	}
	if page, ok := Page("no such thing", locale.English); ok {
		t.Errorf("a page for nothing: %+v", page)
	}
	if near := Near("cert", 3); len(near) != 3 || !strings.HasPrefix(near[0], "cert") {
		t.Errorf("near cert: %v", near)
	}
	if near := Near("", 3); near != nil {
		t.Errorf("near nothing: %v", near)
	}
}

// TestParamsAreThePlaceholders: what a text names can be given, and nothing is given that no text names.
func TestParamsAreThePlaceholders(t *testing.T) {
	t.Parallel()
	known, named := map[string]bool{}, map[string]bool{}
	for name := range (check.Params{}).All() {
		known[name] = true
	}
	for _, c := range Causes() {
		for lang, words := range c.Text {
			for _, placeholder := range placeholders(words.Detail) {
				name := strings.Trim(placeholder, "{}")
				named[name] = true
				if !known[name] {
					t.Errorf("%s %s: no check can give {%s}", c.Slug, lang, name)
				}
			}
		}
	}
	for name := range known {
		if !named[name] {
			t.Errorf("no text names {%s}", name)
		}
	}
}

func TestDetail(t *testing.T) {
	t.Parallel()
	c, _ := Cause("cert-name-mismatch")
	host, names := safetext.FromRemote("mail.a.example"), safetext.FromRemote("{host}\x1b[2J")
	got := c.Detail(locale.English, check.Params{Host: host, Names: names, Days: check.Number(3)})
	if want := `Server: mail.a.example. The certificate is for: {host}\x1b[2J.`; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if long := c.Detail(locale.French,
		check.Params{Host: host, Names: safetext.FromRemote(strings.Repeat("é", 5000))}); len(long) > 400 ||
		!strings.Contains(long, "é …") {
		t.Errorf("%d bytes of detail: %q", len(long), long)
	}
	for _, params := range []check.Params{{}, {Host: host}, {Names: names}} {
		if got := c.Detail(locale.German, params); got != "" {
			t.Errorf("%v: %q, want nothing", params, got)
		}
	}
	for _, c := range Causes() {
		if len(placeholders(c.Text[locale.English].Detail)) == 0 && c.Text[locale.English].Detail != "" {
			t.Errorf("%s: a detail without a placeholder", c.Slug)
		}
		for _, lang := range locale.Written() {
			words := c.Text[lang]
			if text := words.Title + words.Meaning + strings.Join(words.Remedy, ""); strings.ContainsAny(text, "{}") {
				t.Errorf("%s %s: a placeholder outside of the detail", c.Slug, lang)
			}
		}
	}
}

func TestFieldForTheServerThatWasChecked(t *testing.T) {
	t.Parallel()
	c, _ := Cause("connection-refused")
	if smtp, imap := c.FieldFor("smtp.tls"), c.FieldFor("imap.connect"); smtp != "smtp-port" || imap != "imap-port" {
		t.Errorf("fields %q and %q", smtp, imap)
	}
}

// TestNoRemedyContradictsItsRetry: where trying again does not help, no remedy begins by telling to.
func TestNoRemedyContradictsItsRetry(t *testing.T) {
	t.Parallel()
	again := map[locale.Lang]*regexp.Regexp{
		locale.English: regexp.MustCompile(`^(Then |Or )?(?i:try|run|start|send|test|repeat)\b[^;.]* again\b|^Retry\b`),
		locale.French:  regexp.MustCompile(`^(Puis |Ou )?(?i:réessayez|relancez|recommencez|répétez|renvoyez)\b`),
		locale.German: regexp.MustCompile(
			`^(Oder )?(?i:versuchen|starten|senden|wiederholen) Sie [^;.]*(?:\bneu\b|noch einmal|erneut|wieder)`),
	}
	look := func(name string, remedies func(locale.Lang) []string) {
		for lang, pattern := range again {
			for _, step := range remedies(lang) {
				if pattern.MatchString(step) {
					t.Errorf("%s %s: %q, but trying again does not help", name, lang, step)
				}
			}
		}
	}
	for _, c := range Causes() {
		if c.Retry == RetryNo {
			look(string(c.Slug), For(c.Slug).Remedy)
		}
	}
	for code, e := range generals().Statuses {
		if e.Cause == "" && For(check.CauseUnknown).Retry == RetryNo {
			look("IMAP "+code, func(lang locale.Lang) []string { return e.Text[lang].Remedy })
		}
	}
}

// TestVolumeNamesAService (I-7): every cause of too much volume recommends a service that is made for it and that the
// wizard knows, in every language.
func TestVolumeNamesAService(t *testing.T) {
	t.Parallel()
	for _, slug := range []check.Cause{
		check.CauseRateLimited, check.CauseSendingQuotaExceeded, check.CauseOwnLimitReached, check.CauseTooManyRecipients,
	} {
		info, ok := Cause(slug)
		if !ok {
			t.Fatalf("no cause %s", slug)
		}
		for _, lang := range locale.All() {
			remedy := strings.Join(info.Remedy(lang), " ")
			for _, id := range []string{"brevo", "mailjet"} {
				p, known := presets.Default().Get(id)
				name, _, _ := strings.Cut(p.Name, " ")
				if !known || !strings.Contains(remedy, name) {
					t.Errorf("%s, %s: no %s in %q", slug, lang, name, remedy)
				}
			}
		}
	}
}
