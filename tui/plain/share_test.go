package plain

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"postier/internal/locale"
	"postier/share"
	"postier/wizard"
	"postier/wizard/home"
)

// patience is how long these tests wait before they fail.
const patience = 20 * time.Second

// page is what a program has printed so far.
type page struct {
	t    *testing.T
	mu   sync.Mutex
	text strings.Builder
	more chan struct{}
}

func newPage(t *testing.T) *page { return &page{t: t, more: make(chan struct{})} }

func (p *page) Write(data []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	close(p.more)
	p.more = make(chan struct{})
	return p.text.Write(data)
}

// waits returns what was printed, as soon as it holds the text.
func (p *page) waits(text string) string {
	p.t.Helper()
	late := time.After(patience)
	for {
		p.mu.Lock()
		got, more := p.text.String(), p.more
		p.mu.Unlock()
		if strings.Contains(got, text) {
			return got
		}
		select {
		case <-more:
		case <-late:
			p.t.Fatalf("%q never came:\n%s", text, got)
		}
	}
}

// keyboard types lines.
type keyboard struct{ *io.PipeWriter }

func (k keyboard) line(text string) { _, _ = io.WriteString(k, text+"\n") }

func typist(t *testing.T) (io.Reader, keyboard) {
	t.Helper()
	in, out := io.Pipe()
	t.Cleanup(func() { _ = out.Close() })
	return in, keyboard{out}
}

// helperAt joins an offer on plain lines.
func helperAt(t *testing.T, hub *share.Hub, code share.Code, lang locale.Lang) (*page, keyboard, <-chan error) {
	t.Helper()
	here, there := streams()
	if err := hub.Join(share.Guest{Name: "max\x1b[2J"}, code, here); err != nil {
		t.Fatal(err)
	}
	out := newPage(t)
	in, keys := typist(t)
	viewer := share.NewViewer(there)
	t.Cleanup(viewer.Close)
	ended := make(chan error, 1)
	go func() {
		ended <- Watch(context.Background(), WatchOptions{Viewer: viewer, Lang: lang, In: in, Out: out})
	}()
	return out, keys, ended
}

func presenter(t *testing.T) (*share.Presenter, *share.Hub) {
	t.Helper()
	hub := new(share.Hub)
	p := share.NewPresenter(func(context.Context) (share.Opening, error) { return hub.Open() })
	t.Cleanup(p.Close)
	return p, hub
}

func codeIn(t *testing.T, text, before string) share.Code {
	t.Helper()
	_, rest, _ := strings.Cut(text, before)
	code, ok := share.ParseCode(rest[:min(len(rest), 9)])
	if !ok {
		t.Fatalf("no code after %q in:\n%s", before, text)
	}
	return code
}

// TestSharedByLines: a person in French and a helper in German, both on plain lines, from the first step to the wrong
// password. The helper points and writes, and the person ends it.
func TestSharedByLines(t *testing.T) {
	t.Parallel()
	o, provider, _ := rehearse(t, "wrong-password", locale.French)
	p, hub := presenter(t)
	out := newPage(t)
	in, keys := typist(t)
	o.Options.Share, o.Options.In, o.Options.Out = p, in, out
	options := o.options(t)
	ended := make(chan error, 1)
	go func() { ended <- Run(t.Context(), options) }()
	out.waits("Étape 1 sur 12")
	keys.line("+")
	code := codeIn(t, out.waits("Dites ce code à l'assistance : "), "Dites ce code à l'assistance : ")
	seen, helper, helperEnded := helperAt(t, hub, code, locale.German)
	seen.waits("Schritt 1 von 12")
	out.waits(`L'assistance (max\x1b[2J) regarde`)
	helper.line("1")
	out.waits("L'assistance montre ceci : Adresse e-mail")
	helper.line("noch einmal\x1b[2J bitte")
	out.waits(`assistance│ noch einmal\x1b[2J bitte`)
	keys.line(provider.Address)
	seen.waits("Schritt 2 von 12")
	keys.line("")
	seen.waits("Schritt 4 von 12")
	keys.line("")
	seen.waits("Schritt 5 von 12")
	const typed = "abcd-efgh-ijkl-mnop"
	keys.line(typed)
	all := seen.waits("A-14")
	if strings.Contains(all, typed) || strings.Contains(out.waits(""), typed) {
		t.Error("the password is shown")
	}
	keys.line("+")
	out.waits("Vous avez mis fin au partage")
	select {
	case err := <-helperEnded:
		if err != nil {
			t.Errorf("the helper's program ended with %v", err)
		}
	case <-time.After(patience):
		t.Error("the helper still looks")
	}
	_ = keys.Close()
	select {
	case <-ended:
	case <-time.After(patience):
		t.Error("the person's program does not end")
	}
}

