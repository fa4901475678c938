package export

import (
	"fmt"
	"strconv"
	"strings"

	"postier/config"
	"postier/internal/locale"
)

var djangoFormat = Format{
	Name: "django", Summary: locale.Msg("config.export.django"), carries: carriesFromName, write: writeDjango,
}

// writeDjango writes a module for settings.py: from .mail import *
func writeDjango(s source) ([]Artifact, error) {
	p := s.profile
	python := map[bool]string{true: "True", false: "False"}
	var b strings.Builder
	file, argv := s.reference()
	switch {
	case !s.hasPassword():
	case file != "":
		b.WriteString("from pathlib import Path\n\n")
	default:
		b.WriteString("import subprocess\n\n")
	}
	field := func(key, value string) { fmt.Fprintf(&b, "%s = %s\n", key, value) }
	field("EMAIL_BACKEND", `"django.core.mail.backends.smtp.EmailBackend"`)
	field("EMAIL_HOST", jsonQuote(s.host()))
	field("EMAIL_PORT", strconv.Itoa(p.Submission.Port))
	field("EMAIL_USE_SSL", python[s.security() == config.SecurityTLS])
	field("EMAIL_USE_TLS", python[s.security() == config.SecurityStartTLS])
	if s.hasPassword() {
		field("EMAIL_HOST_USER", jsonQuote(p.Submission.Username))
		if file != "" {
			field("EMAIL_HOST_PASSWORD", fmt.Sprintf(`Path(%s).read_text(encoding="utf-8").rstrip("\r\n")`, jsonQuote(file)))
		} else {
			field("EMAIL_HOST_PASSWORD",
				fmt.Sprintf(`subprocess.run(%s, check=True, stdout=subprocess.PIPE).stdout.decode("utf-8").rstrip("\r\n")`,
					jsonList(argv)))
		}
	}
	field("DEFAULT_FROM_EMAIL", jsonQuote(s.mailbox()))
	field("SERVER_EMAIL", jsonQuote(s.from()))
	return []Artifact{{Path: "mail.py", Content: []byte(b.String())}}, nil
}
