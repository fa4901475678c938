package export

import (
	"strings"

	"postier/config"
	"postier/internal/locale"
	"postier/internal/pattern"
)

// grafanaFormat is the section smtp of grafana.ini. Grafana takes the password from a file by itself ($__file).
var grafanaFormat = Format{
	Name: "grafana", Summary: locale.Msg("config.export.grafana"), secret: inlineToo, trust: "trust_env",
	carries: carriesFromName | carriesReplyTo | carriesHelo, write: writeGrafana,
}

func writeGrafana(s source) ([]Artifact, error) {
	// The library that Grafana sends with uses implicit TLS on port 465, and on no other.
	if (s.security() == config.SecurityTLS) != (s.profile.Submission.Port == config.PortSubmissions) {
		return nil, s.refuse("submission.port", "config.export.port465")
	}
	words := map[string]string{"yes": "true", "no": "false", "reference": "", "policy": map[config.Security]string{
		config.SecurityStartTLS: "MandatoryStartTLS", config.SecurityNone: "NoStartTLS",
	}[s.security()]}
	if _, inline := s.inline(); s.hasPassword() && !inline {
		file, err := s.secretFile()
		if err != nil {
			return nil, err
		}
		quoted, ok := goINIQuote("$__file{" + file + "}")
		if !ok || strings.Contains(file, "}") {
			return nil, &Error{s.format, "credential.path", pathText(file)}
		}
		words["reference"] = quoted
	}
	return s.fill(words, template{"grafana-smtp.ini", grafanaQuote, `{?inline}; {=secretheader}
[smtp]
enabled = {yes}
host = {server}
startTLS_policy = {policy}
skip_verify = {no}
ehlo_identity = {helo}
user = {user}
password = {inline}
password = {=reference}
from_address = {from}
from_name = {name}
{?reply}[smtp.static_headers]
Reply-To = {reply}
`})
}

// grafanaReplaces is what Grafana replaces in every value, for which there is no escape: ${NAME} and $__word{argument}.
var grafanaReplaces = pattern.Of(`\$(__\w+)?\{`)

// grafanaQuote writes a value for Grafana, which reads with go-ini and replaces variables afterwards.
func grafanaQuote(value string) (string, bool) {
	quoted, ok := goINIQuote(value)
	return quoted, ok && !grafanaReplaces().MatchString(value)
}
