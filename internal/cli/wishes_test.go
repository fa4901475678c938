package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"postier/config"
	"postier/internal/cli/command"
	"postier/internal/cli/profile"
	"postier/internal/cli/send"
	"postier/internal/scripted"
	"postier/wizard"
	"postier/wizard/home"
)

// The wishes of docs/requirements.md as their users have them: by command, against a server.

// letter is a message by command.
func letter(more ...string) []string {
	return append([]string{
		"postier", "send", "--to", "anna@customer.example", "--subject", "Invoice 7", "--body", "Hello",
	}, more...)
}

// saved is the configuration as it is now.
func (o *office) saved() *config.File {
	o.t.Helper()
	doc, err := config.Load(o.path)
	if err != nil {
		o.t.Fatal(err)
	}
	return &doc.File
}

// second adds another profile at the same server.
func (o *office) second(name string, edit func(*config.Profile)) {
	o.t.Helper()
	doc, err := config.Load(o.path)
	if err != nil {
		o.t.Fatal(err)
	}
	p := *doc.File.Profiles["durand"]
	p.Credential.Path = "secrets/" + name
	edit(&p)
	if err := doc.Put(name, &p); err != nil || doc.Save() != nil {
		o.t.Fatal(err)
	}
	o.want(0, "C4nary#password-7\n", "postier", "secret", "set", name, "--password-stdin")
}

// TestP1SeveralServers (P-1): of several profiles the default sends what no other one is for, and which one that is can
// be changed.
func TestP1SeveralServers(t *testing.T) {
	t.Parallel()
	o := newOffice(t, nil)
	o.second("club", func(p *config.Profile) {
		p.From, p.Senders = config.Address{Address: "pro@golf.example"}, []string{"golf.example"}
	})
	o.want(0, "", letter()...)
	o.want(0, "", "postier", "profile", "default", "club")
	o.want(0, "", letter()...)
	o.want(0, "", letter("--from", "billing@durand.example")...)
	var senders []string
	for line := range strings.Lines(string(o.server.Received())) {
		if address, ok := strings.CutPrefix(line, "MAIL FROM:<"); ok {
			senders = append(senders, address[:strings.IndexByte(address, '>')])
		}
	}
	if got := strings.Join(senders, " "); got != "contact@durand.example pro@golf.example contact@durand.example" {
		t.Errorf("sent as %s", got)
	}
	list, _ := o.want(0, "", "postier", "profile", "list", "--json")
	var rows []struct {
		Name    string
		Default bool
	}
	if err := json.Unmarshal([]byte(list), &rows); err != nil || fmt.Sprint(rows) != "[{club true} {durand false}]" {
		t.Errorf("%v: %v", err, rows)
	}
	o.want(65, "", "postier", "profile", "default", "nobody")
}

// TestD1OffAndOn (D-1): a profile that is switched off sends nothing and keeps every setting.
func TestD1OffAndOn(t *testing.T) {
	t.Parallel()
	o := newOffice(t, nil)
	o.want(0, "", "postier", "limits", "set", "durand", "--per-day", "90", "--batch-messages", "12", "--batch-wait",
		"15.5")
	o.want(0, "", "postier", "profile", "set", "durand", "--bcc", "archive@durand.example", "--label", "Cabinet")
	o.prove()
	before, err := json.Marshal(o.saved().Profiles["durand"])
	if err != nil {
		t.Fatal(err)
	}
	o.want(0, "", "postier", "profile", "disable", "durand")
	if p := o.saved().Profiles["durand"]; p.Enabled {
		t.Fatal("it is on")
	}
	if code, _, stderr := o.run("", letter()...); code == 0 || len(o.taken()) > 0 {
		t.Errorf("sent all the same: exit %d, %s", code, stderr)
	}
	resolver := scripted.StartDNS(t, durandZone).Addr()
	o.want(0, "", "postier", "profile", "enable", "durand", "--resolver", resolver)
	p := o.saved().Profiles["durand"]
	if p.Validated == nil {
		t.Error("the proof is gone")
	} else {
		p.Validated = nil
	}
	var old config.Profile
	if err := json.Unmarshal(before, &old); err != nil {
		t.Fatal(err)
	}
	old.Validated = nil
	if fmt.Sprintf("%+v", *p) != fmt.Sprintf("%+v", old) {
		t.Errorf("after off and on\n%+v\nbefore\n%+v", *p, old)
	}
	if o.want(0, "", letter()...); len(o.taken()) != 1 {
		t.Errorf("%d messages", len(o.taken()))
	}
}

