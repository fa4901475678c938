package cli

import (
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"postier/config"
	"postier/delivery"
	"postier/internal/cli/command"
	"postier/internal/cli/send"
	"postier/wizard"
	"postier/wizard/home"
)

// TestHandOver (P-11, P-14): the message becomes a mailto link that a mail program reads back as it was; the rules of
// the profile hold, and nothing is sent.
func TestHandOver(t *testing.T) {
	t.Parallel()
	o := newOffice(t, nil)
	body := "Guten Tag,\n1 + 1 = 2 & 100 % für Sie?\n"
	stdout, stderr := o.want(0, body, "postier", "send", "--hand-over", "--to", "Klara <klara@customer.example>",
		"--to", "a+b@müller.example", "--cc", "chef@customer.example", "--subject", "Rechnung & Mahnung")
	link, err := url.Parse(strings.TrimSpace(stdout))
	if err != nil || link.Scheme != "mailto" || strings.Contains(stdout, "+") {
		t.Fatalf("%v: %s%s", err, stdout, stderr)
	}
	to, _ := url.PathUnescape(link.Opaque)
	fields := link.Query()
	if to != "klara@customer.example,a+b@xn--mller-kva.example" || fields.Get("cc") != "chef@customer.example" ||
		fields.Get("subject") != "Rechnung & Mahnung" ||
		fields.Get("body") != strings.ReplaceAll(strings.TrimSpace(body), "\n", "\r\n") {
		t.Errorf("%s: to %q, %v", stdout, to, fields)
	}

	o.want(0, "", "postier", "suppress", "add", "klara@customer.example")
	o.want(0, "", "postier", "profile", "test-mode", "durand", "on", "essai@durand.example")
	handOver := []string{"postier", "--json", "send", "--hand-over", "--body", "x", "--to", "klara@customer.example"}
	o.want(1, "", handOver...)
	stdout, _ = o.want(0, "", append(handOver, "--to", "anna@customer.example")...)
	if !strings.Contains(stdout, "mailto:essai@durand.example?body=x") || !strings.Contains(stdout, `"opened": false`) {
		t.Error(stdout)
	}
	// A link carries no files: they are named, unless the opener takes them.
	stdout, _ = o.want(0, "", append(handOver, "--to", "b@customer.example", "--attach", o.path)...)
	if !strings.Contains(stdout, `"attach": [`) || !strings.Contains(stdout, o.path) {
		t.Error(stdout)
	}
	_, stderr = o.want(0, "", append(handOver[:1:1], append(handOver[2:], "--to", "b@customer.example", "--attach",
		o.path)...)...)
	if !strings.Contains(stderr, "Attach these files in the mail program:\n  "+o.path) {
		t.Error(stderr)
	}
	o.want(74, "", append(handOver, "--to", "b@customer.example", "--attach", o.path+".gone")...)
	o.want(64, "", append(handOver, "--direct")...)
	if len(o.taken()) > 0 {
		t.Error("something was sent")
	}
	if queued, _ := o.want(0, "", "postier", "--json", "queue", "list", "--all"); strings.TrimSpace(queued) != "[]" {
		t.Error(queued)
	}
}

// TestQueueMode (P-13): whether a message is kept is a setting of the installation; a call can still say otherwise.
func TestQueueMode(t *testing.T) {
	t.Parallel()
	o := newOffice(t, nil)
	o.refusing()
	message := []string{"postier", "send", "--to", "anna@customer.example", "--subject", "s", "--body", "t"}
	waiting := func(want string) {
		t.Helper()
		stdout, _ := o.want(0, "", "postier", "--json", "profile", "list")
		if !strings.Contains(stdout, `"waiting": `+want+",") {
			t.Errorf("want %s waiting: %s", want, stdout)
		}
	}
	o.want(0, "", message...)
	waiting("1")
	o.want(0, "", "postier", "queue", "mode", "direct")
	if stdout, _ := o.want(0, "", "postier", "--json", "queue", "mode"); !strings.Contains(stdout, `"direct"`) {
		t.Error(stdout)
	}
	o.want(69, "", message...)
	o.want(69, invoice, "/usr/sbin/sendmail", "-t")
	waiting("1")
	o.want(0, "", append(message, "--queue")...)
	waiting("2")
	o.want(64, "", "postier", "queue", "mode", "later")
	o.want(0, "", "postier", "queue", "mode", "queue")
	o.want(0, "", message...)
	waiting("3")
}

// TestAskUnattended (C-2): where nobody can type the password, a message is refused at once and never queued.
func TestAskUnattended(t *testing.T) {
	t.Parallel()
	o := newOffice(t, nil)
	o.change(func(p *config.Profile) { p.Credential = config.Credential{Kind: config.CredentialAsk} })
	for _, args := range [][]string{
		{"postier", "send", "--to", "anna@customer.example", "--subject", "s", "--body", "t"},
		{"postier", "send", "--to", "anna@customer.example", "--subject", "s", "--body", "t", "--queue"},
		{"/usr/sbin/sendmail", "-t"},
	} {
		_, stderr := o.want(78, invoice, args...)
		if !strings.Contains(stderr, "nobody is at the terminal") {
			t.Errorf("%v: %s", args, stderr)
		}
	}
	if queued, _ := o.want(0, "", "postier", "--json", "queue", "list", "--all"); strings.TrimSpace(queued) != "[]" {
		t.Error(queued)
	}
	if len(o.server.Records()) > 0 {
		t.Error("a connection was made")
	}
}

