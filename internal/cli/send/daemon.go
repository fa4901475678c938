package send

import (
	"context"
	"errors"
	"sync"

	"github.com/coreos/go-systemd/v22/daemon"

	"postier/config"
	"postier/delivery/smtpserver"
	"postier/delivery/socket"
	"postier/internal/exitcode"
	"postier/internal/safetext"
)

// serve runs the queue, watches as the configuration says, and, where the process has a socket, takes the messages of
// the local users on it. When the queue or the socket ends, so do the others.
func (p *post) serve(ctx context.Context, o *QueueRunOptions) error {
	listener, err := socket.Listen(o.Socket, o.Getenv)
	switch {
	case errors.Is(err, socket.ErrTaken):
		return o.Fault(exitcode.IO, "sendcli.error.taken")
	case err != nil:
		return o.Fault(exitcode.IO, "sendcli.error.listen", "error", safetext.FromRemote(err.Error()))
	}
	_, _ = daemon.SdNotify(true, daemon.SdNotifyReady) // fails only where no one waits for it
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var watching sync.WaitGroup
	watching.Go(func() { p.watchConfigured(ctx) })
	defer watching.Wait()
	defer stop()
	if listener == nil {
		return p.run(ctx, o)
	}
	served := make(chan error, 1)
	go func() {
		defer stop()
		served <- p.socketServer().Serve(ctx, listener)
	}()
	err = p.run(ctx, o)
	stop()
	return errors.Join(err, <-served)
}

// socketServer takes the messages of the local users. What it accepts is left to the queue.
func (p *post) socketServer() *socket.Server {
	return &socket.Server{
		Load: p.queue.Load,
		Dialog: func(file *config.File) *smtpserver.Server {
			server := p.smtpServer(file)
			server.Later = true
			return server
		},
		Refusal: func(user string) string {
			return p.T("sendcli.service.not-allowed", "user", safetext.FromRemote(user))
		},
		Unusable: func(err error) string {
			if text, ok := config.Describe(err); ok {
				return p.Say(text)
			}
			return err.Error()
		},
		Observe: p.logSocket,
	}
}

// logSocket prints one line for each message that was handed in, without its recipients, and for each refusal.
func (p *post) logSocket(e socket.Event) {
	user := safetext.FromRemote(e.User.Name)
	if e.Item != nil {
		p.Note(p.T("sendcli.log.accepted", "id", e.Item.ID, "user", user))
		return
	}
	p.Note(p.T("sendcli.log.refused", "user", user, "reply", safetext.FromRemote(e.Refused)))
}
