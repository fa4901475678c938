package plain

import (
	"context"
	"io"
	"strconv"
	"strings"

	"postier/internal/locale"
	"postier/share"
	"postier/wizard"
	"postier/wizard/carrier"
	"postier/wizard/home"
)

// HomeOptions are what Home needs.
type HomeOptions struct {
	Items []home.Item
	// Select is the profile that the letters act on first; empty means the default.
	Select string
	// Notice tells how the last action ended, Queue what is wrong with the queue; empty when there is nothing to say.
	Notice, Queue wizard.Words
	Lang          locale.Lang
	Product       string
	Share         *share.Presenter
	In            io.Reader
	Out           io.Writer
}

// Home lists the saved profiles and returns the action that the person chose, as the full-screen one does.
func Home(ctx context.Context, o HomeOptions) (home.Choice, error) {
	h := &homeDialog{
		printer: printer{out: o.Out, lang: o.Lang, product: o.Product}, input: lineInput(o.In), items: o.Items,
	}
	defer h.input.close()
	for i, item := range h.items {
		if item.Name == o.Select || o.Select == "" && item.Default {
			h.at = i
		}
	}
	for _, words := range []wizard.Words{o.Notice, o.Queue} {
		if !words.Empty() {
			h.paragraph("", h.words(words))
		}
	}
	if o.Share != nil {
		h.sharing = newSharing(&h.printer, o.Share)
		h.input.news = h.sharing
	}
	h.list()
	h.sharing.remind()
	for {
		h.sharing.show(share.View{Screen: home.Shown(h.items, h.at, o.Notice, o.Queue)})
		choice, done, err := h.ask(ctx)
		if err != nil || done {
			choice.Lang = h.lang
			return choice, err
		}
	}
}

type homeDialog struct {
	printer
	input *input
	items []home.Item
	at    int // the profile that the letters act on

	sharing *sharing // nil where nothing can be shared
}

func (h *homeDialog) list() {
	h.printLine("")
	h.printLine(h.t("tui.home-title"))
	if len(h.items) == 0 {
		h.say("tui.home-empty")
	}
	for i, item := range h.items {
		h.printLine("")
		name := wizard.Remote(item.Name)
		if item.Label != "" {
			name = wizard.Remote(item.Label + " (" + item.Name + ")")
		}
		h.paragraph(strconv.Itoa(i+1)+". ", h.words(name)+", "+h.join(item.Marks(), ", "))
		h.paragraph("   ", h.words(wizard.Remote(item.Address))+": "+h.join(item.Standing(), ", "))
		if len(item.Traffic) > 0 {
			h.paragraph("   ", h.join(item.Traffic, ", "))
		}
		if !item.Next.Empty() {
			h.paragraph("   ", h.t("tui.home-next")+" "+h.words(item.Next))
		}
	}
	h.printLine("")
}

func (p *printer) join(words []wizard.Words, between string) string {
	var said []string
	for _, w := range words {
		said = append(said, p.words(w))
	}
	return strings.Join(said, between)
}

func (h *homeDialog) current() home.Item {
	if h.at < len(h.items) {
		return h.items[h.at]
	}
	return home.Item{}
}

// keys lists the letters.
func (h *homeDialog) keys() {
	for _, k := range home.Offered(h.current()) {
		if len(h.items) > 0 || k.Action.Alone() {
			h.paragraph("  "+k.Letter+" = ", h.words(k.Action.Label(h.current())))
		}
	}
	if len(h.items) > 1 {
		h.say("plain.home.number")
	}
	h.say("plain.home.keys")
}

// ask reads one line: a letter, the number of a profile, ? or =.
func (h *homeDialog) ask(ctx context.Context) (home.Choice, bool, error) {
	prompt := h.t("plain.prompt")
	if len(h.items) > 0 {
		prompt = h.t("plain.home.prompt", "name", h.words(wizard.Remote(h.current().Name)))
	}
	h.input.ask(&h.printer, prompt)
	line, err := h.input.read(ctx)
	if err != nil {
		return home.Choice{Action: home.Quit}, true, err
	}
	line = strings.ToLower(strings.TrimPrefix(strings.TrimSpace(line), "/"))
	switch n, notNumber := strconv.Atoi(line); {
	case h.sharing.toggle(line):
		return home.Choice{}, false, nil
	case notNumber == nil && n >= 1 && n <= len(h.items):
		h.at = n - 1
		return home.Choice{}, false, nil
	case line == "" || line == "?":
		h.keys()
		return home.Choice{}, false, nil
	case line == "=":
		h.lang = h.lang.Next()
		h.list()
		return home.Choice{}, false, nil
	case line == "<": // one too many on the way back from a page must not end the program
		h.say("tui.home-first")
		return home.Choice{}, false, nil
	}
	for _, k := range home.Offered(h.current()) {
		if k.Letter == line && (len(h.items) > 0 || k.Action.Alone()) {
			return h.choose(ctx, k.Action)
		}
	}
	h.say("plain.what")
	return home.Choice{}, false, nil
}

// choose is the action of a letter; a profile is deleted only after a yes.
func (h *homeDialog) choose(ctx context.Context, action home.Action) (home.Choice, bool, error) {
	item := h.current()
	switch {
	case action.Alone():
		return home.Choice{Action: action}, true, nil
	case action == home.Default && item.Default:
		h.say("tui.home-default-already", "name", wizard.Remote(item.Name).Remote)
		return home.Choice{}, false, nil
	case action == home.Delete:
		h.say("tui.home-delete-title", "name", wizard.Remote(item.Name).Remote)
		h.say("tui.home-delete-text")
		h.prompt(h.t("plain.home.sure"))
		line, err := h.input.read(ctx)
		if yes, ok := h.confirm(strings.TrimSpace(line)); err != nil || !ok || yes != wizard.Yes {
			return home.Choice{Action: home.Quit}, err != nil, err
		}
	}
	return home.Choice{Action: action.For(item), Profile: item.Name}, true, nil
}

// PageOptions are what Ask needs. Page must be given.
type PageOptions struct {
	Page    carrier.Page
	Product string
	Lang    locale.Lang
	Share   *share.Presenter
	In      io.Reader
	Out     io.Writer
}

// Ask asks a page on plain lines until it is over, and returns the language that was in use at the end.
func Ask(ctx context.Context, o PageOptions) (locale.Lang, error) {
	talk := carrier.Show(o.Page)
	defer talk.Close()
	d := &dialog{
		printer: printer{out: o.Out, lang: o.Lang, product: o.Product}, conversation: talk, input: lineInput(o.In),
	}
	defer d.input.close()
	d.share(o.Share)
	err := d.run(ctx)
	return d.lang, err
}