// TestBeginsToShare: whoever begins with sharing is told the code, and why there is none, however soon that is known.
func TestBeginsToShare(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		open share.Opener
		want string
	}{
		"the code":    {func(context.Context) (share.Opening, error) { return new(share.Hub).Open() }, "Tell support this code: "},
		"none is had": {func(context.Context) (share.Opening, error) { return nil, errors.New("no socket") }, "no socket"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o, _, _ := rehearse(t, "", locale.English)
			p := share.NewPresenter(c.open)
			t.Cleanup(p.Close)
			out := newPage(t)
			in, keys := typist(t)
			o.Options.Share, o.Options.Sharing, o.Options.In, o.Options.Out = p, true, in, out
			options := o.options(t)
			ended := make(chan error, 1)
			go func() { ended <- Run(t.Context(), options) }()
			out.waits(c.want)
			_ = keys.Close()
			<-ended
		})
	}
}

// TestShortSharingIsTold: an offer that ends before anyone looked at it is told of as any other.
func TestShortSharingIsTold(t *testing.T) {
	t.Parallel()
	p := share.NewPresenter(func(context.Context) (share.Opening, error) { return nil, errors.New("no socket") })
	t.Cleanup(p.Close)
	out := newPage(t)
	s := newSharing(&printer{out: out, lang: locale.English}, p)
	for range 2 {
		p.Start()
		for now := p.Status(); now.Phase != share.Off; now = p.Status() {
			<-now.Changed
		}
		if !s.tell() {
			t.Error("nothing is said")
		}
	}
	if said := strings.Count(out.waits("no socket"), "no socket"); said != 2 {
		t.Errorf("said %d times:\n%s", said, out.waits(""))
	}
}

// TestSharedHomeByLines: the list of profiles, whose letters a helper can point at.
func TestSharedHomeByLines(t *testing.T) {
	t.Parallel()
	p, hub := presenter(t)
	out := newPage(t)
	in, keys := typist(t)
	ended := make(chan home.Choice, 1)
	go func() {
		choice, _ := Home(context.Background(), HomeOptions{
			Items: []home.Item{{Name: "durand", Address: "contact@durand.example", Enabled: true, Default: true}},
			Share: p, Lang: locale.English, In: in, Out: out,
		})
		ended <- choice
	}()
	out.waits("durand")
	keys.line("+")
	seen, helper, _ := helperAt(t, hub, codeIn(t, out.waits("this code: "), "this code: "), locale.French)
	seen.waits("contact@durand.example")
	list := seen.waits("[Supprimer")
	number := ""
	for line := range strings.SplitSeq(list, "\n") {
		if n, _, found := strings.Cut(strings.TrimSpace(line), ". [Tester"); found {
			number = n
		}
	}
	helper.line(number)
	out.waits("Support points here: ")
	helper.line("<")
	out.waits("Support has left.")
	keys.line("t")
	if choice := <-ended; choice.Action != home.Test {
		t.Errorf("chose %v", choice)
	}
}

// TestPlusIsASecretToo: a secret of several characters may begin with the sign, and one that is nothing but the sign is
// the command.
func TestPlusIsASecretToo(t *testing.T) {
	t.Parallel()
	d := &dialog{printer: printer{out: io.Discard, lang: locale.English}}
	p, _ := presenter(t)
	d.input = newInput(strings.NewReader(""))
	d.share(p)
	if _, command := d.command(wizard.Screen{}, "", true); command {
		t.Error("a long secret is a command")
	}
	if _, command := d.command(wizard.Screen{}, "+", true); !command || p.Status().Phase != share.Waiting {
		t.Error("the sign alone does not share")
	}
}

// streams are both ends of a stream in memory.
func streams() (here, there net.Conn) { return net.Pipe() }
