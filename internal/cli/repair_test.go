package cli

import (
	"encoding/json"
	"strings"
	"testing"

	"postier/config"
)

// TestRepairWritesTheWayThatWorks: the saved profile has the wrong TLS mode for its port.
func TestRepairWritesTheWayThatWorks(t *testing.T) {
	t.Parallel()
	o := newOffice(t, nil)
	right := config.Security("")
	o.change(func(p *config.Profile) {
		right = p.Submission.Security
		p.SentCopy = config.SentCopy{Mode: config.SentNone}
		if p.Submission.Security = config.SecurityTLS; right == config.SecurityTLS {
			p.Submission.Security = config.SecurityStartTLS
		}
	})
	args := []string{"postier", "diagnose", "durand", "--only", "smtp", "--timeout", "1s", "--repair", "--json"}
	code, out, said := o.run("", args...)
	var report struct {
		Root   struct{ ID string }
		Repair []struct {
			Area   string
			Change struct{ Security string }
			Proven []string
		}
	}
	if err := json.Unmarshal([]byte(out), &report); err != nil || code == 0 || len(report.Repair) != 1 ||
		report.Repair[0].Area != "submission" || report.Repair[0].Change.Security != string(right) ||
		len(report.Repair[0].Proven) != 3 || report.Root.ID == "" {
		t.Fatalf("exit %d, %v: %s%s", code, err, out, said)
	}
	doc, err := config.Load(o.path)
	if err != nil || doc.File.Profiles["durand"].Submission.Security == right {
		t.Fatalf("written without --yes: %v", err)
	}
	o.want(0, "", append(args, "--yes")...)
	if doc, err = config.Load(o.path); err != nil {
		t.Fatal(err)
	}
	if p := doc.File.Profiles["durand"]; p.Submission.Security != right || !p.Proven() {
		t.Errorf("%s, proven %v", p.Submission.Security, p.Proven())
	}
	o.want(0, "", "postier", "diagnose", "durand", "--only", "smtp", "--timeout", "1s", "--repair", "--json")
	args = []string{"postier", "diagnose", "durand", "--only", "smtp", "--timeout", "1s", "--repair"}
	if _, out, _ := o.run("", args...); strings.Contains(out, "No other way") {
		t.Errorf("another way is missed although nothing failed:\n%s", out)
	}
}

// TestRepairProvesOnlyWhatWasChecked: the proof includes the mailbox, which was not looked at.
func TestRepairProvesOnlyWhatWasChecked(t *testing.T) {
	t.Parallel()
	o := newOffice(t, nil)
	o.change(func(p *config.Profile) {
		wrong := config.SecurityTLS
		if p.Submission.Security == wrong {
			wrong = config.SecurityStartTLS
		}
		p.Submission.Security = wrong
		mailbox := config.Server{
			Host: p.Submission.Host, Port: 993, Security: config.SecurityTLS, Username: p.Submission.Username,
		}
		p.SentCopy = config.SentCopy{Mode: config.SentAppend, IMAP: &mailbox, Folder: "Sent"}
	})
	_, _, said := o.run("", "postier", "diagnose", "durand", "--only", "smtp", "--timeout", "1s", "--repair", "--yes")
	doc, err := config.Load(o.path)
	if err != nil {
		t.Fatal(err)
	}
	p := doc.File.Profiles["durand"]
	if p.Proven() || !strings.Contains(said, "imap.append") {
		t.Errorf("proven %v: %s", p.Proven(), said)
	}
}
