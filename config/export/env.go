package export

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"postier/config"
	"postier/internal/locale"
)

var envFormat = Format{
	Name: "env", Summary: locale.Msg("config.export.env"), secret: inlineToo, token: true, write: writeEnv,
	carries: carriesReplyTo | carriesFromName | carriesCAFile | carriesMechanism | carriesHelo,
}

// writeEnv writes NAME=value lines that a POSIX shell and systemd's EnvironmentFile= read alike.
func writeEnv(s source) ([]Artifact, error) {
	lines := s.variables()
	header := ""
	if s.hasPassword() {
		key, value, err := s.envSecret()
		if err != nil {
			return nil, err
		}
		if key == "SMTP_PASSWORD" {
			header = "# " + secretHeader + "\n"
		}
		lines = append(lines, [2]string{key, value})
	}
	var b strings.Builder
	b.WriteString(header)
	for _, line := range lines {
		quoted, ok := envQuote(line[1])
		if !ok {
			return nil, s.refuse(line[0], "config.control")
		}
		fmt.Fprintf(&b, "%s=%s\n", line[0], quoted)
	}
	return []Artifact{{Path: s.name + ".env", Content: []byte(b.String())}}, nil
}

// variables are the settings as environment variables, without the secret; those that are empty are left out.
func (s source) variables() [][2]string {
	p := s.profile
	all := [][2]string{
		{"SMTP_HOST", s.host()},
		{"SMTP_PORT", strconv.Itoa(p.Submission.Port)},
		{"SMTP_SECURITY", string(s.security())},
		{"SMTP_FROM", s.from()},
		{"SMTP_FROM_NAME", p.From.Name},
		{"SMTP_REPLY_TO", p.ReplyTo},
		{"SMTP_HELO", p.Submission.Helo},
		{"SMTP_CA_FILE", s.absolute(p.TLS.CAFile)},
	}
	if s.hasPassword() {
		all = append(all, [2]string{"SMTP_USERNAME", p.Submission.Username}, [2]string{"SMTP_AUTH", string(s.mechanism())})
	}
	return slices.DeleteFunc(all, func(line [2]string) bool { return line[1] == "" })
}

// envSecret names the secret: by its file, or else by the command that prints it, or by value when asked for.
func (s source) envSecret() (key, value string, err error) {
	switch {
	case !s.options.InlineSecret.Empty():
		return "SMTP_PASSWORD", s.options.InlineSecret.Reveal(), nil
	case s.profile.Credential.Kind == config.CredentialFile:
		return "SMTP_PASSWORD_FILE", s.absolute(s.profile.Credential.Path), nil
	}
	command, err := s.command()
	return "SMTP_PASSWORD_COMMAND", command, err
}

// envQuote quotes for sh and systemd at once. Inside double quotes both take a backslash before " \ $ and ` as an
// escape and nothing else as special (POSIX.1 §2.2.3, systemd.exec(5)). Plain words stay unquoted, because other
// readers of such files require that.
func envQuote(value string) (string, bool) {
	if strings.ContainsAny(value, "\x00\r\n") {
		return "", false
	}
	if strings.Trim(value, shellFree) == "" {
		return value, true
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, `$`, `\$`, "`", "\\`").Replace(value) + `"`, true
}