// TestD6LimitsOfTheProvider (D-6): what the provider allows counts where the person set nothing, is shown with where it
// comes from, and stands next to what was sent on the home screen.
func TestD6LimitsOfTheProvider(t *testing.T) {
	t.Parallel()
	o := newOffice(t, nil)
	o.change(func(p *config.Profile) { p.Provider = "gmail" })
	stdout, _ := o.want(0, "", "postier", "--json", "limits", "show", "durand")
	var lines []struct {
		Own, Applied config.Limits
		Provider     []struct{ What string }
	}
	if err := json.Unmarshal([]byte(stdout), &lines); err != nil || len(lines) != 1 || lines[0].Own.PerDay != 0 ||
		lines[0].Applied.PerDay == 0 || len(lines[0].Provider) == 0 {
		t.Fatalf("%v: %s", err, stdout)
	}
	day := fmt.Sprint(lines[0].Applied.PerDay)
	for lang, word := range map[string]string{"en": "provider", "fr": "fournisseur", "de": "Anbieter"} {
		if stdout, _ = o.want(0, "", "postier", "limits", "show", "--lang", lang); !strings.Contains(stdout, day) ||
			!strings.Contains(stdout, word) {
			t.Errorf("%s: %s", lang, stdout)
		}
	}
	o.want(0, "", letter()...)
	f := o.factory()
	doc, err := f.Document()
	if err != nil {
		t.Fatal(err)
	}
	statuses, err := profile.StatusesOf(t.Context(), f, doc)
	if err != nil {
		t.Fatal(err)
	}
	if shown := fmt.Sprint(homeItems(f, doc, statuses)[0].Traffic); !strings.Contains(shown, "n 1 limit "+day) {
		t.Errorf("the home screen: %s", shown)
	}
}

// TestI7VolumeLeadsToAService (I-5, I-7): whoever is told that the day's quota is used up is told of services for
// volume, and their guide says how to get the key.
func TestI7VolumeLeadsToAService(t *testing.T) {
	t.Parallel()
	o := newOffice(t, scripted.Script{"MAIL": scripted.Reply("550 5.4.5 Daily user sending limit exceeded")})
	_, stderr := o.want(0, "", letter()...) // it waits for the next day
	if !strings.Contains(stderr, "L-45") {
		t.Errorf("sent: %s", stderr)
	}
	for _, lang := range []string{"en", "fr", "de"} {
		explained, _ := o.want(0, "", "postier", "explain", "L-45", "--lang", lang)
		if !strings.Contains(explained, "Brevo") || !strings.Contains(explained, "Mailjet") {
			t.Errorf("%s: %s", lang, explained)
		}
		for _, id := range []string{"brevo", "mailjet"} {
			page, _ := o.want(0, "", "postier", "guide", id, "--lang", lang)
			if !strings.Contains(page, "https://") || !strings.Contains(strings.ToUpper(page), "SMTP") {
				t.Errorf("%s, %s: %s", id, lang, page)
			}
		}
	}
}

// TestD7WhomToContact (D-7, I-4): a blocked account is explained by its reply and by its code: who has to act, what to
// do, and the product's support.
func TestD7WhomToContact(t *testing.T) {
	t.Parallel()
	o := newOffice(t, nil)
	o.withPlatform()
	const reply = "550 5.1.8 Access denied, bad outbound sender AS(42004)"
	for lang, who := range map[string]string{"en": "provider", "fr": "fournisseur", "de": "Anbieter"} {
		for _, args := range [][]string{{"A-17"}, {"17"}, {"--reply", reply, "--provider", "microsoft365"}} {
			stdout, _ := o.want(0, "", append([]string{"postier", "explain", "--lang", lang}, args...)...)
			if !strings.Contains(stdout, "A-17") || !strings.Contains(strings.ToLower(stdout), strings.ToLower(who)) {
				t.Errorf("%s, %v: %s", lang, args, stdout)
			}
		}
	}
	stdout, _ := o.want(0, "", "postier", "--json", "explain", "--reply", reply)
	if !strings.Contains(stdout, `"cause": "account-suspended"`) {
		t.Error(stdout)
	}
}

