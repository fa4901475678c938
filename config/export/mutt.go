package export

import (
	"fmt"
	"strings"

	"postier/config"
	"postier/internal/locale"
)

var muttFormat = Format{
	Name: "mutt", Summary: locale.Msg("config.export.mutt"),
	carries: carriesReplyTo | carriesFromName | carriesSentCopy | carriesCAFile | carriesHelo | carriesMechanism,
	write:   func(s source) ([]Artifact, error) { return writeMutt(s, "muttrc") },
}

// writeMutt writes a muttrc(5). Mutt and NeoMutt read the same lines.
func writeMutt(s source, path string) ([]Artifact, error) {
	p := s.profile
	lines := [][2]string{
		{"from", s.from()},
		{"realname", p.From.Name},
		{"use_from", "yes"},
		{"use_envelope_from", "yes"},
		{"envelope_from_address", s.from()},
		{"smtp_url", s.mailURL("smtp", &p.Submission, s.security()) + "/"},
		{"smtp_authenticators", string(s.mechanism())},
		{"hostname", p.Submission.Helo},
		{"ssl_ca_certificates_file", s.absolute(p.TLS.CAFile)},
	}
	if s.security() != config.SecurityNone {
		lines = append(lines, [2]string{"ssl_force_tls", "yes"})
	}
	var b strings.Builder
	for _, line := range append(lines, s.muttCopy()...) {
		if line[1] != "" {
			fmt.Fprintf(&b, "set %s=%s\n", line[0], muttQuote(line[1]))
		}
	}
	if p.ReplyTo != "" {
		fmt.Fprintf(&b, "my_hdr Reply-To: %s\n", muttQuote(config.AddressASCIIDomain(p.ReplyTo)))
	}
	names := []string{}
	if s.hasPassword() {
		names = append(names, "smtp_pass")
	}
	if s.copies() {
		names = append(names, "imap_pass")
	}
	for _, name := range names {
		command, err := s.command()
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&b, "set %s=\"`%s`\"\n", name, command) // inside double quotes the output is used unchanged
	}
	return []Artifact{{Path: path, Content: []byte(b.String())}}, nil
}

// copies reports whether the program files the Sent copy itself.
func (s source) copies() bool {
	return s.profile.SentCopy.Mode == config.SentAppend && s.profile.SentCopy.IMAP != nil
}

// muttCopy is where the copy of a sent message goes.
func (s source) muttCopy() [][2]string {
	if !s.copies() {
		return [][2]string{{"copy", "no"}}
	}
	sent := s.profile.SentCopy
	url := s.mailURL("imap", sent.IMAP, sent.IMAP.Settled())
	return [][2]string{{"copy", "yes"}, {"record", url + "/" + percentEncode(sent.Folder)}}
}

// mailURL is the server as a URL with the user name. The scheme with an s is implicit TLS.
func (s source) mailURL(scheme string, server *config.Server, security config.Security) string {
	if security == config.SecurityTLS {
		scheme += "s"
	}
	host, _ := config.HostASCII(server.Host)
	user := ""
	if server.Auth != config.MechanismNone {
		user = percentEncode(server.Username) + "@"
	}
	return fmt.Sprintf("%s://%s%s:%d", scheme, user, inBrackets(host), server.Port)
}

// muttQuote writes a double-quoted string of muttrc(5), where \ " ` and $ are special.
func muttQuote(value string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "`", "\\`", `$`, `\$`).Replace(value) + `"`
}
