package watch

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"time"

	"postier/config"
	"postier/delivery"
	"postier/internal/check"
	"postier/internal/locale"
	"postier/internal/wire"
)

const (
	// webhookLimit bounds a request to a URL.
	webhookLimit = 30 * time.Second
)

// tell takes a notice to those who have not got it, and notes what became of it.
func (w *Watcher) tell(ctx context.Context, doc *config.Document, n *notice, s speech) {
	n.address(doc.File.Watch, s.profile)
	for _, a := range n.To {
		if a.Result == SentTaken || a.Result == SentRefused || ctx.Err() != nil {
			continue
		}
		switch {
		case a.Target == "":
			a.note(w.Accounts.Credentials.Pipe(ctx, doc.File.Watch.Command, append(s.json(n, w.lang()), '\n')))
		case config.WebhookURL(a.Target):
			a.note(w.post(ctx, a.Target, doc.File.Watch.AllowNetworks, s.json(n, w.lang())))
		default:
			w.mail(ctx, doc, a, n, s)
		}
	}
}

// address names those who are told. When all of them refuse, the owner of the profile is told as well.
func (n *notice) address(watch config.Watch, p *config.Profile) {
	want := slices.Clone(watch.Notify)
	if len(want) == 0 && len(watch.Command) == 0 || n.refused() {
		want = append(want, delivery.Owner(p))
	}
	if len(watch.Command) > 0 {
		want = append(want, "")
	}
	// Those whom the configuration no longer names are not told.
	n.To = slices.DeleteFunc(n.To, func(a *addressee) bool {
		return !slices.Contains(want, a.Target) && a.Result != SentTaken && a.Target != delivery.Owner(p)
	})
	if n.refused() && slices.ContainsFunc(n.To, func(a *addressee) bool { return a.Target == delivery.Owner(p) }) {
		for _, a := range n.To {
			a.Result = "" // nobody takes it: each is asked again in this round
		}
	}
	for _, target := range want {
		if !slices.ContainsFunc(n.To, func(a *addressee) bool { return a.Target == target }) {
			n.To = append(n.To, &addressee{Target: target})
		}
	}
}

// refused reports whether everyone refused the notice.
func (n *notice) refused() bool {
	return len(n.To) > 0 && !slices.ContainsFunc(n.To, func(a *addressee) bool { return a.Result != SentRefused })
}

// note keeps the outcome of a way that either works or is tried again.
func (a *addressee) note(err error) {
	a.Result, a.Cause = SentTaken, ""
	if err != nil {
		a.Result, a.Cause = SentWaiting, check.CauseMessageRefused
	}
}

// shown is the addressee as it may be printed.
func (a *addressee) shown() string {
	if a.Target == "" {
		return ToCommand
	}
	return config.MaskNotify(a.Target)
}

// mail sends the notice through the first profile that can carry it. It is not left to the queue: there it would wait
// until it is no longer true.
func (w *Watcher) mail(ctx context.Context, doc *config.Document, a *addressee, n *notice, s speech) {
	a.Result, a.Cause = SentNoWay, check.CauseProfileMissing
	for _, name := range doc.File.Carriers(s.name, !s.record.cannotSend()) {
		item := w.Queue.Notice(name, doc.File.Profiles[name], a.Target, func(lang locale.Lang) (string, string) {
			return s.say(n, lang)
		})
		item.Identify(n.messageID(s, a))
		try, err := w.Queue.Direct(ctx, item)
		switch {
		case err != nil:
			a.Result, a.Cause = SentWaiting, check.CauseFileFailed
		case try.State == delivery.StateSent, try.State == delivery.StateUnknown: // unknown: it most likely arrives
			a.Result, a.Cause = SentTaken, ""
			return
		case try.State == delivery.StateFailed:
			a.Result, a.Cause = SentRefused, try.Cause
			return
		default:
			a.Result, a.Cause = SentWaiting, try.Cause
		}
	}
}

// messageID is the same whenever and by whichever profile a notice goes to somebody: a process that is killed before it
// has noted that the notice is taken sends it again, and the receiver can tell that it is the same.
func (n *notice) messageID(s speech, a *addressee) string {
	of := fmt.Sprintf("%s\n%s\n%d\n%s", s.name, n.Kind, n.At.UnixMilli(), a.Target)
	sum := sha256.Sum256([]byte(of))
	const octets = 16
	domain, ok := config.DomainASCII(config.AddressDomain(s.profile.From.Address))
	if !ok {
		domain = config.Program + ".invalid"
	}
	return "<" + hex.EncodeToString(sum[:octets]) + "@" + domain + ">"
}

// errAnswer says that a server did not take a notice.
var errAnswer = errors.New("the server did not take the notice")

// post hands a notice to a URL. Redirects are not followed: they could lead anywhere.
func (w *Watcher) post(ctx context.Context, target string, allowed []string, body []byte) error {
	ctx, cancel := context.WithTimeout(ctx, webhookLimit)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, target, bytes.NewReader(body))
	if err != nil || request.URL.Scheme != "https" || request.URL.User != nil {
		return errors.Join(wire.ErrAddressRefused, err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", config.Program)
	client := http.Client{
		Transport:     w.outside(allowed).HTTPS(),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	_ = response.Body.Close()
	if response.StatusCode/100 != http.StatusOK/100 {
		return errAnswer
	}
	return nil
}

// outside is the network without the addresses of this machine and of private networks, but for those that are allowed:
// whoever chooses the URL must not reach what only this machine can. Each address is judged when it is dialled, so that
// no name leads elsewhere later (docs/security.md T15).
func (w *Watcher) outside(allowed []string) *wire.Network {
	network := *w.Accounts.Network
	network.Permitted = func(ip netip.Addr) bool {
		return wire.Public(ip) || slices.ContainsFunc(allowed, func(text string) bool {
			prefix, ok := config.ParseNetwork(text)
			return ok && prefix.Contains(ip.Unmap())
		})
	}
	return &network
}
