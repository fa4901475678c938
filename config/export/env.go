package export

import (
	"strings"

	"postier/internal/locale"
)

// envFormat has NAME=value lines that a POSIX shell and systemd's EnvironmentFile= read alike. It names the secret by
// its file, or else by the command that prints it, or has it by value when asked for.
var envFormat = Format{
	Name: "env", Summary: locale.Msg("config.export.env"), secret: inlineToo, token: true,
	carries: carriesReplyTo | carriesFromName | carriesCAFile | carriesMechanism | carriesHelo,
	write: template{
		path: "{=profile}.env", quote: all(envQuote),
		text: "{?auth}{?inline}# {=secretheader}\n" + variables("", "=", "") + `{?auth}SMTP_PASSWORD={inline}
{^inline}SMTP_PASSWORD_FILE={file}
{?program}{^inline}SMTP_PASSWORD_COMMAND={command}
`,
	}.write,
}

// variables is a template of the settings as environment variables, without the secret, for the formats that have them.
func variables(before, between, after string) string {
	var b strings.Builder
	for _, line := range [][2]string{
		{"SMTP_HOST", "{host}"},
		{"SMTP_PORT", "{port}"},
		{"SMTP_SECURITY", "{security}"},
		{"SMTP_FROM", "{from}"},
		{"SMTP_FROM_NAME", "{name}"},
		{"SMTP_REPLY_TO", "{replyto}"},
		{"SMTP_HELO", "{helo}"},
		{"SMTP_CA_FILE", "{ca}"},
		{"SMTP_USERNAME", "{user}"},
		{"SMTP_AUTH", "{mechanism}"},
	} {
		b.WriteString(before + line[0] + between + line[1] + after + "\n")
	}
	return b.String()
}

// envQuote quotes for sh and systemd at once. Inside double quotes both take a backslash before " \ $ and ` as an
// escape and nothing else as special (POSIX.1 §2.2.3, systemd.exec(5)). Plain words stay unquoted, because other
// readers of such files require that.
func envQuote(value string) string {
	if strings.Trim(value, shellFree) == "" {
		return value
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, `$`, `\$`, "`", "\\`").Replace(value) + `"`
}
