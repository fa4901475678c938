package importer

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// whole is all of an account that is taken over, in one line.
func whole(a Account) string {
	line := brief(a) + "|" + a.From.Name + "|" + a.ReplyTo + "|" + a.Submission.Helo
	if imap := a.IMAP; imap != nil {
		line += fmt.Sprintf("|%s:%d %s %s|%s", imap.Host, imap.Port, imap.Security, imap.Username, a.SentFolder)
	}
	return line
}

// TestFilesAsTheyAreWritten (C-9): whole files as the programs write them, with all that does not concern an account:
// each account that can send is found, with its name, its mailbox and its Sent folder.
func TestFilesAsTheyAreWritten(t *testing.T) {
	t.Parallel()
	const evolution = "Cabinet Durand|smtp.durand.example:587 starttls |contact@durand.example|contact@durand.example||" +
		"Cabinet Durand # Lyon|accueil@durand.example||imap.durand.example:993 tls contact@durand.example|Messages envoyés"
	for _, row := range []struct {
		file, format string
		want         []string
	}{
		{"prefs.js", "thunderbird", []string{
			"contact@durand.example|smtp.durand.example:587 starttls |contact@durand.example|contact@durand.example||default|" +
				`Cabinet "Durand", Müller & fils|accueil@durand.example||mail.durand.example:993 tls contact@durand.example|` +
				"Messages envoyés",
			"factures@durand.example|smtp.durand.example:587 starttls |contact@durand.example|factures@durand.example||" +
				"Facturation|||mail.durand.example:993 tls contact@durand.example|",
			"marie.durand@gmail.com|smtp.gmail.com:465 tls xoauth2|marie.durand@gmail.com|marie.durand@gmail.com||" +
				"Marie Durand|||imap.gmail.com:993 tls marie.durand@gmail.com|", // Gmail files the copy itself
			"durand@vieux.example|smtp.durand.example:587 starttls |contact@durand.example|durand@vieux.example||" +
				"Ancienne adresse||", // no server of its own: the first one of the list
		}},
		{"accountrc", "claws", []string{
			"Cabinet #2|smtp.durand.example:2525 starttls |contact@durand.example|contact@durand.example||default|" +
				"Cabinet Durand|accueil@durand.example|poste-7.durand.example|" +
				"imap.durand.example:9993 tls contact@durand.example|Envoyés",
			"Chorale|smtp.chorale.example:465 tls |marie@chorale.example|marie@chorale.example||Marie Durand||",
		}},
		{"export.k9s", "k9", []string{
			"Cabinet|smtp.durand.example:587 starttls cram-md5|contact@durand.example|contact@durand.example||" +
				"Cabinet Durand|accueil@durand.example||imap.durand.example:993 tls contact@durand.example|INBOX.Envoyés",
			"Gmail|smtp.gmail.com:465 tls xoauth2|marie.durand@gmail.com|marie.durand@gmail.com||Marie Durand|||" +
				"imap.gmail.com:993 tls marie.durand@gmail.com|",
		}},
		{"durand.mobileconfig", "apple", []string{
			"Durand & fils|smtp.durand.example:465 tls |contact@durand.example|contact@durand.example||Cabinet Durand|||" +
				"imap.durand.example:993 tls contact@durand.example|",
		}},
		{"autodiscover.xml", "autodiscover", []string{
			"Cabinet Durand|smtp.durand.example:587 starttls |contact@durand.example|contact@durand.example||" +
				"Cabinet Durand|||imap.durand.example:993 tls contact@durand.example|",
		}},
		{"config-v1.1.xml", "autoconfig", []string{
			"Durand Messagerie|smtp.durand.example:587 starttls |||||||imap.durand.example:993 tls |",
		}},
		{"evolution/1764400000.1234.1@poste.source", "evolution", []string{evolution}},
		{"evolution/1764400000.1234.2@poste.source", "evolution", []string{evolution}},
	} {
		path := filepath.Join("testdata", row.file)
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		format, accounts, err := Read(Auto, Source{Path: path, Data: data, Open: os.ReadFile})
		if err != nil || format != row.format {
			t.Errorf("%s: taken for %q: %v", row.file, format, err)
		}
		var got []string
		for _, a := range accounts {
			got = append(got, whole(a))
			if notes(a) != "encrypted" {
				t.Errorf("%s: notes %q", row.file, notes(a))
			}
		}
		if !slices.Equal(got, row.want) {
			t.Errorf("%s:\n%s\nwant\n%s", row.file, strings.Join(got, "\n"), strings.Join(row.want, "\n"))
		}
	}
}

// TestFilesWithMore (C-9): what some of these files have and most have not: a signature around a profile, a password
// that goes from phone to phone, an account that is switched off, one that GNOME signs in.
func TestFilesWithMore(t *testing.T) {
	t.Parallel()
	file := func(name string) string {
		t.Helper()
		data, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	plain := file("durand.mobileconfig")
	signed := "0\x82\x0d\xf1\x06\x09*\x86H\x86\xf7\x0d\x01\x07\x02\xa0\x82" + plain + "\x00\x00\xa0\x82\x09\xd20\xff\xfe"
	if a, b := read(t, "apple", plain), read(t, "apple", signed); len(b) != 1 || whole(a[0]) != whole(b[0]) {
		t.Errorf("a signed profile: %+v", b)
	}
	phone := strings.Replace(file("export.k9s"), "<username>contact@durand.example</username>\n      </outgoing",
		"<username>contact@durand.example</username><password>kivo &amp; tams</password>\n      </outgoing", 1)
	moved := read(t, "k9", phone)
	if moved[0].Secret.Reveal() != "kivo & tams" || notes(moved[0]) != "" || !moved[1].Secret.Empty() {
		t.Errorf("from phone to phone: %+v", moved)
	}
	identity := file("evolution/1764400000.1234.2@poste.source")
	for what, row := range map[string]struct{ text, transport, want string }{
		"switched off": {strings.Replace(identity, "Enabled=true", "Enabled=false", 1), "", ""},
		"sendmail":     {identity, "[Mail Transport]\nBackendName=sendmail\n[Authentication]\nHost=\n", ""},
		"online account": {
			identity, "[Mail Transport]\nBackendName=smtp\n[Authentication]\nHost=s.example\nMethod=OAuth2\n", "xoauth2",
		},
	} {
		open := func(path string) ([]byte, error) {
			if strings.HasSuffix(path, ".3@poste.source") && row.transport != "" {
				return []byte(row.transport), nil
			}
			return os.ReadFile(path)
		}
		_, accounts, err := Read(Auto, Source{
			Path: "testdata/evolution/1764400000.1234.2@poste.source", Data: []byte(row.text), Open: open,
		})
		if row.want == "" && err == nil || row.want != "" && (err != nil || string(accounts[0].Submission.Auth) != row.want) {
			t.Errorf("%s: %v, %+v", what, err, accounts)
		}
	}
}
