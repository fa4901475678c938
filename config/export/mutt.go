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

// writeMutt writes a muttrc(5). Mutt and NeoMutt read the same lines. Inside double quotes the output of a command is
// used unchanged.
func writeMutt(s source, path string) ([]Artifact, error) {
	words := map[string]string{"url": s.mailURL("smtp", &s.profile.Submission, s.security()) + "/", "record": ""}
	if sent := s.profile.SentCopy; sent.Mode == config.SentAppend && sent.IMAP != nil {
		words["record"] = s.mailURL("imap", sent.IMAP, sent.IMAP.Settled()) + "/" + percentEncode(sent.Folder)
	}
	return s.fill(words, template{path, all(muttQuote), `set from={from}
set realname={name}
set use_from="yes"
set use_envelope_from="yes"
set envelope_from_address={from}
set smtp_url={url}
set smtp_authenticators={mechanism}
set hostname={helo}
set ssl_ca_certificates_file={ca}
{^none}set ssl_force_tls="yes"
{^record}set copy="no"
{?record}set copy="yes"
set record={record}
my_hdr Reply-To: {reply}
` + "{?auth}set smtp_pass=\"`{=command}`\"\n{?record}set imap_pass=\"`{=command}`\"\n"})
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
