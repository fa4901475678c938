package send

import (
	"context"
	"errors"

	"postier/config"
	"postier/delivery"
	"postier/delivery/socket"
	"postier/internal/cli/command"
	"postier/internal/exitcode"
	"postier/internal/safefile"
	"postier/internal/safetext"
)

// service is the machine's service, which sends for users without a configuration.
type service struct {
	*command.Factory
	path string
	// instead says why the caller's own configuration is not used.
	instead error
}

// handIn hands in messages: through the caller's own configuration, or to the machine's service where the caller has
// none that it may read.
func handIn(ctx context.Context, f *command.Factory, own func(*post) error, shared func(*service) error) error {
	doc, err := f.Document()
	if err != nil && sharable(f, err) {
		return shared(&service{Factory: f, path: socket.Path(f.Getenv), instead: err})
	}
	if err == nil {
		err = doc.Err()
	}
	if err != nil {
		return err
	}
	return delivery.Refused(withQueueOf(ctx, f, doc, own))
}

// sharable reports whether an error about the configuration means that the caller has none: there is no file and none
// was named, or it belongs to another user, such as the service.
func sharable(f *command.Factory, err error) bool {
	var file *safefile.Error
	if errors.As(err, &file) {
		return file.Problem == safefile.Denied || file.Problem == safefile.ForeignOwner
	}
	_, found := f.ConfigPath()
	return !found && f.ConfigFlag == "" && f.Getenv("POSTIER_CONFIG") == ""
}

// post hands in one message and says what became of it.
func (s *service) post(ctx context.Context, m *delivery.Message, raw delivery.Raw, quietly bool,
	warnings ...string,
) error {
	id, err := socket.Post(ctx, s.path, m, forSMTP(raw))
	if err != nil {
		return s.failure(err)
	}
	out := &outcome{
		Decision: delivery.Decision{Send: true, Reason: delivery.ReasonService, Recipients: raw.Recipients},
		ID:       id, State: delivery.StateWaiting, Warnings: warnings,
	}
	if s.JSON {
		return s.PrintJSON(out)
	}
	for _, w := range warnings {
		s.Complain(w)
	}
	if !quietly {
		s.Println(s.T("sendcli.service.accepted", "id", safetext.FromRemote(id)))
	}
	return nil
}

// forSMTP leaves out a sender that is no address: the service would use the profile's own too.
func forSMTP(raw delivery.Raw) delivery.Raw {
	raw.Sender = delivery.Envelope(raw.Sender)
	return raw
}

// forward hands in a message of an SMTP dialog and returns the reply.
func (s *service) forward(ctx context.Context, m *delivery.Message, raw delivery.Raw) string {
	id, err := socket.Post(ctx, s.path, m, forSMTP(raw))
	var refusal *socket.Refusal
	switch {
	case err == nil:
		return "250 2.0.0 ok: queued as " + safetext.Escape(id)
	case errors.As(err, &refusal):
		return safetext.Escape(refusal.Error())
	}
	return "451 4.3.0 " + safetext.Escape(s.failure(err).Error())
}

// ownDocument is the caller's configuration, for what only its owner may see or change. Of a caller whose messages the
// machine's service sends, that is the service, and the error says so.
func ownDocument(f *command.Factory) (*config.Document, error) {
	doc, err := f.Document()
	if err != nil && sharable(f, err) && socket.Answers(socket.Path(f.Getenv)) {
		return nil, f.Fault(exitcode.NoPerm, "sendcli.service.keeps")
	}
	return doc, err
}

// runsQueue is the end of a call for a run of the queue: the service works through it all the time.
func (s *service) runsQueue() error {
	if socket.Answers(s.path) {
		return nil
	}
	return s.absent()
}

// needsConfiguration refuses a flag about what only the owner of a configuration decides.
func (s *service) needsConfiguration(flag string) error {
	if !socket.Answers(s.path) {
		return s.absent()
	}
	return command.Usage(s.T("sendcli.service.flag", "flag", flag))
}

// failure puts an error of the service into words and gives it an exit code.
func (s *service) failure(err error) error {
	var refusal *socket.Refusal
	switch {
	case errors.Is(err, socket.ErrAbsent):
		return s.absent()
	case errors.Is(err, socket.ErrDown):
		return s.Fault(exitcode.TempFail, "sendcli.service.down")
	case errors.Is(err, socket.ErrLost):
		return s.Fault(exitcode.IO, "sendcli.service.lost")
	case errors.As(err, &refusal):
		if refusal.User {
			return command.Failure(exitcode.NoPerm, safetext.Escape(refusal.Text))
		}
		return s.Fault(refusalCode(refusal), "sendcli.service.refused", "reply", safetext.FromRemote(refusal.Text))
	case ctxEnded(err):
		return err
	}
	return s.Fault(exitcode.TempFail, "sendcli.service.broken", "error", safetext.FromRemote(err.Error()))
}

func ctxEnded(err error) bool { return errors.Is(err, context.Canceled) }

// absent says that nothing can send for the caller, why, and the two ways out.
func (s *service) absent() error {
	reason := s.T("sendcli.service.none")
	if text, ok := config.Describe(s.instead); ok {
		reason = s.Say(text)
	}
	return s.Fault(exitcode.Config, "sendcli.service.absent", "reason", reason)
}

// refusalCode is the exit code that a reply would have had without the service between: 5.6.x is about the message
// (RFC 3463 §3.7), 5.3.4 its size, 5.3.5 the configuration.
func refusalCode(r *socket.Refusal) int {
	const transient = 4
	switch {
	case r.Code/100 == transient:
		return exitcode.TempFail
	case r.Status[:len("5.6")] == "5.6", r.Status == "5.3.4":
		return exitcode.Data
	case r.Status == "5.3.5":
		return exitcode.Config
	}
	return exitcode.Failed
}
