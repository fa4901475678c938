package worker

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"postier/config"
	"postier/internal/check"
	"postier/internal/locale"
	"postier/internal/rehearsal"
	"postier/internal/secret"
	"postier/internal/wire"
	"postier/presets"
	"postier/wizard"
)

// fixture is a worker with a rehearsal provider and an empty configuration folder.
type fixture struct {
	*Worker
	t        *testing.T
	provider *rehearsal.Provider
	folder   string
}

func newFixture(t *testing.T, fault string) *fixture {
	t.Helper()
	return newFixtureWith(t, rehearsal.Options{Fault: fault, Lang: locale.French, Slow: 50 * time.Millisecond})
}

func newFixtureWith(t *testing.T, o rehearsal.Options) *fixture {
	t.Helper()
	provider, err := rehearsal.Start(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(provider.Close)
	preset, err := provider.Preset()
	if err != nil {
		t.Fatal(err)
	}
	resolver, err := wire.ResolverAt(provider.DNSAddr())
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	if err := os.Chmod(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	return &fixture{t: t, provider: provider, folder: folder, Worker: &Worker{
		Network: &wire.Network{Resolver: resolver, Roots: provider.Roots, Route: provider.Route, Timeout: 5 * time.Second},
		Book:    presets.Default().With(preset), ConfigPath: filepath.Join(folder, "config.json"), Lang: locale.French,
		Product: "Dayboard", Arrival: 3 * time.Second,
	}}
}

// draft returns the wizard's draft after the servers were confirmed.
func (h *fixture) draft() wizard.Draft {
	imap := h.provider.IMAP
	return wizard.Draft{
		Version: wizard.DraftVersion, Step: wizard.StepReview, Profile: "atelier", Address: h.provider.Address,
		Provider: "poste-demo",
		From:     config.Address{Address: h.provider.Address}, Submission: h.provider.Submission, IMAP: &imap,
		SecretType: config.SecretAppPassword, SentMode: config.SentAppend, SentFolder: "", Default: true,
	}
}

func (h *fixture) request(kind wizard.RequestKind) wizard.Request {
	return wizard.Request{ID: 7, Kind: kind, Draft: h.draft(), Secret: h.provider.Typed}
}

// do carries out one request and returns the final outcome and the ones before it.
func (h *fixture) do(ctx context.Context, r wizard.Request) (last wizard.Outcome, outcomes []wizard.Outcome) {
	h.t.Helper()
	h.Do(ctx, r, func(o wizard.Outcome) {
		if o.ID != r.ID || o.Kind != r.Kind {
			h.t.Errorf("told %d %s for %d %s", o.ID, o.Kind, r.ID, r.Kind)
		}
		if o.Done {
			last = o
			return
		}
		outcomes = append(outcomes, o)
	})
	if !last.Done {
		h.t.Fatalf("%s never ends", r.Kind)
	}
	return last, outcomes
}

func find(t *testing.T, reports []wizard.Report, id check.ID) wizard.Report {
	t.Helper()
	for _, r := range reports {
		if r.ID == id {
			return r
		}
	}
	t.Fatalf("no report of %s among %d", id, len(reports))
	return wizard.Report{}
}

func (h *fixture) file(name string) string {
	h.t.Helper()
	data, err := os.ReadFile(filepath.Join(h.folder, name))
	if err != nil {
		return ""
	}
	return string(data)
}

func (h *fixture) write(name, content string) {
	h.t.Helper()
	path := filepath.Join(h.folder, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		h.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		h.t.Fatal(err)
	}
}

func words(t *testing.T, w wizard.Words) string {
	t.Helper()
	for _, lang := range locale.All() {
		if text := w.Say(lang, "postier"); text == "" || text[0] == '<' {
			t.Errorf("%s says %q", lang, text)
		}
	}
	return w.Say(locale.English, "postier")
}

var secretOf = secret.New
