package watch

import (
	"database/sql"
	"io"
	"mime/quotedprintable"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"postier/config"
	"postier/config/credential"
	"postier/delivery"
	"postier/diagnostics"
	"postier/internal/account"
	"postier/internal/check"
	"postier/internal/locale"
	"postier/internal/rehearsal/certificates"
	"postier/internal/scripted"
	"postier/internal/wire"
)

const (
	author   = "contact@durand.example"
	platform = "noreply@platform.example"
)

// bench is a configuration with a profile and its fallback, a server for each, and a clock. The results of the checks
// are those that a test sets.
type bench struct {
	t             testing.TB
	path          string
	own, fallback *scripted.Server
	watcher       *Watcher
	ca            *certificates.CA

	mu      sync.Mutex
	now     time.Time
	results map[string][]diagnostics.Result
	resting []check.ID
	since   time.Time
	started time.Time
}

func profileAt(host, address string) *config.Profile {
	p := &config.Profile{
		Enabled: true, From: config.Address{Name: "Cabinet Durand", Address: address},
		Submission: config.Server{
			Host: host, Port: 465, Security: config.SecurityTLS, Auth: config.MechanismAuto, Username: address,
		},
		Credential: config.Credential{
			Kind: config.CredentialFile, Path: "secrets/" + config.Slug(host), Type: config.SecretPassword,
		},
		SentCopy: config.SentCopy{Mode: config.SentNone},
	}
	p.Validated = &config.Validated{At: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC), Digest: p.Digest(), Checks: proven()}
	return p
}

// proven are the checks of a profile that worked when it was set up.
func proven() map[check.ID]check.Status {
	return map[check.ID]check.Status{
		check.SMTPAuth: check.Pass, check.SMTPCertificate: check.Pass, check.IMAPAppend: check.Pass, check.DNSSPF: check.Pass,
		check.DNSDMARC: check.Warn,
	}
}

func newBench(t testing.TB, own, fallback scripted.Script) *bench {
	t.Helper()
	folder := t.TempDir()
	b := &bench{
		t: t, path: filepath.Join(folder, "config.json"), now: time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC),
		results: map[string][]diagnostics.Result{}, ca: scripted.StartCA(t),
	}
	b.must(os.Chmod(folder, 0o700))
	doc := config.New(b.path)
	b.must(doc.Put("durand", profileAt("smtp.durand.example", author)))
	b.must(doc.Put("platform", profileAt("smtp.platform.example", platform)))
	doc.File.Fallback = "platform"
	b.must(doc.Save())
	b.must(os.MkdirAll(filepath.Join(folder, "secrets"), 0o700))
	for _, host := range []string{"smtp.durand.example", "smtp.platform.example"} {
		b.must(os.WriteFile(b.secret(host), []byte("C4nary#password-7\n"), 0o600))
	}
	start := func(host string, script scripted.Script) *scripted.Server {
		cert, err := b.ca.Certificate(certificates.Good, host)
		b.must(err)
		return scripted.StartSMTP(t, scripted.Options{Certificate: &cert, ImplicitTLS: true, Script: script})
	}
	b.own, b.fallback = start("smtp.durand.example", own), start("smtp.platform.example", fallback)
	resolver, err := wire.ResolverAt(scripted.StartDNS(t, `
smtp.durand.example. 300 IN A 192.0.2.10
smtp.platform.example. 300 IN A 192.0.2.11
durand.example. 300 IN MX 10 smtp.durand.example.
platform.example. 300 IN MX 10 smtp.platform.example.
smtp.private.example. 300 IN A 10.1.2.3
com. 300 IN NS a.example.
`).Addr())
	b.must(err)
	network := &wire.Network{
		Resolver: resolver, Roots: b.ca.Roots(), Timeout: 5 * time.Second,
		Route: func(_, host string, _ int) (string, bool) {
			switch host {
			case "smtp.durand.example":
				return b.own.Addr(), true
			case "smtp.platform.example":
				return b.fallback.Addr(), true
			}
			return "", false
		},
	}
	store, err := delivery.OpenStore(t.Context(), config.Database{File: filepath.Join(folder, "postier.db")})
	b.must(err)
	store.Now = b.clock
	accounts := &account.Source{Network: network, Credentials: credential.For(b.path), ConfigPath: b.path}
	sender := &delivery.Sender{Accounts: accounts}
	t.Cleanup(func() { sender.Close(); _ = store.Close() })
	b.watcher = &Watcher{
		Accounts: accounts, Lang: locale.English, patience: time.Millisecond,
		Queue: &delivery.Queue{
			Store: store, Sender: sender, Lang: locale.English, Product: "Atelier Compta", Program: "postier",
			Load:    func() (*config.Document, error) { return config.Load(b.path) },
			Contact: func(locale.Lang) string { return "Support: +33 1 23 45 67 89" },
		},
		try: func(name string, _ *config.Profile, resting []check.ID) []diagnostics.Result {
			b.mu.Lock()
			defer b.mu.Unlock()
			if name == "durand" {
				b.resting = resting
			}
			return b.results[name]
		},
	}
	b.started = b.now
	b.find("platform", passed()...)
	return b
}

