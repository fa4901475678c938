package plain

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"

	"postier/internal/check"
	"postier/internal/locale"
	"postier/internal/rehearsal"
	"postier/internal/wire"
	"postier/presets"
	"postier/wizard"
	"postier/wizard/carrier"
	"postier/wizard/worker"
)

// rehearsed holds the options of a conversation with the demo's servers.
type rehearsed struct {
	Options
	worker *worker.Worker
	begin  wizard.Options
}

// options begins a conversation and returns the options to run it with.
func (r rehearsed) options(t *testing.T) Options {
	t.Helper()
	state, requests := wizard.New(r.begin)
	r.Conversation = carrier.Start(t.Context(), state, requests, r.worker)
	return r.Options
}

// rehearse starts the demo's servers, with the configuration in a temporary folder.
func rehearse(t *testing.T, fault string, lang locale.Lang) (rehearsed, *rehearsal.Provider, string) {
	t.Helper()
	return rehearsalWith(t, rehearsal.Options{Lang: lang, Fault: fault, Slow: 50 * time.Millisecond})
}

func rehearsalWith(t *testing.T, options rehearsal.Options) (rehearsed, *rehearsal.Provider, string) {
	t.Helper()
	lang := options.Lang
	provider, err := rehearsal.Start(t.Context(), options)
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
	path := filepath.Join(t.TempDir(), "config.json")
	book := presets.Default().With(preset)
	network := &wire.Network{Resolver: resolver, Roots: provider.Roots, Route: provider.Route, Timeout: 3 * time.Second}
	w := &worker.Worker{
		Network: network, Book: book, ConfigPath: path, Lang: lang, Product: "postier", NoDraft: true,
		Arrival: 3 * time.Second,
	}
	return rehearsed{
		Options: Options{Lang: lang, Product: "postier", Resume: "postier setup --resume"}, worker: w,
		begin: wizard.Options{
			Book: book, Product: "postier", Today: "2026-11-21", ConfigPath: path,
			CheckName: worker.CheckName,
		},
	}, provider, path
}

// TestWholeSetupByLines walks every step in each language on a pipe, as a screen reader's user would type it.
func TestWholeSetupByLines(t *testing.T) {
	t.Parallel()
	for lang, want := range map[locale.Lang][]string{
		locale.English: {"Step 1 of 12", "Step 12 of 12", "can now leave as marie@atelier-demo.example"},
		locale.French:  {"Étape 1 sur 12", "Étape 12 sur 12", "peuvent maintenant partir"},
		locale.German:  {"Schritt 1 von 12", "Schritt 12 von 12", "können jetzt"},
	} {
		t.Run(string(lang), func(t *testing.T) {
			t.Parallel()
			o, provider, path := rehearse(t, "", lang)
			var out bytes.Buffer
			lines := []string{provider.Address, "", "", provider.Password.Reveal(), "", "", "", "", "", "", ""}
			o.In, o.Out = strings.NewReader(strings.Join(lines, "\n")+"\n"), &out
			if err := Run(t.Context(), o.options(t)); err != nil {
				t.Fatalf("%v\n%s", err, out.String())
			}
			for _, text := range want {
				if !strings.Contains(out.String(), text) {
					t.Errorf("%q is missing in:\n%s", text, out.String())
				}
			}
			if strings.Contains(out.String(), "<") && strings.Contains(out.String(), "<wizard.") {
				t.Error("a message is missing")
			}
			info, err := os.Stat(path)
			if err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("the configuration: %v, %v", info, err)
			}
			for line := range strings.SplitSeq(out.String(), "\n") {
				if strings.ContainsRune(line, '\x1b') {
					t.Errorf("a control character in %q", line)
				}
			}
		})
	}
}

// TestCommandsAtThePrompt goes back, switches the language and reads help, and loses nothing.
func TestCommandsAtThePrompt(t *testing.T) {
	t.Parallel()
	o, provider, _ := rehearse(t, "", locale.English)
	var out bytes.Buffer
	o.Out = &out
	o.In = strings.NewReader(strings.Join([]string{
		"not an address", provider.Address, // refused at the field, then right
		"<", "=", "?", "", // from step 2 back to step 1, French, help, keep the address
	}, "\n") + "\n")
	err := Run(t.Context(), o.options(t))
	if !errors.Is(err, carrier.ErrInterrupted) {
		t.Fatalf("end of input: %v", err)
	}
	text := out.String()
	for _, want := range []string{
		"Problem:", "Étape 1 sur 12", "[" + provider.Address + "]", "Étape 2 sur 12",
		"postier setup --resume",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in:\n%s", want, text)
		}
	}
}

// TestEndOfInputIsNoAnswer: at each prompt, the end of input ends the conversation and is not taken for an answer.
func TestEndOfInputIsNoAnswer(t *testing.T) {
	t.Parallel()
	lines := []string{rehearsal.Address, "", "", "kivo-tams-relu-pade", "", "", "", "", "", ""}
	for n := range len(lines) {
		o, _, path := rehearse(t, "", locale.English)
		var out bytes.Buffer
		o.Out = &out
		o.In = strings.NewReader(strings.Join(lines[:n], "\n"))
		if n > 0 {
			o.In = strings.NewReader(strings.Join(lines[:n], "\n") + "\n")
		}
		if err := Run(t.Context(), o.options(t)); !errors.Is(err, carrier.ErrInterrupted) {
			t.Errorf("after %d lines: %v", n, err)
		}
		if _, err := os.Stat(path); err == nil && n < len(lines) {
			t.Errorf("after %d lines a configuration was written", n)
		}
	}
}

