package imap

import (
	"slices"
	"strings"
	"testing"

	"postier/internal/safetext"
	"postier/internal/utf7"
	"postier/presets"
)

func listing(t *testing.T, lines ...string) Listing {
	t.Helper()
	var l Listing
	err := scanAll([]byte(strings.Join(lines, "\r\n")+"\r\n"), func(r *response) {
		l.add(r)
		l.namespace(r)
	})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestSentFolder(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		lines      []string
		wanted     string
		first      []string
		want, by   string
		candidates int
	}{
		"special use": {
			lines: []string{`* LIST () "/" Sent`, `* LIST (\Sent) "/" Ablage`}, want: "Ablage",
			by: "special-use", candidates: 2,
		},
		"by name": {
			lines: []string{`* LIST () "/" INBOX`, `* LIST () "/" "&AMk-l&AOk-ments envoy&AOk-s"`},
			want:  "Éléments envoyés", by: "name", candidates: 1,
		},
		"UTF-8 unasked": {lines: []string{"* LIST () \"/\" \"Envoyés\""}, want: "Envoyés", by: "name", candidates: 1},
		"Russian": {
			lines: []string{`* LIST () "/" "&BB4EQgQ,BEAEMAQyBDsENQQ9BD0ESwQ1-"`}, want: "Отправленные",
			by: "name", candidates: 1,
		},
		"below INBOX": {lines: []string{
			`* NAMESPACE (("INBOX." ".")) NIL NIL`, `* LIST () "." INBOX.Gesendet`,
			`* LIST () "." INBOX.Alt.Gesendet`,
		}, want: "INBOX.Gesendet", by: "name", candidates: 2},
		"archive by year": {
			lines: []string{`* LIST () "/" "2019/Sent"`, `* LIST () "/" "Sent Items"`},
			want:  "Sent Items", by: "name", candidates: 2,
		},
		"outbox is doubtful": {
			lines: []string{`* LIST () "/" Outbox`, `* LIST () "/" Gesendet`}, want: "Gesendet",
			by: "name", candidates: 2,
		},
		"name without its quotes": {
			lines: []string{`* LIST (\Sent) "/" Sent Items`, `* LIST () "/" Sent ("CHILDINFO" ("SUBSCRIBED"))`},
			want:  "Sent Items", by: "special-use", candidates: 2,
		},
		"no select":         {lines: []string{`* LIST (\Noselect) "/" Sent`}, want: ""},
		"drafts named sent": {lines: []string{`* LIST (\Drafts) "/" Sent`}, want: ""},
		"preset's name first": {
			lines: []string{`* LIST () "/" Sent`, `* LIST () "/" "[Gmail]/Sent Mail"`},
			first: []string{`\Sent`, "[Gmail]/Sent Mail"}, want: "[Gmail]/Sent Mail", by: "name", candidates: 2,
		},
		"wanted": {
			lines: []string{`* LIST (\Sent) "/" Sent`, `* LIST () "/" Kopien`}, wanted: "Kopien",
			want: "Kopien", by: "setting", candidates: 1,
		},
		"wanted without prefix": {
			lines:  []string{`* NAMESPACE (("INBOX." ".")) NIL NIL`, `* LIST () "." INBOX.Kopien`},
			wanted: "Kopien", want: "INBOX.Kopien", by: "setting",
		},
		"wanted as mail programs write it": {
			lines:  []string{`* NAMESPACE (("INBOX." ".")) NIL NIL`, `* LIST () "." INBOX.Ablage.Kopien`},
			wanted: "INBOX/Ablage/Kopien", want: "INBOX.Ablage.Kopien", by: "setting",
		},
		"a slash in a flat name": {
			lines: []string{`* LIST () NIL "a/b"`}, wanted: "a/b", want: "a/b", by: "setting",
		},
		"wanted is not there": {lines: []string{`* LIST (\Sent) "/" Sent`}, wanted: "Kopien", want: "", candidates: 1},
		"XLIST": {
			lines: []string{`* XLIST (\HasNoChildren \Sent) "/" "[Mail]/x"`}, want: "[Mail]/x",
			by: "special-use", candidates: 1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := listing(t, c.lines...).Sent(c.wanted, c.first, presets.SentNames())
			if got.Found != (c.want != "") || got.Folder.Name.Raw() != c.want || got.By != c.by ||
				len(got.Candidates) != c.candidates {
				t.Errorf("%q by %q, %d candidates", got.Folder.Name.Raw(), got.By, len(got.Candidates))
			}
		})
	}
}

func TestJunkFolder(t *testing.T) {
	t.Parallel()
	for _, line := range []string{
		`* LIST (\Junk) "/" x`, `* XLIST (\Spam) "/" x`, `* LIST () "." INBOX.Spam`,
		`* LIST () "/" "Junk E-mail"`,
	} {
		if !listing(t, line).Junk(presets.JunkNames()).Found {
			t.Errorf("%s: no junk", line)
		}
	}
	if listing(t, `* LIST (\All) "/" "All Mail"`).Junk(presets.JunkNames()).Found {
		t.Error("all mail is not junk")
	}
}

func TestNamesOnTheWireAreOneArgument(t *testing.T) {
	t.Parallel()
	for _, name := range []string{`a{3}`, `Sent" ("\Seen")`, `back\slash`, "Éé"} {
		quoted := quote(utf7.Encode(name))
		s := newScanner(nil, func(string) {})
		s.line = quoted
		got, err := s.quoted()
		if err != nil || s.pos != len(quoted) || utf7.Readable(got) != name {
			t.Errorf("%q goes out as %s", name, quoted)
		}
	}
	l := Listing{}
	for _, name := range []string{"a\r\nb", "a\x00b", "", "a\u202eb"} {
		if _, err := (&Session{}).Create(t.Context(), l, name); err == nil {
			t.Errorf("folder %q is made", name)
		}
	}
}

func TestCandidatesAreNotTheCallersToChange(t *testing.T) {
	t.Parallel()
	names := []string{"B", "A"}
	l := Listing{Folders: []Folder{{Name: safetext.FromRemote("A"), raw: "A"}}}
	l.Sent("", names, nil)
	if !slices.Equal(names, []string{"B", "A"}) {
		t.Error("the preset's names were changed")
	}
}
