package socket

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/emersion/go-smtp"

	"postier/delivery"
	"postier/internal/wire"
)

// Errors of a service that does not reply.
var (
	ErrAbsent = errors.New("this machine has no service")
	ErrDown   = errors.New("the service of this machine does not run")
	// ErrLost means that the connection broke after the final dot: only the service knows whether it took the message
	// (RFC 1047).
	ErrLost = errors.New("the service broke off before it said whether it took the message")
)

// Refusal is a reply by which the service does not take a message.
type Refusal struct {
	// User is true when the service takes nothing from this user at all.
	User   bool
	Code   int
	Status string // the enhanced status code (RFC 3463), such as 5.6.0
	Text   string // in the service's words, not escaped
}

func (r *Refusal) Error() string { return fmt.Sprintf("%d %s %s", r.Code, r.Status, r.Text) }

// patience is how long a caller waits for one reply. The service delays the caller's turn before it refuses one more
// message.
const patience = 2 * time.Minute

// Post hands a message to the service at path and returns the id under which the service's queue has it.
func Post(ctx context.Context, path string, m *delivery.Message, raw delivery.Raw) (id string, err error) {
	conn, err := wire.Local(ctx, path)
	if err != nil {
		return "", unreachable(err)
	}
	defer func() { _ = conn.Close() }()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	client := smtp.NewClient(conn)
	client.CommandTimeout, client.SubmissionTimeout = patience, patience
	raw.Host, _ = os.Hostname()
	m.Carry(raw)
	if err := client.Hello("localhost"); err != nil {
		refusal := refused(err)
		var reply *Refusal
		if errors.As(refusal, &reply) {
			const refusedService = 554 // RFC 5321 §3.1: 421 is for later
			reply.User = reply.Code == refusedService
		}
		return "", refusal
	}
	data, err := begin(client, raw, m)
	if err != nil {
		return "", refused(err)
	}
	response, err := data.CloseWithResponse()
	switch {
	case errors.As(err, new(*smtp.SMTPError)):
		return "", refused(err)
	case err != nil:
		return "", fmt.Errorf("%w: %w", ErrLost, err)
	}
	_ = client.Quit()
	_, id, _ = strings.Cut(response.StatusText, "queued as ")
	return id, nil
}

// begin sends everything up to the final dot.
func begin(client *smtp.Client, raw delivery.Raw, m *delivery.Message) (*smtp.DataCommand, error) {
	if err := client.Mail(raw.Sender, &smtp.MailOptions{UTF8: true, Size: m.Size()}); err != nil {
		return nil, err
	}
	for _, recipient := range raw.Recipients {
		if err := client.Rcpt(recipient, nil); err != nil {
			return nil, err
		}
	}
	data, err := client.Data()
	if err != nil {
		return nil, err
	}
	_, err = m.WriteTo(data)
	return data, err
}

// refused is the service's reply as an error of this package.
func refused(err error) error {
	var reply *smtp.SMTPError
	if !errors.As(err, &reply) {
		return fmt.Errorf("talk to the service: %w", err)
	}
	c := reply.EnhancedCode
	return &Refusal{Code: reply.Code, Status: fmt.Sprintf("%d.%d.%d", c[0], c[1], c[2]), Text: reply.Message}
}

// unreachable tells a machine without the service from one whose service is not running.
func unreachable(err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		return ErrAbsent
	case errors.Is(err, syscall.ECONNREFUSED):
		return ErrDown
	}
	return fmt.Errorf("connect to the service: %w", err)
}

// Answers reports whether somebody listens on the socket at path.
func Answers(path string) bool {
	conn, err := wire.Local(context.Background(), path)
	return err == nil && conn.Close() == nil
}
