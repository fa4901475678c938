package diagnose

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"postier/config"
	"postier/diagnostics/imap"
	"postier/diagnostics/smtp"
	"postier/internal/account"
	"postier/internal/cli/command"
	"postier/wizard"
)

// ServerOptions are the flags and arguments of `postier diagnose smtp` and `postier diagnose imap`.
type ServerOptions struct {
	*command.Factory
	Flags
	Area   string // smtp or imap
	Server string // HOST or HOST:PORT
	Matrix bool
}

// NewServer is `postier diagnose smtp` or `postier diagnose imap`.
func NewServer(f *command.Factory, area string, run command.Run[*ServerOptions]) *cobra.Command {
	o := &ServerOptions{Factory: f, Area: area}
	cmd := command.New(f, area+" HOST[:PORT]", "cli.short.diagnose-"+area, o, run.Or(runServer), &o.Server)
	o.Flags.bind(f, cmd)
	o.bindShare(f, cmd)
	if area == "smtp" {
		cmd.Flags().BoolVar(&o.Matrix, "matrix", false, f.T("diagnose.flag.matrix"))
	}
	return cmd
}

func runServer(ctx context.Context, o *ServerOptions) error {
	c, err := newCheckup(o.Factory, o.Flags)
	if err != nil {
		return err
	}
	address := givenAddress(o.Values)
	server := config.Server{Security: config.SecurityAuto, Auth: config.MechanismAuto, Username: address}
	if server.Host, server.Port, err = hostPort(o.Factory, o.Server); err != nil {
		return err
	}
	c.target = account.Target{Address: address, AllowCleartext: o.Cleartext}
	if c.target.Secret, err = o.Factory.Secret(ctx, o.Secrets); err != nil {
		return err
	}
	if c.target.Secret.Empty() {
		server.Auth = config.MechanismNone
	}
	if o.Area == "imap" {
		return c.mailbox(ctx, server)
	}
	c.target.Submission = server
	applySettings(&c.target, o.Values)
	if o.Matrix {
		return c.matrix(ctx)
	}
	return c.run(ctx, smtp.Plan(c.network, c.target, smtp.Options{}))
}

// mailbox checks an IMAP server alone.
func (c *checkup) mailbox(ctx context.Context, server config.Server) error {
	if server.Port == 0 {
		server.Port = config.PortIMAPS
	}
	c.target.IMAP = &server
	c.target.Submission.Username = c.target.Address
	applySettings(&c.target, c.Values)
	if user := c.Values[wizard.FieldUser]; user != "" && c.Values[wizard.FieldIMAPUser] == "" {
		c.target.IMAP.Username = user
	}
	plan := c.imapPlan(imap.Options{Lang: c.Lang()}, !c.target.Secret.Empty())
	c.target.Submission = config.Server{}
	return c.run(ctx, plan)
}

// hostPort reads HOST or HOST:PORT; port is 0 when it is left out.
func hostPort(f *command.Factory, text string) (string, int, error) {
	host, portText := text, ""
	if at := strings.LastIndexByte(text, ':'); at >= 0 &&
		(strings.Count(text, ":") == 1 || strings.HasSuffix(text[:at], "]")) {
		host, portText = text[:at], text[at+1:]
	}
	// RFC 3986 §3.2.2: brackets keep the colons of an IPv6 address from the one before the port.
	if inner, ok := strings.CutPrefix(host, "["); ok {
		if literal, closed := strings.CutSuffix(inner, "]"); closed && strings.Contains(literal, ":") {
			host = literal
		}
	}
	if v := config.ValidateHost(host); !v.Empty() {
		return "", 0, f.Data(v)
	}
	if portText == "" {
		return host, 0, nil
	}
	port, fault := config.ParsePort(portText)
	if !fault.Empty() {
		return "", 0, f.Data(fault)
	}
	return host, port, nil
}
