package lookup

import (
	"cmp"
	"context"
	"errors"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"postier/internal/cli/command"
	"postier/internal/discovery"
	"postier/internal/exitcode"
	"postier/internal/safetext"
	"postier/presets"
	"postier/presets/guide"
)

// GuideOptions are the flags and arguments of `postier guide`.
type GuideOptions struct {
	*command.Factory
	Provider        string
	Format, Product string
	List            bool
}

// NewGuide is `postier guide`.
func NewGuide(f *command.Factory, run command.Run[*GuideOptions]) *cobra.Command {
	o := &GuideOptions{Factory: f}
	cmd := &cobra.Command{Use: "guide PROVIDER", Short: f.T("guide.short"), Args: f.Args(0, 1)}
	cmd.Flags().StringVar(&o.Format, "format", guideText, f.T("guide.flag.format"))
	cmd.Flags().StringVar(&o.Product, "product", "", f.T("guide.flag.product"))
	cmd.Flags().BoolVar(&o.List, "list", false, f.T("guide.flag.list"))
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) > 0:
			o.Provider = args[0]
		case !o.List:
			return f.Args(1, 1)(cmd, args)
		}
		return run.Or(runGuide)(cmd.Context(), o)
	}
	return cmd
}

const (
	guideText     = "text"
	guideMarkdown = "md"
	guideHTML     = "html"
)

// GuideFormats are those of `guide`.
var GuideFormats = []string{guideText, guideMarkdown, guideHTML}

func runGuide(ctx context.Context, o *GuideOptions) error {
	if o.List {
		return listGuides(o.Factory)
	}
	if o.Format == "markdown" { // as it was called at first
		o.Format = guideMarkdown
	}
	write, ok := map[string]func(guide.Page, io.Writer) error{
		guideText: guide.Page.Text, guideMarkdown: guide.Page.Markdown, guideHTML: guide.Page.HTML,
	}[o.Format]
	if !ok {
		return command.Usage(o.T("guide.error.format", "value", safetext.FromRemote(o.Format)))
	}
	p, err := providerCalled(ctx, o.Factory, o.Provider)
	if err != nil {
		return err
	}
	options := guide.Options{Lang: o.Lang(), Product: cmp.Or(o.Product, o.Factory.Product()), Today: time.Now()}
	if strings.Contains(o.Provider, "@") {
		options.Address = o.Provider
	}
	page := guide.For(p, options)
	if o.JSON {
		return o.PrintJSON(page)
	}
	return write(page, o.Out)
}

// providerCalled finds a provider by domain, id or name, or by an address, whose domain is looked up when it is
// unknown.
func providerCalled(ctx context.Context, f *command.Factory, wanted string) (*presets.Provider, error) {
	book := f.Book()
	unknown := f.Fault(exitcode.Data, "guide.error.unknown", "name", safetext.FromRemote(wanted))
	if strings.Contains(wanted, "@") {
		return providerOfAddress(ctx, f, wanted, unknown)
	}
	if match, ok := book.Domain(wanted); ok {
		if p, ok := book.Get(match.ID); ok {
			return p, nil
		}
	}
	if p, ok := book.Get(strings.ToLower(wanted)); ok {
		if same, ok := book.Get(p.SameAs); ok {
			return same, nil
		}
		return p, nil
	}
	hits := book.Search(wanted, f.Lang())
	var ids []string
	for _, e := range hits {
		if ids = append(ids, e.ID); strings.EqualFold(e.NameIn(f.Lang()), wanted) || strings.EqualFold(e.Name, wanted) {
			ids = []string{e.ID}
			break
		}
	}
	if len(ids) > 1 {
		return nil, f.Fault(exitcode.Data, "guide.error.several", "name", safetext.FromRemote(wanted), "list",
			strings.Join(ids, ", "))
	}
	for _, id := range ids {
		if p, ok := book.Get(id); ok {
			return p, nil
		}
	}
	return nil, unknown
}

func providerOfAddress(ctx context.Context, f *command.Factory, address string, unknown error) (*presets.Provider,
	error,
) {
	if err := f.CheckAddress(address); err != nil {
		return nil, err
	}
	network, err := f.Network()
	if err != nil {
		return nil, err
	}
	candidates, err := discovery.Find(ctx, network, f.Book(), address, discovery.Options{})
	if errors.Is(err, context.Canceled) {
		return nil, err
	}
	for _, c := range candidates {
		if p, ok := f.Book().Get(c.Provider); ok {
			return p, nil
		}
	}
	return nil, unknown
}

// guideEntry is one line of `guide --list --json`.
type guideEntry struct {
	ID     string         `json:"id"`
	Name   string         `json:"name"`
	Kind   presets.Kind   `json:"kind"`
	Source presets.Source `json:"source"`
}

func listGuides(f *command.Factory) error {
	entries := []guideEntry{}
	width := 0
	for _, e := range f.Book().All() {
		entries = append(entries, guideEntry{e.ID, e.NameIn(f.Lang()), e.Kind, e.Source})
		width = max(width, len(e.ID))
	}
	return command.List(&f.Printer, entries, func(e guideEntry) {
		f.Println(e.ID + strings.Repeat(" ", width-len(e.ID)+2) + safetext.Escape(e.Name))
	})
}
