package cli

import (
	"context"
	"errors"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"postier/config"
	"postier/internal/discovery"
	"postier/internal/safetext"
	"postier/presets"
	"postier/presets/guide"
)

type guideOptions struct {
	format, product string
	list            bool
}

func (a *app) guideCommand() *cobra.Command {
	o := &guideOptions{}
	cmd := &cobra.Command{Use: "guide PROVIDER", Short: a.T("guide.short"), Args: a.args(0, 1)}
	cmd.Flags().StringVar(&o.format, "format", "text", a.T("guide.flag.format"))
	cmd.Flags().StringVar(&o.product, "product", "", a.T("guide.flag.product"))
	cmd.Flags().BoolVar(&o.list, "list", false, a.T("guide.flag.list"))
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if o.list {
			return a.listGuides()
		}
		if len(args) == 0 {
			return a.args(1, 1)(cmd, args)
		}
		return a.guide(cmd.Context(), o, args[0])
	}
	return cmd
}

func (a *app) guide(ctx context.Context, o *guideOptions, wanted string) error {
	write, ok := map[string]func(guide.Page, io.Writer) error{
		"text": guide.Page.Text, "markdown": guide.Page.Markdown, "md": guide.Page.Markdown, "html": guide.Page.HTML,
	}[o.format]
	if !ok {
		return usagef(a.T("guide.error.format", "value", safetext.FromRemote(o.format)))
	}
	p, err := a.providerCalled(ctx, wanted)
	if err != nil {
		return err
	}
	if o.product == "" {
		o.product = a.product()
	}
	options := guide.Options{Lang: a.lang(), Product: o.product, Today: time.Now()}
	if strings.Contains(wanted, "@") {
		options.Address = wanted
	}
	page := guide.For(p, options)
	if a.json {
		return a.printJSON(page)
	}
	return write(page, a.out)
}

// providerCalled finds a provider by a domain, by id, by name, or by an address, whose domain is asked when it is
// unknown.
func (a *app) providerCalled(ctx context.Context, wanted string) (*presets.Provider, error) {
	book := a.book()
	unknown := &exitError{exitData, a.T("guide.error.unknown", "name", safetext.FromRemote(wanted))}
	if strings.Contains(wanted, "@") {
		return a.providerOfAddress(ctx, wanted, unknown)
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
	hits := book.Search(wanted, a.lang())
	var ids []string
	for _, e := range hits {
		if strings.EqualFold(e.NameIn(a.lang()), wanted) || strings.EqualFold(e.Name, wanted) {
			hits = hits[:1]
			hits[0] = e
			break
		}
		ids = append(ids, e.ID)
	}
	switch {
	case len(hits) == 0:
		return nil, unknown
	case len(hits) > 1:
		return nil, &exitError{
			exitData,
			a.T("guide.error.several", "name", safetext.FromRemote(wanted), "list", strings.Join(ids, ", ")),
		}
	}
	p, ok := book.Get(hits[0].ID)
	if !ok {
		return nil, unknown
	}
	return p, nil
}

func (a *app) providerOfAddress(ctx context.Context, address string, unknown error) (*presets.Provider, error) {
	if text := config.ValidateAddress(address); !text.Empty() {
		return nil, &exitError{exitData, a.Say(text)}
	}
	network, err := a.network()
	if err != nil {
		return nil, err
	}
	candidates, err := discovery.Find(ctx, network, a.book(), address, discovery.Options{})
	if errors.Is(err, context.Canceled) {
		return nil, err
	}
	for _, c := range candidates {
		if p, ok := a.book().Get(c.Provider); ok {
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

func (a *app) listGuides() error {
	entries := []guideEntry{}
	width := 0
	for _, e := range a.book().All() {
		entries = append(entries, guideEntry{e.ID, e.NameIn(a.lang()), e.Kind, e.Source})
		width = max(width, len(e.ID))
	}
	if a.json {
		return a.printJSON(entries)
	}
	for _, e := range entries {
		a.println(e.ID + strings.Repeat(" ", width-len(e.ID)+2) + safetext.Escape(e.Name))
	}
	return nil
}
