package send

import (
	"context"

	"postier/delivery"
	"postier/internal/cli/command"
	"postier/internal/cli/diagnose"
)

// Letter sends what diagnose wants to be sent. What became of it is said on standard error: standard output holds the
// report.
func Letter(f *command.Factory) diagnose.Post {
	return func(ctx context.Context, l diagnose.Letter) error {
		aside := *f
		aside.Out, aside.JSON = f.Err, false
		return runSend(ctx, &SendOptions{
			Factory: &aside, Profile: l.Profile, To: []string{l.To}, replyTo: l.ReplyTo, Subject: l.Subject, Body: l.Text,
			bodyGiven: true, files: []delivery.File{{Name: l.Name, Data: l.Content}},
			Real: l.Profile != "", // support is no recipient to try things on; the machine's service takes no such wish
		})
	}
}
