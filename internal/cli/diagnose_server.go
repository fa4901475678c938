package cli

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"postier/config"
	"postier/diagnostics/smtp"
	"postier/internal/account"
	"postier/internal/wire"
	"postier/wizard"
)

// diagnoseServer is `diagnose smtp HOST[:PORT]` and `diagnose imap HOST[:PORT]`.
func (a *app) diagnoseServer(area string) *cobra.Command {
	o := &diagnoseOptions{}
	cmd := &cobra.Command{Use: area + " HOST[:PORT]", Short: a.T("cli.short.diagnose-" + area), Args: a.args(1, 1)}
	a.diagnoseFlags(cmd, o)
	if area == "smtp" {
		cmd.Flags().BoolVar(&o.matrix, "matrix", false, a.T("diagnose.flag.matrix"))
	}
	values, secrets := a.settingFlags(cmd, checkFields), a.secretFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		ctx := cmd.Context()
		given := values.given()
		if err := a.knownChecks(o.only); err != nil {
			return err
		}
		if err := a.checkGiven("", given); err != nil {
			return err
		}
		network, err := a.network()
		if err != nil {
			return err
		}
		host, port, err := a.hostPort(args[0])
		if err != nil {
			return err
		}
		target := account.Target{Address: given[wizard.FieldFrom], AllowCleartext: o.cleartext}
		if target.Address == "" && strings.Contains(given[wizard.FieldUser], "@") {
			target.Address = given[wizard.FieldUser]
		}
		if target.Secret, err = secrets.read(ctx, a); err != nil {
			return err
		}
		return a.runServer(ctx, o, area, network, target, host, port, given)
	}
	return cmd
}

func (a *app) runServer(ctx context.Context, o *diagnoseOptions, area string, network *wire.Network,
	target account.Target, host string, port int, given map[wizard.FieldID]string,
) error {
	server := config.Server{
		Host: host, Port: port, Security: config.SecurityAuto, Auth: config.MechanismAuto,
		Username: target.Address,
	}
	if target.Secret.Empty() {
		server.Auth = config.MechanismNone
	}
	if area == "smtp" {
		target.Submission = server
		applySettings(&target, given)
		if o.matrix {
			return a.runMatrix(ctx, o, network, target)
		}
		return a.diagnosed(ctx, o, network, target, smtp.Plan(network, target, smtp.Options{}))
	}
	if server.Port == 0 {
		server.Port = config.PortIMAPS
	}
	target.IMAP = &server
	target.Submission.Username = target.Address
	applySettings(&target, given)
	if user := given[wizard.FieldUser]; user != "" && given[wizard.FieldIMAPUser] == "" {
		target.IMAP.Username = user
	}
	plan := a.imapPlan(network, target, !target.Secret.Empty())
	target.Submission = config.Server{}
	return a.diagnosed(ctx, o, network, target, plan)
}

// hostPort reads HOST or HOST:PORT; port is 0 when it is left out.
func (a *app) hostPort(text string) (string, int, error) {
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
		return "", 0, &exitError{exitData, a.Say(v)}
	}
	if portText == "" {
		return host, 0, nil
	}
	port, fault := config.ParsePort(portText)
	if !fault.Empty() {
		return "", 0, &exitError{exitData, a.Say(fault)}
	}
	return host, port, nil
}
