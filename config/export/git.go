package export

import (
	"fmt"
	"net/mail"
	"strconv"
	"strings"

	"postier/config"
	"postier/internal/locale"
)

var gitFormat = Format{
	Name: "git", Summary: locale.Msg("config.export.git"),
	carries: carriesFromName | carriesReplyTo | carriesCAFile | carriesHelo | carriesMechanism, write: writeGit,
}

// writeGit writes a part of git-config(1) for git send-email, which asks a credential helper for the password.
func writeGit(s source) ([]Artifact, error) {
	p := s.profile
	// git send-email keeps a name that is already quoted or encoded, and drops escapes in any other.
	from := s.from()
	if p.From.Name != "" {
		from = (&mail.Address{Name: p.From.Name, Address: from}).String()
	}
	lines := [][2]string{
		{"from", from},
		{"envelopeSender", s.from()},
		{"smtpServer", s.host()},
		{"smtpServerPort", strconv.Itoa(p.Submission.Port)},
		{"smtpEncryption", map[config.Security]string{
			config.SecurityTLS:      "ssl",
			config.SecurityStartTLS: "tls",
		}[s.security()]},
		{"smtpDomain", p.Submission.Helo},
		{"smtpSSLCertPath", s.absolute(p.TLS.CAFile)},
	}
	if p.ReplyTo != "" {
		lines = append(lines, [2]string{"replyTo", config.AddressASCIIDomain(p.ReplyTo)})
	}
	if s.hasPassword() {
		lines = append(lines, [2]string{"smtpUser", p.Submission.Username},
			[2]string{"smtpAuth", strings.ToUpper(string(s.mechanism()))})
	}
	var b strings.Builder
	b.WriteString("[sendemail]\n")
	for _, line := range lines {
		if line[1] != "" {
			fmt.Fprintf(&b, "\t%s = %s\n", line[0], gitQuote(line[1]))
		}
	}
	if s.hasPassword() {
		command, err := s.command()
		if err != nil {
			return nil, err
		}
		// An empty helper clears those of other files, which could return another password. The next one answers "get" and
		// ignores "store" and "erase".
		helper := fmt.Sprintf(`!f() { test "$1" = get && printf 'password=%%s\n' "$(%s)"; }; f`, command)
		fmt.Fprintf(&b, "[credential %s]\n\thelper =\n\thelper = %s\n",
			gitQuote(fmt.Sprintf("smtp://%s:%d", inBrackets(s.host()), p.Submission.Port)), gitQuote(helper))
	}
	return []Artifact{{Path: "gitconfig-" + s.name, Content: []byte(b.String())}}, nil
}

// gitQuote writes a value or a subsection of git-config(1), "Syntax".
func gitQuote(value string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(value) + `"`
}

// quotedPhrase writes a display name as RFC 5322 §3.2.4 does, leaving UTF-8 as it is (RFC 6532 §3.2).
func quotedPhrase(name string) string {
	plain := (&mail.Address{Name: name, Address: "a@b"}).String()
	if strings.HasPrefix(plain, "=?") || strings.HasPrefix(plain, `"`) {
		return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(name) + `"`
	}
	return name
}
