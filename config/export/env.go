package export

import (
	"fmt"
	"strconv"
	"strings"

	"postier/config"
	"postier/internal/locale"
)

var envFormat = Format{Name: "env", Summary: locale.Msg("config.export.env"), write: writeEnv}

// writeEnv writes NAME=value lines that a POSIX shell and systemd's EnvironmentFile= read alike.
func writeEnv(s source) ([]Artifact, error) {
	p := s.profile
	lines := [][2]string{
		{"SMTP_HOST", p.Submission.Host},
		{"SMTP_PORT", strconv.Itoa(p.Submission.Port)},
		{"SMTP_SECURITY", string(s.security())},
		{"SMTP_FROM", p.From.Address},
		{"SMTP_FROM_NAME", p.From.Name},
		{"SMTP_REPLY_TO", p.ReplyTo},
		{"SMTP_CA_FILE", s.absolute(p.TLS.CAFile)},
	}
	var header string
	if s.hasPassword() {
		lines = append(lines, [2]string{"SMTP_USERNAME", p.Submission.Username})
		if p.Submission.Auth != "" && p.Submission.Auth != config.MechanismAuto {
			lines = append(lines, [2]string{"SMTP_AUTH", string(p.Submission.Auth)})
		}
		key, value, err := s.envSecret()
		if err != nil {
			return nil, err
		}
		if key == "SMTP_PASSWORD" {
			header = "# contains a secret\n"
		}
		lines = append(lines, [2]string{key, value})
	}
	var b strings.Builder
	b.WriteString(header)
	for _, line := range lines {
		if line[1] == "" {
			continue
		}
		quoted, ok := envQuote(line[1])
		if !ok {
			return nil, &Error{"env", line[0], locale.Msg("config.control")}
		}
		fmt.Fprintf(&b, "%s=%s\n", line[0], quoted)
	}
	return []Artifact{{Path: s.name + ".env", Mode: ownerOnly, Content: []byte(b.String()), Notes: s.leftOut("env")}}, nil
}

// envSecret names the secret: by its file, or else by the command that prints it, or by value when asked for.
func (s source) envSecret() (key, value string, err error) {
	switch {
	case !s.options.InlineSecret.Empty():
		return "SMTP_PASSWORD", s.options.InlineSecret.Reveal(), nil
	case s.profile.Credential.Kind == config.CredentialFile:
		return "SMTP_PASSWORD_FILE", s.absolute(s.profile.Credential.Path), nil
	}
	command, err := shellCommand("env", s.secretCommand())
	return "SMTP_PASSWORD_COMMAND", command, err
}

// envQuote quotes for sh and systemd at once. Inside double quotes both take a backslash before " \ $ and ` as an escape and
// nothing else as special (POSIX.1 §2.2.3, systemd.exec(5)). Plain words stay bare, as other readers of such files want.
func envQuote(value string) (string, bool) {
	if strings.ContainsAny(value, "\x00\r\n") {
		return "", false
	}
	if strings.Trim(value, shellFree) == "" {
		return value, true
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, `$`, `\$`, "`", "\\`").Replace(value) + `"`, true
}