// TestTemplateSelectsTheServer (P-12): author and reply address of the template go into the message, and the profile is
// the one that the author selects; flags win.
func TestTemplateSelectsTheServer(t *testing.T) {
	t.Parallel()
	o := newOffice(t, nil)
	doc, err := config.Load(o.path)
	if err != nil {
		t.Fatal(err)
	}
	other := *doc.File.Profiles["durand"]
	other.From, other.Senders = config.Address{Address: "news@rival.example"}, []string{"rival.example"}
	if err := doc.Put("rival", &other); err != nil || doc.Save() != nil {
		t.Fatal(err)
	}
	const text = "From: Aktuelles <aktuell@rival.example>\nReply-To: office@rival.example\nSubject: Neues\n" +
		"Kind: news\n\nGuten Tag\n"
	o.want(0, text, "postier", "template", "edit", "neues")
	stdout, _ := o.want(0, "", "postier", "template", "show", "neues")
	for _, want := range []string{"From: Aktuelles <aktuell@rival.example>", "Reply-To: office@", "Kind: news", "Neues"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("no %q in %s", want, stdout)
		}
	}
	send := []string{"postier", "send", "--template", "neues", "--to", "anna@customer.example"}
	stdout, _ = o.want(0, "", append(send, "--dry-run", "--json")...)
	if !strings.Contains(stdout, `"profile": "rival"`) || !strings.Contains(stdout, `"kind": "news"`) {
		t.Error(stdout)
	}
	stdout, _ = o.want(0, "", append(send, "--dry-run", "--json", "--from", "x@durand.example")...)
	if !strings.Contains(stdout, `"profile": "durand"`) {
		t.Error(stdout)
	}
	if err := os.WriteFile(filepath.Join(filepath.Dir(o.path), "secrets", "rival"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	o.want(0, "", send...)
	got := o.taken()
	if len(got) != 1 || !strings.Contains(got[0], "Aktuelles") || !strings.Contains(got[0], "<aktuell@rival.example>") ||
		!strings.Contains(got[0], "Reply-To: <office@rival.example>") || strings.Contains(got[0], "Kind:") {
		t.Errorf("%q", got)
	}
	o.want(65, "Subject: s\nX-Mailer: y\n\nt", "postier", "template", "edit", "broken")
}

// factory is what the pages of the home screen are made with.
func (o *office) factory() *command.Factory {
	env := map[string]string{"POSTIER_CONFIG": o.path, "POSTIER_CA_FILE": o.ca, "LC_ALL": "C"}
	return command.NewFactory(command.Streams{
		In: strings.NewReader(""), Out: io.Discard, Err: io.Discard, Getenv: func(name string) string { return env[name] },
	}, "")
}

// TestTemplateFromHome (P-8): what the page of the home screen writes keeps the text, and a test with the template goes
// to the test address alone.
func TestTemplateFromHome(t *testing.T) {
	t.Parallel()
	o := newOffice(t, nil)
	o.want(0, "Subject: Facture {{numero}}\n\nBonjour {{client}},\n\nvoici.\n", "postier", "template", "edit", "facture")
	store := delivery.TemplatesOf(o.path)
	before, err := store.Get("facture")
	if err != nil {
		t.Fatal(err)
	}
	f := o.factory()
	page, err := send.TemplatesPage(f, sentenceOf(f))
	if err != nil {
		t.Fatal(err)
	}
	answer := func(values map[wizard.FieldID]string) {
		page.Answer(wizard.Answer{Action: wizard.ActNext, Values: values})
	}
	answer(map[wizard.FieldID]string{home.FieldTemplate: "facture"})
	answer(map[wizard.FieldID]string{home.FieldTemplateFrom: "not an address"})
	if page.Ended() {
		t.Fatal("a malformed sender was taken")
	}
	answer(map[wizard.FieldID]string{home.FieldTemplateSubject: "Votre facture {{numero}}", home.FieldTemplateFrom: ""})
	after, err := store.Get("facture")
	if err != nil || !page.Saved() || after.Subject != "Votre facture {{numero}}" || after.Body != before.Body {
		t.Errorf("%+v, %v", after, err)
	}
	if err := send.TryTemplate(t.Context(), f, "durand", "facture"); err != nil {
		t.Fatal(err)
	}
	taken := o.taken()
	if len(taken) != 1 || !strings.Contains(taken[0], "Votre facture [numero]") ||
		!o.said("RCPT TO:<contact@durand.example>") {
		t.Errorf("%q", taken)
	}
}
