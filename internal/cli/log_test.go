package cli

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"postier/config"
	"postier/internal/scripted"
)

// logged are the rows of `log --json` as another program reads them.
func (o *office) logged(args ...string) []map[string]any {
	o.t.Helper()
	stdout, _ := o.want(0, "", append([]string{"postier", "--json", "log"}, args...)...)
	var rows []map[string]any
	if err := json.Unmarshal([]byte(stdout), &rows); err != nil {
		o.t.Fatal(err, stdout)
	}
	return rows
}

func results(row map[string]any) string {
	var list []string
	for _, r := range row["recipients"].([]any) {
		r := r.(map[string]any)
		list = append(list, r["address"].(string)+" "+r["result"].(string))
	}
	return strings.Join(list, ", ")
}

// TestLog: what was sent, waits, failed or was left out is in the log, newest first, with the keys of the contract.
func TestLog(t *testing.T) {
	t.Parallel()
	o := newOffice(t, scripted.Script{
		"RCPT TO:<nobody@customer.example>": scripted.Reply("550 5.1.1 No such user"),
	})
	send := func(code int, to string, more ...string) {
		o.want(code, "", append([]string{"postier", "send", "--subject", "Facture é", "--body", "t", "--to", to}, more...)...)
		time.Sleep(2 * time.Millisecond) // the log has milliseconds
	}
	before := time.Now().Add(-time.Second)
	o.want(0, "", "postier", "suppress", "add", "no@customer.example", "--reason", "Data protection")
	send(0, "anna@customer.example, no@customer.example")
	send(1, "nobody@customer.example, berta@customer.example")
	send(1, "no@customer.example")
	send(1, "anna@customer.example", "--kind", "quote")
	send(0, "anna@customer.example", "--direct")
	send(0, "anna@customer.example", "--test")
	send(0, "clara@customer.example", "--queue")

	rows := o.logged()
	want := []string{
		"clara@customer.example waiting",
		"contact@durand.example sent",
		"anna@customer.example sent",
		"anna@customer.example failed",
		"no@customer.example suppressed",
		"nobody@customer.example failed, berta@customer.example sent",
		"anna@customer.example sent, no@customer.example suppressed",
	}
	var got []string
	for _, row := range rows {
		if row["from"] != "contact@durand.example" { // the owner's bounces are messages too
			t.Errorf("from %v", row["from"])
		}
		got = append(got, results(row))
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	keys := slices.Sorted(maps.Keys(rows[2]))
	contract := []string{
		"from", "id", "may_arrive_twice", "profile", "queue_id", "recipients", "sent_copy", "subject", "time",
	}
	if !slices.Equal(keys, contract) {
		t.Errorf("keys %q", keys)
	}
	if rows[2]["subject"] != "Facture é" || rows[2]["profile"] != "durand" || rows[2]["sent_copy"] != "none" {
		t.Errorf("%v", rows[2])
	}
	if rows[1]["test_mode"] != true || rows[3]["block"] != "kind-off" || rows[3]["kind"] != "quote" {
		t.Errorf("%v %v", rows[1], rows[3])
	}
	failed := rows[5]["recipients"].([]any)[0].(map[string]any)
	if failed["reply"] != "550 5.1.1 No such user" || failed["cause"] != "recipient-unknown" || failed["code"] == nil {
		t.Errorf("%v", failed)
	}

	// Chosen by a filter, alone, and as text.
	if n := len(o.logged("--failed")); n != 3 {
		t.Errorf("%d failed", n)
	}
	if n := len(o.logged("--profile", "other")); n != 0 {
		t.Errorf("%d of another profile", n)
	}
	if n := len(o.logged("--since", before.Format(time.RFC3339))); n != len(want) {
		t.Errorf("%d since", n)
	}
	if n := len(o.logged("--since", time.Now().AddDate(0, 0, 1).Format(time.DateOnly))); n != 0 {
		t.Errorf("%d since tomorrow", n)
	}
	if n := len(o.logged("--since", "7d")); n != len(want) {
		t.Errorf("%d in a week", n)
	}
	if _, stderr := o.want(65, "", "postier", "log", "--since", "lately"); !strings.Contains(stderr, "“lately”") {
		t.Error(stderr)
	}
	id := rows[5]["id"].(string)
	stdout, _ := o.want(0, "", "postier", "log", id)
	for _, text := range []string{
		id, "Facture é", "nobody@customer.example  not sent  ", "550 5.1.1 No such user", "no Sent copy",
	} {
		if !strings.Contains(stdout, text) {
			t.Errorf("no %q in %s", text, stdout)
		}
	}
	if strings.Contains(stdout, "berta@customer.example  ") {
		t.Errorf("a remark about someone who got it: %s", stdout)
	}
	if stdout, _ = o.want(0, "", "postier", "log"); strings.Count(stdout, " Facture é\n") != len(want) ||
		!strings.Contains(stdout, "Data protection") || !strings.Contains(stdout, "refused by the rules") {
		t.Error(stdout)
	}
	if _, stderr := o.want(65, "", "postier", "log", "nothing"); !strings.Contains(stderr, "no message nothing") {
		t.Error(stderr)
	}

	// Exported, a line a recipient and a line a message.
	csv, _ := o.want(0, "", "postier", "log", "export")
	if lines := strings.Split(strings.TrimSpace(csv), "\n"); len(lines) != 10 || !strings.HasPrefix(lines[0], "time,id,") {
		t.Errorf("%d lines: %s", len(lines), csv)
	}
	jsonl, _ := o.want(0, "", "postier", "log", "export", "--format", "jsonl", "--failed")
	for line := range strings.Lines(jsonl) {
		if err := json.Unmarshal([]byte(line), &map[string]any{}); err != nil {
			t.Errorf("%v: %s", err, line)
		}
	}
	if strings.Count(jsonl, "\n") != 3 {
		t.Error(jsonl)
	}
	o.want(64, "", "postier", "log", "export", "--format", "xml")
}

// TestResend: a message is sent again if its text is there, and otherwise the program says how to keep texts.
func TestResend(t *testing.T) {
	t.Parallel()
	o := newOffice(t, nil)
	message := []string{"postier", "send", "--to", "anna@customer.example", "--subject", "Invoice", "--body", "Pay soon"}
	last := func() string { return o.logged()[0]["id"].(string) }
	o.want(0, "", message...)
	if _, stderr := o.want(65, "", "postier", "log", "resend", last()); !strings.Contains(stderr, "log.text") {
		t.Error(stderr)
	}
	o.keepTexts()
	o.want(0, "", message...)
	id := last()
	o.want(0, "", "postier", "log", "resend", id)
	o.want(0, "", "postier", "log", "resend", id, "--to", "berta@customer.example")
	got := o.taken()
	if len(got) != 4 || strings.Count(strings.Join(got, ""), "Pay soon") != 4 {
		t.Fatalf("%q", got)
	}
	ids := map[string]bool{}
	for _, text := range got {
		for line := range strings.Lines(text) {
			if value, ok := strings.CutPrefix(line, "Message-ID:"); ok {
				ids[value] = true
			}
		}
	}
	if len(ids) != 4 || !strings.Contains(got[3], "To: <berta@customer.example>") ||
		strings.Contains(got[3], "anna@") || !o.said("RCPT TO:<berta@customer.example>") {
		t.Errorf("%v %q", ids, got[3])
	}
	o.want(65, "", "postier", "log", "resend", id, "--to", "nobody")
	o.want(65, "", "postier", "log", "resend", "none")

	// A test was wrapped for the test address.
	o.want(0, "", append(message, "--test")...)
	if _, stderr := o.want(65, "", "postier", "log", "resend", last()); !strings.Contains(stderr, "was a test") {
		t.Error(stderr)
	}
	// What still waits is tried now, and does not arrive twice.
	o.want(0, "", append(message, "--queue")...)
	before := len(o.taken())
	waiting := last()
	if stdout, _ := o.want(0, "", "postier", "log", "resend", waiting); !strings.Contains(stdout, "still in the queue") {
		t.Error(stdout)
	}
	if len(o.taken()) != before+1 || len(o.logged()) != 6 {
		t.Errorf("%d messages, %d rows", len(o.taken())-before, len(o.logged()))
	}
}

// keepTexts sets log.text, as a person does in the file.
func (o *office) keepTexts() {
	o.t.Helper()
	doc, err := config.Load(o.path)
	if err == nil {
		doc.File.Log.Text = true
		err = doc.Save()
	}
	if err != nil {
		o.t.Fatal(err)
	}
}

// TestResendAfterTheFallback: the fallback had put its own address into the message; sent again through its own
// profile, it comes from its author.
func TestResendAfterTheFallback(t *testing.T) {
	t.Parallel()
	o := newOffice(t, nil)
	o.keepTexts()
	doc, err := config.Load(o.path)
	if err != nil {
		t.Fatal(err)
	}
	platform := *doc.File.Profiles["durand"]
	platform.From, platform.Senders = config.Address{Name: "Platform", Address: "noreply@platform.example"}, nil
	for _, err := range []error{doc.Put("platform", &platform), doc.SetFallback("platform"), doc.Save()} {
		if err != nil {
			t.Fatal(err)
		}
	}
	o.switchedOff("wrong-password")
	o.want(0, "", "postier", "send", "--to", "anna@customer.example", "--subject", "Invoice", "--body", "t")
	row := o.logged()[0]
	if row["profile"] != "platform" || row["instead"] != "durand" || row["from"] != "contact@durand.example" {
		t.Errorf("%v", row)
	}
	if n := len(o.logged("--profile", "durand")); n != 1 {
		t.Errorf("%d rows of the profile that it was for", n)
	}
	o.want(0, "", "postier", "profile", "enable", "durand", "--force")
	o.want(0, "", "postier", "log", "resend", row["id"].(string))
	got := o.taken()
	if len(got) != 2 || !strings.Contains(got[0], "noreply@platform.example") ||
		strings.Contains(got[1], "platform.example") || !strings.Contains(got[1], "<contact@durand.example>") ||
		strings.Contains(got[1], "Reply-To:") {
		t.Errorf("%q", got)
	}
}

// TestLogHoldsNoText: without log.text, nothing of a message's text is on the disk after it was sent.
func TestLogHoldsNoText(t *testing.T) {
	t.Parallel()
	o := newOffice(t, nil)
	const text = "c4nary of the text"
	message := []string{"postier", "send", "--to", "anna@customer.example", "--subject", "s", "--body", text}
	o.want(0, "", message...)
	o.want(0, "", append(message, "--direct")...)
	files, _ := filepath.Glob(filepath.Join(filepath.Dir(o.path), "postier.db*"))
	if len(files) == 0 || len(o.logged()) != 2 {
		t.Fatal(files)
	}
	for _, path := range files {
		if data, err := os.ReadFile(path); err != nil || strings.Contains(string(data), text) {
			t.Errorf("%s holds the text, %v", path, err)
		}
	}
}
