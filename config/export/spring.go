package export

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"postier/config"
	"postier/internal/locale"
)

// springFormat has application properties of Spring Boot. A configuration tree makes each file of a folder a property
// whose name is the file's, which is how the secret comes in.
var springFormat = Format{
	Name: "spring", Summary: locale.Msg("config.export.spring"), secret: inlineToo,
	carries: carriesHelo | carriesMechanism, write: writeSpring,
}

func writeSpring(s source) ([]Artifact, error) {
	// Of the mechanisms that a profile can require, Jakarta Mail knows these.
	known := []config.Mechanism{"", config.MechanismPlain, config.MechanismLogin, config.MechanismNTLM}
	if !slices.Contains(known, s.mechanism()) {
		return nil, s.cannotHold("submission.auth")
	}
	artifacts, err := template{"application-mail.properties", springQuote, `{?inline}# {=secretheader}
spring.mail.host={host}
spring.mail.port={port}
spring.mail.default-encoding=UTF-8
spring.mail.properties.mail.smtp.from={from}
spring.mail.properties.mail.smtp.localhost={helo}
{?auth}spring.mail.properties.mail.smtp.auth=true
{^auth}spring.mail.properties.mail.smtp.auth=false
{?tls}spring.mail.properties.mail.smtp.ssl.enable=true
{?starttls}spring.mail.properties.mail.smtp.starttls.enable=true
{?starttls}spring.mail.properties.mail.smtp.starttls.required=true
{^none}spring.mail.properties.mail.smtp.ssl.checkserveridentity=true
spring.mail.properties.mail.smtp.auth.mechanisms={upper}
spring.mail.username={user}
spring.mail.password={inline}
`}.write(s)
	if _, inline := s.inline(); inline || !s.hasPassword() || err != nil {
		return artifacts, err
	}
	file, err := s.secretFile()
	if err != nil {
		return nil, err
	}
	folder, name := filepath.Split(file)
	if strings.ContainsAny(folder+name, ";,${}") || strings.ContainsAny(name, ".: ") {
		return nil, &Error{s.format, "credential.path", pathText(file)}
	}
	artifacts[0].Content = fmt.Appendf(artifacts[0].Content,
		"spring.config.import=configtree:%s\nspring.mail.password=${%s}\n", propertiesQuote(folder), propertiesQuote(name))
	return artifacts, nil
}

// springQuote refuses what Spring would replace, for which there is no escape before version 6.2.
func springQuote(value string) (string, bool) {
	return propertiesQuote(value), !strings.Contains(value, "${")
}
