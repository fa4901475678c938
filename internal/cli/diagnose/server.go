package diagnose

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"postier/config"
	"postier/diagnostics/smtp"
	"postier/internal/account"
	"postier/internal/cli/command"
	"postier/wizard"
)

// ServerOptions are the flags and arguments of `postier diagnose smtp` and `postier diagnose imap`.
type ServerOptions struct {
	*command.Factory
	Flags
	Area    string // smtp or imap
	Server  string // HOST or HOST:PORT
	Matrix  bool
	Values  map[wizard.FieldID]string
	Secrets *command.SecretFlags
}

// NewServer is `postier diagnose smtp` or `postier diagnose imap`.
func NewServer(f *command.Factory, area string, run command.Run[*ServerOptions]) *cobra.Command {
	o := &ServerOptions{Factory: f, Area: area}
	cmd := &cobra.Command{Use: area + " HOST[:PORT]", Short: f.T("cli.short.diagnose-" + area), Args: f.Args(1, 1)}
	o.Flags.bind(f, cmd)
	if area == "smtp" {
		cmd.Flags().BoolVar(&o.Matrix, "matrix", false, f.T("diagnose.flag.matrix"))
	}
	settings := f.SettingFlags(cmd, command.CheckFields())
	o.Secrets = f.SecretFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		o.Server, o.Values = args[0], settings.Given()
		return run.Or(runServer)(cmd.Context(), o)
	}
	return cmd
}

func runServer(ctx context.Context, o *ServerOptions) error {
	c := &checkup{Factory: o.Factory, Flags: o.Flags}
	if err := c.knownChecks(); err != nil {
		return err
	}
	if err := o.CheckSettings(o.Values); err != nil {
		return err
	}
	var err error
	if c.network, err = o.Network(); err != nil {
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
		return c.mailbox(ctx, server, o.Values)
	}
	c.target.Submission = server
	applySettings(&c.target, o.Values)
	if o.Matrix {
		return c.matrix(ctx)
	}
	return c.run(ctx, smtp.Plan(c.network, c.target, smtp.Options{}))
}

// mailbox checks an IMAP server alone.
func (c *checkup) mailbox(ctx context.Context, server config.Server, values map[wizard.FieldID]string) error {
	if server.Port == 0 {
		server.Port = config.PortIMAPS
	}
	c.target.IMAP = &server
	c.target.Submission.Username = c.target.Address
	applySettings(&c.target, values)
	if user := values[wizard.FieldUser]; user != "" && values[wizard.FieldIMAPUser] == "" {
		c.target.IMAP.Username = user
	}
	plan := c.imapPlan(!c.target.Secret.Empty())
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
