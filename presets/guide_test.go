package presets

import (
	"slices"
	"strings"
	"testing"
	"time"

	"postier/config"
	"postier/internal/locale"
)

func day(s string) time.Time {
	d, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(err)
	}
	return d
}

func TestWarnings(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		provider, on, id string
		days             int
		blocks           bool
		has              string
	}{
		{"microsoft365", "2026-11-21", "smtp-auth-off-by-default", 40, false, "From the end of December 2026"},
		{"microsoft365", "2026-12-30", "smtp-auth-off-by-default", 1, false, "From the end"},
		{"microsoft365", "2026-12-31", "smtp-auth-off-by-default", 0, false, "Since the end of December 2026"},
		{"microsoft365", "2027-08-01", "end-date-announced", -31, false, "look it up"},
		{"outlook", "2024-09-15", "passwords-ended", 1, false, "From 2024-09-16"},
		{"outlook", "2026-11-21", "passwords-ended", -796, true, "no password works here"},
		{"yahoo", "2026-11-21", "app-passwords-disputed", -48, false, "unclear whether Yahoo"},
		{"aol", "2026-11-21", "app-passwords-disputed", -48, false, "AOL"},
		{"google-workspace", "2026-11-21", "app-passwords-refused-to-some", -269, false, "does not offer them"},
	} {
		p, _ := Default().Get(tt.provider)
		list := p.Warnings(day(tt.on).Add(13*time.Hour), locale.English)
		n := slices.IndexFunc(list, func(w Warning) bool { return w.ID == tt.id })
		if n < 0 {
			t.Errorf("%s on %s: no %s in %+v", tt.provider, tt.on, tt.id, list)
			continue
		}
		w := list[n]
		if w.Days != tt.days || w.Blocks != tt.blocks || !strings.Contains(w.Text, tt.has) {
			t.Errorf("%s on %s: %d days, blocks %v, %q", tt.provider, tt.on, w.Days, w.Blocks, w.Text)
		}
	}
	yahoo, _ := Default().Get("yahoo")
	if w := yahoo.Warnings(day("2026-10-03"), locale.French); len(w) != 0 {
		t.Errorf("a fact that only holds from a day on was told before: %v", w)
	}
	if w := yahoo.Warnings(day("2026-11-21"), locale.French); len(w) != 1 || w[0].Confidence != Likely ||
		!strings.Contains(w[0].Text, "Yahoo accepte encore") {
		t.Errorf("French: %+v", w)
	}
}

func TestImpossible(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"tuta", "hey"} {
		p, _ := Default().Get(id)
		out, impossible := p.Impossible()
		if !impossible || p.PasswordWorks() || !strings.Contains(out.In(locale.German), "Brevo") {
			t.Errorf("%s: %v, way out %q", id, impossible, out[locale.German])
		}
	}
	outlook, _ := Default().Get("outlook")
	if _, impossible := outlook.Impossible(); impossible || outlook.PasswordWorks() ||
		outlook.Credential.Type != config.SecretOAuth {
		t.Error("Outlook.com works, but with no password")
	}
	gmail, _ := Default().Get("gmail")
	if _, impossible := gmail.Impossible(); impossible || !gmail.PasswordWorks() {
		t.Error("Gmail works with an app password")
	}
}

func TestSentNames(t *testing.T) {
	t.Parallel()
	names := SentNames()
	for _, want := range []string{
		"Sent", "Sent Items", "Envoyés", "Éléments envoyés", "Gesendet", "Gesendete Elemente", "Posta inviata",
		"Elementos enviados",
		"Itens Enviados", "Verzonden items", "Skickat", "Sendt", "Lähetetyt", "Wysłane", "Отправленные", "Надіслані",
		"Odeslané", "Odoslané",
		"Elküldött elemek", "Trimise", "Изпратени", "Απεσταλμένα", "Gönderilmiş Öğeler", "送信済み", "已发送", "寄件備份", "보낸 편지함",
		"المرسلة", "פריטים שנשלחו", "Đã gửi",
	} {
		if !slices.Contains(names, want) {
			t.Errorf("%q is missing", want)
		}
	}
	seen := map[string]bool{}
	for _, n := range names {
		if n == "" || n != strings.TrimSpace(n) || seen[n] {
			t.Errorf("%q is empty, padded or doubled", n)
		}
		seen[n] = true
	}
	// What the providers' own files name must be found as well.
	for _, p := range every(t, SourceFlagship) {
		for _, n := range p.SentFolders {
			last := n[strings.LastIndexAny(n, "./")+1:]
			if n != `\Sent` && !slices.ContainsFunc(names, func(s string) bool { return strings.EqualFold(s, last) }) {
				t.Errorf("%s: %q is in no list", p.ID, n)
			}
		}
	}
	names[0] = "changed"
	if SentNames()[0] != "Sent" {
		t.Error("the caller's list is the package's own")
	}
}
