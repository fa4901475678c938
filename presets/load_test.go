package presets

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"postier/config"
	"postier/internal/locale"
)

// parsed holds all files of a source, read once for all tests.
var parsed = map[Source]func() ([]*Provider, error){
	SourceFlagship: sync.OnceValues(func() ([]*Provider, error) { return parseAll(SourceFlagship) }),
	SourceISPDB:    sync.OnceValues(func() ([]*Provider, error) { return parseAll(SourceISPDB) }),
}

func parseAll(source Source) ([]*Provider, error) {
	names, err := fs.Glob(files, "data/"+folder(source)+"/*.json")
	if err != nil {
		return nil, err
	}
	var out []*Provider
	var faults []error
	for _, name := range names {
		f, err := files.Open(name)
		if err != nil {
			return nil, err
		}
		p, err := Parse(f)
		_ = f.Close()
		if err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", name, err))
			continue
		}
		p.source = source
		out = append(out, p)
	}
	return out, errors.Join(faults...)
}

// every returns the providers of one source, straight from their files.
func every(t *testing.T, source Source) []*Provider {
	t.Helper()
	list, err := parsed[source]()
	if err != nil {
		t.Fatal(err)
	}
	return slices.Clone(list)
}

func TestEveryFileIsValid(t *testing.T) {
	t.Parallel()
	for _, source := range []Source{SourceFlagship, SourceISPDB} {
		if len(every(t, source)) == 0 {
			t.Errorf("no provider in %s", source)
		}
	}
}

func TestEveryProviderIsComplete(t *testing.T) {
	t.Parallel()
	for _, p := range append(every(t, SourceFlagship), every(t, SourceISPDB)...) {
		if p.UserRule.Note.Empty() || p.PasswordAuth.Fact.Empty() || p.PasswordAuth.Status == "" {
			t.Errorf("%s: a person would read nothing about user name or password", p.ID)
		}
		if p.Checked == "" || len(p.Sources) == 0 || len(p.Countries) == 0 {
			t.Errorf("%s: lacks day of checking, sources or countries", p.ID)
		}
		if _, impossible := p.Impossible(); len(p.SMTP) == 0 && !impossible && p.source == SourceFlagship {
			t.Errorf("%s: no server, and not said to be impossible", p.ID)
		} else if impossible == p.WayOut.Empty() {
			t.Errorf("%s: impossible %v, but way out %q", p.ID, impossible, p.WayOut[locale.English])
		}
		if p.Kind == KindMailbox && len(p.IMAP) > 0 && len(p.SentFolders) == 0 {
			t.Errorf("%s: IMAP without names of Sent folders", p.ID)
		}
		for i, s := range p.SMTP {
			if s.Security == config.SecurityNone && p.source == SourceFlagship && p.Kind != KindRelay {
				t.Errorf("%s: smtp[%d] is unencrypted", p.ID, i)
			}
		}
	}
}

func TestGuidesAskForTheLabel(t *testing.T) {
	t.Parallel()
	for _, p := range every(t, SourceFlagship) {
		for _, lang := range locale.All() {
			steps := p.Steps(lang, "Crésus")
			if p.NeedsAppPassword == NeedYes && len(steps) == 0 {
				t.Errorf("%s: an app password is needed and there is no guide in %s", p.ID, lang)
			}
			if p.Kind == KindTransactional && len(steps) == 0 {
				t.Errorf("%s: no way to the key in %s", p.ID, lang)
			}
			text := strings.Join(steps, "\n")
			if strings.Contains(text, "{") || strings.Contains(strings.ToLower(text), "postier") {
				t.Errorf("%s: a placeholder or a fixed product name is left in %s:\n%s", p.ID, lang, text)
			}
		}
	}
	gmail, _ := Default().Get("gmail")
	if steps := strings.Join(gmail.Steps(locale.German, "Crésus"), " "); !strings.Contains(steps, "Namen Crésus") {
		t.Errorf("the calling program's name is not the label: %s", steps)
	}
}

func TestSourcesAreNamed(t *testing.T) {
	t.Parallel()
	names := Sources()
	if len(names) == 0 {
		t.Fatal("no sources")
	}
	for _, p := range append(every(t, SourceFlagship), every(t, SourceISPDB)...) {
		lists := [][]string{p.Sources, p.PasswordAuth.Sources}
		for _, l := range p.Limits {
			lists = append(lists, l.Sources)
		}
		for _, k := range p.KnownErrors {
			lists = append(lists, k.Sources)
		}
		for _, d := range p.Dated {
			lists = append(lists, d.Sources)
		}
		if p.Lockout != nil {
			lists = append(lists, p.Lockout.Sources)
		}
		for _, trust := range p.Trust {
			lists = append(lists, trust.Sources)
		}
		for _, list := range lists {
			for _, key := range list {
				if names[key] == "" {
					t.Errorf("%s: source %q is not in data/sources.json", p.ID, key)
				}
			}
		}
	}
}