// TestFailureNamesCauseAndServerBlock: a failure prints cause and remedy, and marks every line of the server's reply.
func TestFailureNamesCauseAndServerBlock(t *testing.T) {
	t.Parallel()
	o, _, _ := rehearse(t, "wrong-password", locale.English)
	var out bytes.Buffer
	o.Out = &out
	o.In = strings.NewReader(rehearsal.Address + "\n\n\nkivo-tams-relu-pabe\n")
	_ = Run(t.Context(), o.options(t))
	text := out.String()
	for _, want := range []string{"A-14", "server│ 535"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in:\n%s", want, text)
		}
	}
	if strings.Contains(text, "kivo-tams-relu-pabe") {
		t.Error("the secret is on the screen")
	}
}

// TestUnattended goes through every step without a question, and stops with the cause where a person would be needed.
func TestUnattended(t *testing.T) {
	t.Parallel()
	for fault, want := range map[string]check.Cause{
		"": "", "wrong-password": "wrong-password", "cert-expired": "cert-expired",
		"no-sent-folder": "folder-missing",
	} {
		t.Run("fault "+fault, func(t *testing.T) {
			t.Parallel()
			o, provider, _ := rehearse(t, fault, locale.English)
			o.begin.Address, o.begin.Secret = provider.Address, provider.Typed
			var out bytes.Buffer
			o.Out = &out
			err := Unattended(t.Context(), o.options(t))
			var stopped *Stopped
			switch {
			case want == "" && err != nil:
				t.Fatalf("%v\n%s", err, out.String())
			case want != "" && (!errors.As(err, &stopped) || stopped.Finding == nil || stopped.Finding.Cause != want):
				t.Fatalf("got %v\n%s", err, out.String())
			case want != "" && !strings.Contains(out.String(), "["+string(want)+"]"):
				t.Errorf("the cause is not printed:\n%s", out.String())
			}
		})
	}
}

// panicWorker is a worker that panics during the search.
type panicWorker struct{}

func (panicWorker) Close() {}

func (panicWorker) Do(_ context.Context, r wizard.Request, tell func(wizard.Outcome)) {
	if r.Kind == wizard.DoDiscover {
		panic("out of luck")
	}
	tell(wizard.Outcome{ID: r.ID, Kind: r.Kind, Done: true})
}

// TestWorkerPanics: Run prints how to go on and returns the panic as an error.
func TestWorkerPanics(t *testing.T) {
	t.Parallel()
	for name, run := range map[string]func(context.Context, Options) error{"asked": Run, "unattended": Unattended} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			state, requests := wizard.New(wizard.Options{
				Today: "2026-11-21", Address: "marie@durand.example", Resumed: true,
			})
			var out bytes.Buffer
			err := run(t.Context(), Options{
				Conversation: carrier.Start(t.Context(), state, requests, panicWorker{}), Lang: locale.English, Product: "postier",
				In: strings.NewReader("\n\n"), Out: &out, Resume: "postier setup --resume",
			})
			var broken *carrier.PanicError
			if !errors.As(err, &broken) || broken.Value != "out of luck" {
				t.Errorf("%v\n%s", err, out.String())
			}
			if name == "asked" && !strings.Contains(out.String(), "postier setup --resume") {
				t.Errorf("does not say how to go on:\n%s", out.String())
			}
		})
	}
}

// TestEndOfInput: who ends the input in the first step has nothing to go on with, and is not told to; later the command
// is named, unless it is a rehearsal.
func TestEndOfInput(t *testing.T) {
	t.Parallel()
	const command = "postier setup --resume"
	for name, c := range map[string]struct{ typed, resume, want string }{
		"in the first step":  {"", command, "Nothing new is kept"},
		"in the second step": {"marie@atelier-demo.example\n", command, command},
		"in a rehearsal":     {"marie@atelier-demo.example\n", "", "The rehearsal was stopped"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o, _, _ := rehearse(t, "", locale.English)
			var out bytes.Buffer
			o.Options.In, o.Options.Out, o.Options.Resume = strings.NewReader(c.typed), &out, c.resume
			if err := Run(t.Context(), o.options(t)); !errors.Is(err, carrier.ErrInterrupted) {
				t.Error(err)
			}
			if got := out.String(); !strings.Contains(got, c.want) || c.want != command && strings.Contains(got, command) {
				t.Errorf("no %q in\n%s", c.want, got)
			}
		})
	}
}

// TestPastedSecretIsOneLine: of several pasted lines the first is the secret; the others answer no question and are not
// shown.
func TestPastedSecretIsOneLine(t *testing.T) {
	t.Parallel()
	controller, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer controller.Close()
	defer tty.Close()
	if _, err := controller.WriteString("\x1b[200~geheim-1234\nzweite zeile\n\x1b[201~"); err != nil {
		t.Fatal(err)
	}
	v, err := ReadSecret(t.Context(), tty, io.Discard, "Password")
	if err != nil || v.Reveal() != "geheim-1234" {
		t.Errorf("the secret has %d octets, %v", len(v.Reveal()), err)
	}
	if _, err := controller.WriteString("next\n"); err != nil {
		t.Fatal(err)
	}
	if line, err := newInput(tty).read(t.Context()); err != nil || line != "next" {
		t.Errorf("the next question is answered by %q, %v", line, err)
	}
}
