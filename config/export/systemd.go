package export

import (
	"strings"

	"postier/config"
	"postier/internal/locale"
)

// systemdFormat is a drop-in for a service: the secret as a credential, and the variables of the format env.
var systemdFormat = Format{
	Name: "systemd", Summary: locale.Msg("config.export.systemd"), carries: envFormat.carries, write: writeSystemd,
}

func writeSystemd(s source) ([]Artifact, error) {
	words := map[string]string{"credential": "smtp-" + s.name, "load": ""}
	if c := s.profile.Credential; s.hasPassword() && c.Kind == config.CredentialSystemd {
		words["credential"], words["load"] = c.Name, c.Name // from systemd's own store of credentials
	} else if s.hasPassword() {
		file, err := s.secretFile()
		if err != nil {
			return nil, err
		}
		// systemd.exec(5): the path is the rest of the line, without quotes; a backslash at its end would join lines.
		if strings.TrimSpace(file) != file || strings.HasSuffix(file, `\`) {
			return nil, &Error{s.format, "credential.path", pathText(file)}
		}
		words["load"] = words["credential"] + ":" + file
	}
	for name, word := range words {
		words[name] = strings.ReplaceAll(word, "%", "%%")
	}
	return s.fill(words, template{"{=profile}-mail.conf", all(systemdEscape), "[Service]\n" +
		variables(`Environment="`, "=", `"`) + `LoadCredential={=load}
{?auth}Environment="SMTP_PASSWORD_FILE=%d/{=credential}"
`})
}

// systemdEscape writes a part of an item of Environment= in double quotes (systemd.syntax(7)): backslash escapes, and
// %% for %.
func systemdEscape(value string) string {
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`, `%`, `%%`).Replace(value)
}