// TestP14TheMailProgramOpens (P-11, P-14): where there is a screen, one command opens the mail program with the whole
// message and its files; nothing is sent by this program.
func TestP14TheMailProgramOpens(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("xdg-email is of Linux and its like")
	}
	folder := t.TempDir()
	opened := filepath.Join(folder, "opened")
	script := "#!/bin/sh\nprintf '%s\\n' \"$@\" >" + opened + "\n"
	if err := os.WriteFile(filepath.Join(folder, "xdg-email"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", folder+":/usr/bin:/bin")
	o := newOffice(t, nil)
	env := map[string]string{"POSTIER_CONFIG": o.path, "POSTIER_CA_FILE": o.ca, "LC_ALL": "C", "DISPLAY": ":7"}
	var out, complaints bytes.Buffer
	code := run(letter("--hand-over", "--cc", "chef@customer.example", "--attach", o.ca), command.Streams{
		In: strings.NewReader(""), Out: &out, Err: &complaints, Getenv: func(name string) string { return env[name] },
	})
	args, err := os.ReadFile(opened)
	want := "--attach\n" + o.ca +
		"\nmailto:anna@customer.example?cc=chef@customer.example&subject=Invoice%207&body=Hello\n"
	if code != 0 || err != nil || string(args) != want || strings.Contains(out.String(), "mailto:") {
		t.Errorf("exit %d, %v\n%s\n%s%s", code, err, args, out.String(), complaints.String())
	}
	if len(o.server.Records()) > 0 {
		t.Error("something was sent")
	}
}

// TestM4SavingTries (M-4, C-4, C-5): what is saved was tried at once, with the forced sign-in and encryption and no
// other; what the server refuses is not saved.
func TestM4SavingTries(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		script scripted.Script
		flags  []string
		code   int
		said   string
	}{
		"a refused password": {
			scripted.Script{"auth": scripted.Reply("535 5.7.8 Error: authentication failed")}, nil, 77, "AUTH PLAIN",
		},
		"a refused sender":    {scripted.Script{"MAIL": scripted.Reply("553 5.7.1 Sender not owned")}, nil, 1, "MAIL FROM"},
		"a forced sign-in":    {nil, []string{"--auth", "login"}, 0, "AUTH LOGIN"},
		"forced encryption":   {nil, []string{"--smtp-security", "starttls"}, 76, ""},
		"everything accepted": {nil, nil, 0, "RCPT TO:<contact@durand.example>"},
	} {
		o := newOffice(t, row.script)
		resolver := scripted.StartDNS(t, durandZone).Addr()
		code, stdout, stderr := o.run("", append([]string{
			"postier", "setup", "contact@durand.example", "--yes", "--profile", "new", "--sent-copy", "none", "--smtp-host",
			"127.0.0.1", "--smtp-port", fmt.Sprint(o.server.Port()), "--smtp-security", "tls", "--resolver", resolver,
			"--password-file", filepath.Join(filepath.Dir(o.path), "secrets", "durand"), "--timeout", "5s",
		}, row.flags...)...)
		p := o.saved().Profiles["new"]
		if code != row.code || (p != nil) != (row.code == 0) || !o.said(row.said) {
			t.Errorf("%s: exit %d, want %d; saved %v\n%s%s", name, code, row.code, p != nil, stdout, stderr)
			continue
		}
		if p != nil && len(row.flags) > 0 && (p.Submission.Auth != config.MechanismLogin || o.said("AUTH PLAIN")) {
			t.Errorf("%s: %+v", name, p.Submission)
		}
	}
}

// TestC8ToAnyAddress (C-8): a test message by command goes to whatever address is named, with every check shown.
func TestC8ToAnyAddress(t *testing.T) {
	t.Parallel()
	o := newOffice(t, nil)
	resolver := scripted.StartDNS(t, durandZone).Addr()
	const someone = "someone@customer.example"
	_, stdout, stderr := o.run("", "postier", "diagnose", "durand", "--only", "smtp", "--send-to", someone, "--resolver",
		resolver)
	if got := o.taken(); len(got) != 1 || !o.said("RCPT TO:<"+someone+">") || !strings.Contains(stdout, "PASS") {
		t.Errorf("%d messages\n%s%s", len(got), stdout, stderr)
	}
	o.want(65, "", "postier", "diagnose", "durand", "--send-to", "nobody")
}

