package tui

import (
	"context"
	"io"

	"postier/internal/locale"
	"postier/share"
	"postier/wizard/carrier"
)

// PageOptions are what Ask needs. Page must be given.
type PageOptions struct {
	Page    carrier.Page
	Product string
	Share   *share.Presenter
	Lang    locale.Lang
	NoColor bool
	Getenv  func(string) string
	In      io.Reader
	Out     io.Writer
	Served  Served
}

// Ask shows a page until it is over, and returns the language that was in use at the end.
func Ask(ctx context.Context, o PageOptions) (locale.Lang, error) {
	getenv := getenvOr(o.Getenv)
	talk := carrier.Show(o.Page)
	defer talk.Close()
	m := newModel(talk, Options{Lang: o.Lang, Product: o.Product, Share: o.Share}, newTheme(getenv, o.NoColor))
	t := terminal{in: o.In, out: o.Out, getenv: getenv, noColour: o.NoColor, served: o.Served}
	err := t.show(ctx, m)
	if err == nil && m.hungUp {
		err = carrier.ErrInterrupted
	}
	return m.speech.lang, err
}