// TestDomainsBelongToOne also keeps the two sources apart: what the second source shares with a flagship must be
// marked.
func TestDomainsBelongToOne(t *testing.T) {
	t.Parallel()
	owner := map[string]string{}
	for _, p := range every(t, SourceFlagship) {
		for _, d := range p.Domains {
			if other := owner[d]; other != "" {
				t.Errorf("%s belongs to %s and %s", d, other, p.ID)
			}
			owner[d] = p.ID
		}
	}
	second := map[string]string{}
	for _, p := range every(t, SourceISPDB) {
		for _, d := range p.Domains {
			if other := second[d]; other != "" {
				t.Errorf("%s belongs to %s and %s", d, other, p.ID)
			}
			second[d] = p.ID
			if owner[d] != "" && p.SameAs == "" {
				t.Errorf("%s: %s is the flagship %s's, but same_as is missing", p.ID, d, owner[d])
			}
		}
	}
	t.Logf("%d domains of flagships, %d of the second source", len(owner), len(second))
}

func TestRememberedIsNeverCertain(t *testing.T) {
	t.Parallel()
	for _, p := range every(t, SourceFlagship) {
		c, checked := p.Confidence()
		if p.Trust["smtp"].Level != Verified && c == Certain {
			t.Errorf("%s: servers are %s, yet certain", p.ID, p.Trust["smtp"].Level)
		}
		if checked == "" {
			t.Errorf("%s: no day", p.ID)
		}
		if p.ConfidenceIn("never-heard-of") != Guess {
			t.Errorf("%s: a part that nothing is said of is not a guess", p.ID)
		}
	}
	for _, p := range every(t, SourceISPDB) {
		if c, _ := p.Confidence(); c == Certain {
			t.Errorf("%s: the second source is never certain", p.ID)
		}
	}
	// Hosts that no source mentions.
	for _, id := range []string{
		"ovh-exchange", "hostpoint", "1blu", "mailfence", "namecheap", "dreamhost", "o2switch",
		"planethoster", "lws", "amen", "maileroo",
	} {
		p, ok := Default().Get(id)
		if !ok {
			t.Errorf("%s is missing", id)
			continue
		}
		if c, _ := p.Confidence(); c != Guess {
			t.Errorf("%s: %s, want guess", id, c)
		}
	}
}

// TestDueForReview lists with -v the facts that are older than a year. It does not fail because of age, or it would
// start to fail without a change; it fails if a date cannot be read.
func TestDueForReview(t *testing.T) {
	t.Parallel()
	const reviewAfter = 365 * 24 * time.Hour // providers change their rules about that often
	due := 0
	for _, p := range append(every(t, SourceFlagship), every(t, SourceISPDB)...) {
		day, err := time.Parse(time.DateOnly, p.Checked)
		if err != nil {
			t.Errorf("%s: %v", p.ID, err)
		}
		if age := time.Since(day); age > reviewAfter {
			due++
			t.Logf("due for review: %s, checked %s, %d days ago", p.ID, p.Checked, int(age.Hours()/24))
		}
	}
	t.Logf("%d providers due for review", due)
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	const good = `{"id":"x","name":"X","kind":"mailbox","domains":["x.example"],"smtp":[{"host":"smtp.x.example","port":465,"security":"tls"}],
		"username":{"rule":"{address}"},"credential":{"type":"password"},"needs_app_password":"no","sent_copy":{"mode":"none"}}`
	if _, err := Parse(strings.NewReader(good)); err != nil {
		t.Fatalf("the model itself: %v", err)
	}
	for _, tt := range []struct{ name, from, to, want string }{
		{"unknown key", `"kind"`, `"colour":1,"kind"`, "colour"},
		{"capital id", `"id":"x"`, `"id":"X"`, "id:"},
		{"path as id", `"id":"x"`, `"id":"../x"`, "id:"},
		{"security", `"security":"tls"`, `"security":"ssl"`, "smtp[0].security"},
		{"port", `465`, `0`, "smtp[0].port"},
		{"host", `smtp.x.example`, `smtp x`, "smtp[0].host"},
		{"placeholder nobody fills", `smtp.x.example`, `{n}.x.example`, "smtp[0].host"},
		{"user rule", `{address}`, `%EMAILADDRESS%`, "username.rule"},
		{"domain with capitals", `"x.example"`, `"X.example"`, "domains"},
		{"domain as U-label", `"x.example"`, `"é.example"`, "domains"},
		{"secret type", `"type":"password"`, `"type":"pin"`, "credential.type"},
		{"sent mode", `"mode":"none"`, `"mode":"client"`, "sent_copy.mode"},
		{"http", `"kind"`, `"docs_url":"http://x.example","kind"`, "docs_url"},
		{"one language", `"kind"`, `"traps":[{"en":"only"}],"kind"`, "traps[0]"},
		{
			"uneven steps", `"kind"`, `"app_password_steps":{"en":["a","b"],"fr":["a"],"de":["a","b"]},"kind"`,
			"app_password_steps",
		},
		{"mechanism", `"kind"`, `"auth":["PLAIN"],"kind"`, "auth"},
		{"date", `"kind"`, `"dated":[{"id":"a","date":"soon"}],"kind"`, "dated[0].date"},
		{
			"alphabet", `"kind"`, `"app_password_shape":{"description":{"en":"a","fr":"a","de":"a"},"alphabet":"a-f"},"kind"`,
			"alphabet",
		},
		{"two objects", `"mode":"none"}}`, `"mode":"none"}}{}`, "after the end"},
	} {
		text := strings.Replace(good, tt.from, tt.to, 1)
		if text == good {
			t.Fatalf("%s: nothing was changed", tt.name)
		}
		if _, err := Parse(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want something on %s", tt.name, err, tt.want)
		}
	}
}