// TestP6TheQueueFromHome (P-6, P-13): the page of the queue says what waits, for whom and why, and that nothing sends
// it; what waits is tried from there, and whether a message is kept at all is set there.
func TestP6TheQueueFromHome(t *testing.T) {
	t.Parallel()
	o := newOffice(t, nil)
	f := o.factory()
	open := func() *home.Page {
		t.Helper()
		page, err := send.QueuePage(t.Context(), f, sentenceOf(f))
		if err != nil {
			t.Fatal(err)
		}
		return page
	}
	if v := open().Screen(); len(v.Notices) > 0 || len(v.Facts) != 2 {
		t.Errorf("before anything was sent: %+v", v)
	}
	if files, _ := filepath.Glob(filepath.Join(filepath.Dir(o.path), "*.db")); len(files) > 0 {
		t.Errorf("looking at the queue wrote %v", files)
	}
	o.refusing()
	o.want(0, "", letter()...)
	o.want(0, "", letter()...)
	shown := fmt.Sprintf("%+v", open().Screen())
	for _, want := range []string{"anna@customer.example", "N-78", "Literal:2 ", "sendcli.unkept", "home.queue.now"} {
		if !strings.Contains(shown, want) {
			t.Errorf("no %q on the page: %s", want, shown)
		}
	}
	o.change(func(p *config.Profile) { p.Submission.Port = o.server.Port() })
	if err := send.QueueNow(t.Context(), f); err != nil || len(o.taken()) != 2 {
		t.Errorf("%v, %d messages", err, len(o.taken()))
	}
	page := open()
	if fmt.Sprint(page.Screen().Facts[0].Value.Literal) != "0" {
		t.Errorf("after all left: %+v", page.Screen().Facts)
	}
	page.Answer(wizard.Answer{Action: wizard.ActNext, Values: map[wizard.FieldID]string{"queue-mode": "direct"}})
	if mode := o.saved().Queue.Mode; !page.Saved() || mode != config.ModeDirect {
		t.Errorf("saved %v, mode %s", page.Saved(), mode)
	}
	f.Served = &command.Served{}
	if shown := fmt.Sprintf("%+v", open().Screen()); strings.Contains(shown, "home.queue.install") {
		t.Error("a served person could install a service")
	}
}

// TestP11EveryProgramFromHome (P-11): the formats that the page offers are those of the command, and each is shown
// without the password.
func TestP11EveryProgramFromHome(t *testing.T) {
	t.Parallel()
	o := newOffice(t, nil)
	list, _ := o.want(0, "", "postier", "--json", "export", "--list")
	var formats []string
	if err := json.Unmarshal([]byte(list), &formats); err != nil {
		t.Fatal(err)
	}
	choices := profile.ExportChoices()
	if len(choices) != len(formats) || len(formats) < 10 {
		t.Fatalf("%d of %d formats", len(choices), len(formats))
	}
	shown := 0
	for _, c := range choices {
		var out, complaints bytes.Buffer
		f := o.factory()
		f.Out, f.Err = &out, &complaints
		if err := profile.Export(t.Context(), f, c.Value, "durand"); err == nil && out.Len() > 0 {
			shown++
		}
		if strings.Contains(out.String()+complaints.String(), "C4nary") {
			t.Errorf("%s holds the password:\n%s", c.Value, out.String())
		}
	}
	if shown < 8 { // the others need a secret of another kind, or a server of another kind
		t.Errorf("only %d of %d are shown", shown, len(choices))
	}
}

// TestM8AdviceFromHome (M-8): a test with a template from the home screen warns of what looks like advertising.
func TestM8AdviceFromHome(t *testing.T) {
	t.Parallel()
	o := newOffice(t, nil)
	o.want(0, "Subject: URGENT REMINDER!!!\n\nHello\n", "postier", "template", "edit", "urgent")
	f := o.factory()
	var complaints bytes.Buffer
	f.Err, f.LangFlag = &complaints, "fr"
	if err := send.TryTemplate(t.Context(), f, "durand", "urgent"); err != nil ||
		!strings.Contains(complaints.String(), "majuscules") {
		t.Errorf("%v: %s", err, complaints.String())
	}
}
