package send

import (
	"errors"
	"slices"
	"strings"
	"time"

	"postier/config/credential"
	"postier/delivery"
	"postier/diagnostics/explain"
	"postier/internal/check"
	"postier/internal/cli/command"
	"postier/internal/exitcode"
	"postier/internal/safetext"
)

// outcome is the result for one message, as --json prints it.
type outcome struct {
	Decision  delivery.Decision `json:"decision"`
	ID        string            `json:"id,omitempty"`
	MessageID string            `json:"message_id,omitempty"`
	State     delivery.State    `json:"state,omitempty"`
	Cause     check.Cause       `json:"cause,omitempty"`
	Code      string            `json:"code,omitempty"` // of the cause
	Reply     *safetext.Remote  `json:"reply,omitempty"`
	QueueID   *safetext.Remote  `json:"queue_id,omitempty"`
	Next      *time.Time        `json:"next,omitempty"`
	Instead   string            `json:"instead,omitempty"`
	// InsteadFor is the cause for which the fallback took over.
	InsteadFor  check.Cause        `json:"instead_for,omitempty"`
	InsteadCode string             `json:"instead_code,omitempty"`
	Doubt       bool               `json:"may_arrive_twice,omitempty"`
	CopyDue     bool               `json:"copy_due,omitempty"`
	Refused     []refusedRecipient `json:"refused,omitempty"`
	Warnings    []string           `json:"warnings,omitempty"`

	profile string
	err     error // of the try
	exit    int
}

type refusedRecipient struct {
	Address string          `json:"address"`
	Cause   check.Cause     `json:"cause"`
	Code    string          `json:"code"`
	Reply   safetext.Remote `json:"reply"`
}

func (p *post) outcomeOf(r *delivery.Receipt, how delivery.How) *outcome {
	out := &outcome{Decision: r.Decision, exit: command.BlockCode(r.Decision.Block)}
	item, try := r.Item, r.Try
	if item == nil {
		return out
	}
	if r.Decision.Insecure {
		host := p.doc.File.Profiles[r.Decision.Profile].Submission.Host
		out.Warnings = append(out.Warnings, p.T("sendcli.warn.cleartext", "host", safetext.FromRemote(host)))
	}
	out.ID, out.MessageID, out.profile, out.err = item.ID, r.MessageID, item.Profile, try.Err
	out.State, out.Cause, out.Instead, out.Doubt, out.CopyDue = try.State, item.Cause, try.Instead, item.Doubt,
		item.CopyDue
	out.InsteadFor, out.InsteadCode = item.InsteadFor, explain.Code(item.InsteadFor)
	out.Code = explain.Code(item.Cause)
	out.Reply, out.QueueID = remote(try.Reply), remote(item.QueueID)
	for _, r := range item.Failed() {
		out.Refused = append(out.Refused, refusedRecipient{
			r.Address, r.Cause, explain.Code(r.Cause), safetext.FromRemote(r.Reply),
		})
	}
	if out.State == delivery.StateWaiting {
		next := item.Due.UTC()
		out.Next = &next
	}
	out.exit = command.PostCode(try, !how.Direct, len(out.Refused))
	return out
}

// remote is a server's text, nil when there is none.
func remote(text string) *safetext.Remote {
	if text == "" {
		return nil
	}
	said := safetext.FromRemote(text)
	return &said
}

// say prints the outcome for a message, in words or with --json as a whole.
func (p *post) say(out *outcome, quietly bool) error {
	if p.JSON {
		if err := p.PrintJSON(out); err != nil {
			return err
		}
		return command.Quiet(out.exit)
	}
	for _, w := range out.Warnings {
		p.Complain(w)
	}
	for _, s := range out.Decision.Suppressed {
		p.Complain(suppressedWords(p.Factory, s))
	}
	if out.Decision.Block != delivery.BlockNone {
		p.Complain(blockWords(p.Factory, out.Decision))
	} else {
		p.sayOutcome(out, quietly)
	}
	return command.Quiet(out.exit)
}

func (p *post) sayOutcome(out *outcome, quietly bool) {
	switch d := out.Decision; {
	case out.Instead != "":
		p.Complain(insteadWords(p.Factory, out.Instead, out.profile, out.InsteadFor))
	case d.Instead != "" && !quietly: // known before; a program that only hands in is not told each time
		p.Complain(insteadWords(p.Factory, d.Instead, out.profile, d.InsteadFor))
	}
	for _, r := range out.Refused {
		p.Complain(p.T("sendcli.refused", "address", safetext.FromRemote(r.Address), "cause",
			p.Cause(r.Cause)))
		if !r.Reply.Empty() {
			p.Complain(p.T("sendcli.server", "reply", r.Reply))
		}
	}
	text := p.stateWords(out)
	if out.State == delivery.StateSent {
		if !quietly {
			p.Println(text)
		}
	} else if out.exit != exitcode.OK || !quietly {
		p.Complain(text)
		if out.Reply != nil && len(out.Refused) == 0 {
			p.Complain(p.T("sendcli.server", "reply", *out.Reply))
		}
		var credentials *credential.Error
		if errors.As(out.err, &credentials) {
			p.Complain(p.Say(credentials.Text()))
		}
	}
	if out.CopyDue && !quietly {
		p.Complain(p.T("sendcli.copy-due"))
	}
}

// stateWords say whether the message was sent, and if not, why.
func (p *post) stateWords(out *outcome) string {
	reached := slices.DeleteFunc(slices.Clone(out.Decision.Recipients), func(address string) bool {
		return slices.ContainsFunc(out.Refused, func(r refusedRecipient) bool { return r.Address == address })
	})
	args := []any{"profile", out.profile, "id", out.ID, "recipients", strings.Join(reached, ", ")}
	if out.Next != nil {
		args = append(args, "next", out.Next.Local().Format(clock))
	}
	key := "sendcli.state." + string(out.State)
	if out.State == delivery.StateWaiting && out.exit != exitcode.OK {
		key = "sendcli.state.later"
	}
	if out.Decision.TestMode {
		args = append(args, "originals", strings.Join(out.Decision.Originals, ", "))
		if out.State == delivery.StateSent {
			key = "sendcli.state.test"
		}
	}
	text := p.T(key, args...)
	if out.Cause != "" && len(out.Refused) == 0 {
		text += " " + p.Cause(out.Cause) + "."
	}
	return text
}

func suppressedWords(f *command.Factory, s delivery.Suppressed) string {
	return f.T("sendcli.suppressed", "address", safetext.FromRemote(s.Address), "reason", safetext.FromRemote(s.Reason))
}

// insteadWords say why the fallback sends a message.
func insteadWords(f *command.Factory, profile, fallback string, cause check.Cause) string {
	key := "sendcli.instead"
	if cause == check.CauseOwnLimitReached || cause == check.CauseSendingQuotaExceeded {
		key = "sendcli.instead.quota"
	}
	text := f.T(key, "profile", profile, "fallback", fallback)
	if cause != "" {
		text += " " + f.Cause(cause) + "."
	}
	return text
}

// blockWords say why a message is not sent.
func blockWords(f *command.Factory, d delivery.Decision) string {
	return f.T("sendcli.block."+string(d.Block), "profile", safetext.FromRemote(d.Profile), "kind",
		safetext.FromRemote(d.Kind), "most", delivery.EffectiveLimits(d.Limits, d.Provider).RecipientsPerMessage)
}