func (b *bench) secret(host string) string {
	return filepath.Join(filepath.Dir(b.path), "secrets", config.Slug(host))
}

func (b *bench) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) clock() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.now
}

func (b *bench) wait(d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.now = b.now.Add(d)
}

// find sets what the next rounds find of a profile.
func (b *bench) find(name string, results ...diagnostics.Result) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.results[name] = results
}

// round does a round after a while, and returns the outcome of the profile durand.
func (b *bench) round(names ...string) Outcome {
	b.t.Helper()
	b.wait(time.Hour)
	round, err := b.watcher.Round(b.t.Context(), names...)
	b.must(err)
	for _, o := range round.Profiles {
		if o.Profile == "durand" {
			return o
		}
	}
	return Outcome{}
}

func (b *bench) change(edit func(*config.File)) {
	b.t.Helper()
	doc, err := config.Load(b.path)
	b.must(err)
	edit(&doc.File)
	b.must(doc.Save())
}

// sql runs a statement on the state, as a fault of the disk would.
func (b *bench) sql(statement string) {
	b.t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(filepath.Dir(b.path), "postier.db"))
	b.must(err)
	defer func() { _ = db.Close() }()
	_, err = db.Exec(statement)
	b.must(err)
}

// health is how the list of profiles says that durand is doing.
func (b *bench) health() (delivery.Health, check.Cause) {
	b.t.Helper()
	standings, err := b.watcher.Queue.Store.Standings(b.t.Context())
	b.must(err)
	doc, err := config.Load(b.path)
	b.must(err)
	health, _, cause := standings.Profiles["durand"].Health(doc.File.Profiles["durand"])
	return health, cause
}

// letter is a message that a server was given.
type letter struct{ header, text string }

// taken are the messages that a server was given, decoded.
func taken(t testing.TB, s *scripted.Server) []letter {
	t.Helper()
	var out []letter
	raw := ""
	for _, r := range s.Records() {
		switch {
		case r.Phase != "message":
		case string(r.Data) == ".\r\n":
			header, body, _ := strings.Cut(raw, "\r\n\r\n")
			body = strings.ReplaceAll(body, "\r\n..", "\r\n.") // RFC 5321 §4.5.2
			text, err := io.ReadAll(quotedprintable.NewReader(strings.NewReader(body)))
			if err != nil {
				t.Fatal(err)
			}
			out, raw = append(out, letter{header, string(text)}), ""
		default:
			raw += string(r.Data)
		}
	}
	return out
}

func said(s *scripted.Server, verb string) int {
	return strings.Count(strings.ToUpper(string(s.Received())), "\n"+verb)
}

// result is one of a check.
func result(id check.ID, status check.Status, cause check.Cause,
	evidence ...diagnostics.Observation,
) diagnostics.Result {
	return diagnostics.Result{ID: id, Status: status, Cause: cause, Evidence: evidence}
}

func passed() []diagnostics.Result {
	return []diagnostics.Result{
		result(check.NetConnect, check.Pass, ""), result(check.SMTPAuth, check.Pass, ""),
		result(check.SMTPSender, check.Pass, ""), result(check.DNSSPF, check.Pass, ""),
	}
}

// refused is a sign-in that is refused for good.
func refused() []diagnostics.Result {
	return []diagnostics.Result{
		result(check.NetConnect, check.Pass, ""),
		{
			ID: check.SMTPAuth, Status: check.Fail, Cause: check.CauseWrongPassword,
			Code: &diagnostics.ReplyCode{Reply: 535, Enhanced: "5.7.8"},
		},
		result(check.SMTPSender, check.Skip, check.CauseNeedsFailed), result(check.DNSSPF, check.Pass, ""),
	}
}
