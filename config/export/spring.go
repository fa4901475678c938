package export

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"postier/config"
	"postier/internal/locale"
)

var springFormat = Format{
	Name: "spring", Summary: locale.Msg("config.export.spring"), secret: inlineToo,
	carries: carriesHelo | carriesMechanism, write: writeSpring,
}

// writeSpring writes application properties of Spring Boot. A configuration tree makes each file of a folder a property
// whose name is the file's, which is how the secret comes in.
func writeSpring(s source) ([]Artifact, error) {
	p := s.profile
	security := s.security()
	lines := [][2]string{
		{"spring.mail.host", s.host()},
		{"spring.mail.port", strconv.Itoa(p.Submission.Port)},
		{"spring.mail.default-encoding", "UTF-8"},
		{"spring.mail.properties.mail.smtp.from", s.from()},
		{"spring.mail.properties.mail.smtp.localhost", p.Submission.Helo},
		{"spring.mail.properties.mail.smtp.auth", strconv.FormatBool(s.hasPassword())},
	}
	switch security {
	case config.SecurityTLS:
		lines = append(lines, [2]string{"spring.mail.properties.mail.smtp.ssl.enable", "true"})
	case config.SecurityStartTLS:
		lines = append(lines, [2]string{"spring.mail.properties.mail.smtp.starttls.enable", "true"},
			[2]string{"spring.mail.properties.mail.smtp.starttls.required", "true"})
	}
	if security != config.SecurityNone {
		lines = append(lines, [2]string{"spring.mail.properties.mail.smtp.ssl.checkserveridentity", "true"})
	}
	if s.hasPassword() {
		if mechanism := s.mechanism(); mechanism != "" {
			lines = append(lines, [2]string{
				"spring.mail.properties.mail.smtp.auth.mechanisms",
				strings.ToUpper(string(mechanism)),
			})
		}
		lines = append(lines, [2]string{"spring.mail.username", p.Submission.Username})
	}
	header := ""
	secret, inline := s.inline()
	if inline {
		header = "# " + secretHeader + "\n"
		lines = append(lines, [2]string{"spring.mail.password", secret})
	}
	var b strings.Builder
	b.WriteString(header)
	for _, line := range lines {
		if strings.Contains(line[1], "${") { // replaced by Spring, with no escape before version 6.2
			return nil, s.cannotHold(line[0])
		}
		if line[1] != "" {
			fmt.Fprintf(&b, "%s=%s\n", line[0], propertiesQuote(line[1]))
		}
	}
	if s.hasPassword() && !inline {
		file, err := s.secretFile()
		if err != nil {
			return nil, err
		}
		folder, name := filepath.Split(file)
		if strings.ContainsAny(folder+name, ";,${}") || strings.ContainsAny(name, ".: ") {
			return nil, &Error{s.format, "credential.path", pathText(file)}
		}
		fmt.Fprintf(&b, "spring.config.import=configtree:%s\nspring.mail.password=${%s}\n", propertiesQuote(folder),
			propertiesQuote(name))
	}
	return []Artifact{{Path: "application-mail.properties", Content: []byte(b.String())}}, nil
}
