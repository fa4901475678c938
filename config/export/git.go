package export

import (
	"net/mail"
	"strings"

	"postier/internal/locale"
)

// gitFormat is a part of git-config(1) for git send-email, which asks a credential helper for the password. An empty
// helper clears those of other files, which could return another password. The next one answers "get" and ignores
// "store" and "erase".
var gitFormat = Format{
	Name: "git", Summary: locale.Msg("config.export.git"),
	carries: carriesFromName | carriesReplyTo | carriesCAFile | carriesHelo | carriesMechanism, write: writeGit,
}

func writeGit(s source) ([]Artifact, error) {
	// git send-email keeps a name that is already quoted or encoded, and drops escapes in any other.
	author := s.from()
	if name := s.profile.From.Name; name != "" {
		author = (&mail.Address{Name: name, Address: author}).String()
	}
	return s.fill(map[string]string{"author": author}, template{"gitconfig-{=profile}", all(gitQuote), `[sendemail]
	from = {author}
	envelopeSender = {from}
	smtpServer = {host}
	smtpServerPort = {port}
	smtpEncryption = {ssl}
	smtpDomain = {helo}
	smtpSSLCertPath = {ca}
	replyTo = {reply}
	smtpUser = {user}
	smtpAuth = {upper}
{?auth}[credential "smtp://{=server}"]
{?auth}	helper =
{?auth}	helper = "!f() { test \"$1\" = get && printf 'password=%s\\n' \"$({=command})\"; }; f"
`})
}

// gitQuote writes a value or a subsection of git-config(1), "Syntax".
func gitQuote(value string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(value) + `"`
}
