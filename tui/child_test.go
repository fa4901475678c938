package tui

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"postier/internal/locale"
	"postier/wizard"
	"postier/wizard/carrier"
)

// The test program runs itself as the front end of a child process, on a pseudo-terminal with real signals.
const (
	childVariable = "POSTIER_TUI_CHILD" // "wizard" or "home"
	draftVariable = "POSTIER_TUI_DRAFT" // the file in which the child stores its draft
)

func TestMain(m *testing.M) {
	switch os.Getenv(childVariable) {
	case "wizard":
		os.Exit(childWizard())
	case "home":
		os.Exit(childHome())
	default:
		os.Exit(m.Run())
	}
}

func childWizard() int {
	s, requests := wizard.New(wizard.Options{
		Today: "2026-11-21", ConfigPath: "/tmp/config.json", CheckName: checkName,
	})
	err := Run(context.Background(), Options{
		Conversation: carrier.Start(context.Background(), s, requests, autoWorker{}),
		Lang:         locale.FromEnvironment(os.Getenv), Resume: "postier setup --resume",
	})
	switch {
	case err == nil:
		return 0
	case errors.Is(err, carrier.ErrInterrupted):
		return 130
	default:
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
}

func childHome() int {
	choice, err := Home(context.Background(), HomeOptions{Items: homeItems(), Lang: locale.FromEnvironment(os.Getenv)})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 130
	}
	fmt.Printf("chose %s %s %s\n", choice.Action, choice.Profile, choice.Lang)
	return 0
}

// autoWorker lets all work succeed, but refuses the first password. With a password that begins with "hang" a check
// never ends, and with "boom" the worker panics.
type autoWorker struct{}

var ladderIDs = map[wizard.RequestKind][]string{
	wizard.DoSubmission: {
		"net.resolve", "net.connect", "smtp.greeting", "smtp.tls", "smtp.certificate", "smtp.ehlo",
		"smtp.auth", "smtp.sender", "smtp.recipient",
	},
	wizard.DoSent: {"imap.connect", "imap.tls", "imap.auth", "imap.folder"},
	wizard.DoDNS:  {"dns.mx", "dns.spf", "dns.dkim", "dns.dmarc"},
	wizard.DoTest: {"smtp.data", "arrival.delivered"},
}

func (autoWorker) Close() {}

func (autoWorker) Do(ctx context.Context, r wizard.Request, tell func(wizard.Outcome)) {
	o := wizard.Outcome{ID: r.ID, Kind: r.Kind, Done: true}
	switch r.Kind {
	case wizard.DoDraft:
		if file := os.Getenv(draftVariable); file != "" {
			data, _ := json.Marshal(r.Draft)
			_ = os.WriteFile(file, data, 0o600)
		}
	case wizard.DoSave:
		o.Saved = &wizard.Saved{Path: "/tmp/config.json", Profile: "gmail", Secret: "/tmp/secrets/gmail", Default: true}
	default:
		failed := ""
		if r.Kind == wizard.DoSubmission && len(r.Secret.Reveal()) >= 4 {
			switch r.Secret.Reveal()[:4] {
			case "hang":
				tell(wizard.Outcome{ID: r.ID, Kind: r.Kind, Report: &wizard.Report{ID: "net.connect", Running: true}})
				<-ctx.Done()
				return
			case "boom":
				panic("out of luck")
			case "wron":
				failed = "smtp.auth"
			}
		}
		o.Reports = reports(ladderIDs[r.Kind], failed)
		for _, report := range o.Reports {
			time.Sleep(time.Millisecond)
			tell(wizard.Outcome{ID: r.ID, Kind: r.Kind, Report: &report})
		}
		o.Folder, o.Folders = "Envoyés", []string{"Envoyés"}
	}
	tell(o)
}
