package cli

import (
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"postier/diagnostics/explain"
	"postier/internal/check"
	"postier/internal/safetext"
)

type explainOptions struct {
	reply, protocol, provider string
	list                      bool
}

func (a *app) explainCommand() *cobra.Command {
	o := &explainOptions{}
	cmd := &cobra.Command{Use: "explain CODE", Short: a.T("cli.short.explain"), Args: a.args(0, 1)}
	cmd.Flags().StringVar(&o.reply, "reply", "", a.T("cli.flag.reply"))
	cmd.Flags().StringVar(&o.protocol, "protocol", explain.SMTP, a.T("cli.flag.protocol"))
	cmd.Flags().StringVar(&o.provider, "provider", "", a.T("cli.flag.provider"))
	cmd.Flags().BoolVar(&o.list, "list", false, a.T("diagnose.flag.explain-list"))
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		switch {
		case o.list && (len(args) > 0 || cmd.Flags().Changed("reply")):
			return usagef(a.T("diagnose.explain.list-alone"))
		case o.list:
			return a.explainList()
		case cmd.Flags().Changed("reply") && len(args) > 0:
			return usagef(a.T("cli.error.argument", "argument", safetext.FromRemote(args[0])))
		case cmd.Flags().Changed("reply"):
			return a.explainReply(o)
		case len(args) == 1:
			return a.explainCode(args[0])
		}
		return a.args(1, 1)(cmd, args)
	}
	return cmd
}

// explanation is the JSON of the contract.
type explanation struct {
	Cause   check.Cause `json:"cause"`
	Code    string      `json:"code,omitempty"`
	Title   string      `json:"title"`
	Who     string      `json:"who"`
	Retry   string      `json:"retry"`
	Meaning string      `json:"meaning"`
	Remedy  []string    `json:"remedy"`
	Matched string      `json:"matched,omitempty"`
}

// maxReply bounds a pasted transcript.
const maxReply = 64 << 10

func (a *app) explainReply(o *explainOptions) error {
	if !slices.Contains([]string{explain.SMTP, explain.IMAP, explain.TLS, explain.TCP, explain.DNS}, o.protocol) {
		return usagef(a.T("cli.error.one-of", "value", safetext.FromRemote(o.protocol), "words", "smtp, imap, tls, tcp, dns"))
	}
	text := o.reply
	if text == "-" {
		data, err := io.ReadAll(io.LimitReader(a.in, maxReply))
		if err != nil {
			return err
		}
		text = string(data)
	}
	if strings.TrimSpace(text) == "" {
		return a.Fault(exitData, "cli.error.reply-empty")
	}
	query := explain.ParseReplyAs(o.protocol, text)
	query.Provider = o.provider
	answer := explain.Match(query)
	e := explanation{
		Cause: answer.Cause, Code: answer.Info().Code, Title: answer.Title(a.lang()), Who: string(answer.Who),
		Retry:   string(answer.Retry),
		Meaning: answer.Meaning(a.lang()), Remedy: answer.Remedy(a.lang()), Matched: answer.Reply,
	}
	if a.json {
		return a.printJSON(e)
	}
	a.printExplanation(e, "")
	return nil
}

func (a *app) explainCode(code string) error {
	page, ok := explain.Page(code, a.lang())
	if !ok {
		text := a.T("cli.error.explain", "code", safetext.FromRemote(code))
		if near := explain.Near(code, maxNear); len(near) > 0 {
			text += " " + a.T("diagnose.explain.near", "list", strings.Join(near, ", "))
		}
		return &exitError{exitData, text}
	}
	e := explanation{
		Cause: check.Cause(page.ID), Code: page.Code, Title: page.Title, Who: string(page.Who), Retry: string(page.Retry),
		Meaning: page.Meaning, Remedy: page.Remedy,
	}
	if a.json {
		if page.Kind == explain.KindCheck {
			return a.printJSON(map[string]any{
				"check": page.ID, "title": page.Title, "meaning": page.Meaning, "why": page.Why,
				"causes": page.Related,
			})
		}
		return a.printJSON(e)
	}
	a.printExplanation(e, page.Why)
	if len(page.Related) > 0 {
		a.println(a.T("cli.explain.related", "list", strings.Join(page.Related, ", ")))
	}
	return nil
}

// maxNear is how many pages are proposed for a code that nobody knows.
const maxNear = 5

// listedPage is one line of the list.
type listedPage struct {
	Kind  explain.Kind `json:"kind"`
	ID    string       `json:"id"`
	Code  string       `json:"code,omitempty"`
	Title string       `json:"title"`
}

// explainList names every page: the causes with the codes that can be said aloud, then the checks.
func (a *app) explainList() error {
	var pages []listedPage
	for _, c := range explain.Causes() {
		pages = append(pages, listedPage{explain.KindCause, string(c.Slug), c.Code, c.Title(a.lang())})
	}
	for _, c := range explain.Checks() {
		pages = append(pages, listedPage{explain.KindCheck, string(c.ID), "", c.Title(a.lang())})
	}
	if a.json {
		return a.printJSON(pages)
	}
	for _, p := range pages {
		a.println(strings.TrimSpace(p.Code + "\t" + p.ID + "\t" + p.Title))
	}
	return nil
}

func (a *app) printExplanation(e explanation, why string) {
	title := e.Title + " (" + string(e.Cause) + ")"
	if e.Code != "" {
		title = e.Code + "  " + title
	}
	a.println(title)
	a.paragraph(e.Meaning)
	if why != "" {
		a.paragraph(why)
	}
	for i, line := range e.Remedy {
		a.paragraph(string(rune('1'+i)) + ". " + line)
	}
	if e.Who != "" {
		a.println(a.T("cli.explain.who", "who", explain.Who(e.Who).Say(a.lang())))
		a.println(explain.Retry(e.Retry).Say(a.lang()))
	}
}
