package export

import (
	"fmt"
	"strings"

	"postier/config"
	"postier/internal/locale"
)

var systemdFormat = Format{
	Name: "systemd", Summary: locale.Msg("config.export.systemd"), carries: envFormat.carries, write: writeSystemd,
}

// writeSystemd writes a drop-in for a service: the secret as a credential, and the variables of the format env.
func writeSystemd(s source) ([]Artifact, error) {
	var b strings.Builder
	b.WriteString("[Service]\n")
	for _, line := range s.variables() {
		fmt.Fprintf(&b, "Environment=%s\n", systemdQuote(line[0]+"="+line[1]))
	}
	if s.hasPassword() {
		name := "smtp-" + s.name
		load := ""
		if c := s.profile.Credential; c.Kind == config.CredentialSystemd {
			name = c.Name
			load = name // from systemd's own store of credentials
		} else {
			file, err := s.secretFile()
			if err != nil {
				return nil, err
			}
			// systemd.exec(5): the path is the rest of the line, without quotes; a backslash at its end would join lines.
			if strings.TrimSpace(file) != file || strings.HasSuffix(file, `\`) {
				return nil, &Error{s.format, "credential.path", pathText(file)}
			}
			load = name + ":" + file
		}
		fmt.Fprintf(&b, "LoadCredential=%s\n", strings.ReplaceAll(load, "%", "%%"))
		fmt.Fprintf(&b, "Environment=\"SMTP_PASSWORD_FILE=%%d/%s\"\n", strings.ReplaceAll(name, "%", "%%"))
	}
	return []Artifact{{Path: s.name + "-mail.conf", Content: []byte(b.String())}}, nil
}

// systemdQuote writes one item of Environment= (systemd.syntax(7)): backslash escapes inside double quotes, %% for %.
func systemdQuote(value string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, `%`, `%%`).Replace(value) + `"`
}
