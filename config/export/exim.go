package export

import (
	"fmt"
	"strings"

	"postier/config"
	"postier/internal/locale"
)

var eximFormat = Format{
	Name: "exim", Summary: locale.Msg("config.export.exim"), carries: carriesCAFile | carriesHelo | carriesMechanism,
	write: writeExim,
}

// writeExim writes a router, a transport and the authenticators, as the files of Debian's split configuration.
// Elsewhere their content goes below "begin routers", "begin transports" and "begin authenticators" of the one file.
func writeExim(s source) ([]Artifact, error) {
	words, err := s.eximWords()
	if err != nil {
		return nil, err
	}
	return s.fill(words, template{"conf.d/router/150_{=id}", nil, `{=id}:
  driver = manualroute
  domains = ! +local_domains
  transport = {=id}
  route_list = * {=hosts} byname
  host_find_failed = defer
  same_domain_copy_routing = yes
  no_more
`}, template{"conf.d/transport/30_{=id}", all(eximEscape), `{=id}:
  driver = smtp
  port = {=port}
{?tls}  protocol = smtps
{^none}  hosts_require_tls = *
{^none}  tls_verify_hosts = *
{^none}  tls_verify_cert_hostnames = *
{^none}  tls_verify_certificates = {=roots}
{^none}  tls_sni = {=host}
{?auth}  hosts_require_auth = *
  helo_data = {helo}
`}, template{"{?auth}conf.d/auth/30_{=id}", nil, `{?plain}{=id}_plain:
{?plain}  driver = plaintext
{?plain}  public_name = PLAIN
{?plain}  client_send = <; ^{=doubleuser}^{=doublesecret}
{?login}{=id}_login:
{?login}  driver = plaintext
{?login}  public_name = LOGIN
{?login}  client_send = <; ; {=doubleuser} ; {=doublesecret}
{?cram}{=id}_cram:
{?cram}  driver = cram_md5
{?cram}  public_name = CRAM-MD5
{?cram}  client_name = {=user}
{?cram}  client_secret = {=secret}
`})
}

// eximWords are the values in the syntax of Exim. The password is read at each sign-in; a circumflex in it is doubled,
// because a single one stands for NUL. The colons of an IPv6 address are doubled, because they separate the hosts of a
// list.
func (s source) eximWords() (map[string]string, error) {
	doubled := func(value string) string { return `${sg{` + value + `}{\\^}{^^}}` }
	user := eximEscape(s.profile.Submission.Username)
	words := map[string]string{
		"id": "postier_" + strings.ReplaceAll(s.name, "-", "_"), "hosts": strings.ReplaceAll(s.host(), ":", "::"),
		"roots": "system", "user": user, "doubleuser": doubled(user), "plain": "", "login": "", "cram": "",
	}
	if file := s.absolute(s.profile.TLS.CAFile); file != "" {
		words["roots"] = eximEscape(file)
	}
	if s.hasPassword() {
		secret, err := s.eximSecret()
		if err != nil {
			return nil, err
		}
		words["secret"], words["doublesecret"] = secret, doubled(secret)
		switch s.mechanism() {
		case "":
			words["plain"], words["login"] = "yes", "yes"
		case config.MechanismPlain:
			words["plain"] = "yes"
		case config.MechanismLogin:
			words["login"] = "yes"
		case config.MechanismCRAMMD5:
			words["cram"] = "yes"
		default:
			return nil, s.cannotHold("submission.auth")
		}
	}
	return words, nil
}

// eximSecret is an expansion that gives the secret: the first line of its file, or of the command, which Exim starts
// without a shell.
func (s source) eximSecret() (string, error) {
	if file, _ := s.reference(); file != "" {
		return `${sg{${readfile{` + eximEscape(file) + `}{}}}{\\r?\\n?\$}{}}`, nil
	}
	command, err := s.command()
	if err != nil {
		return "", err
	}
	return `${sg{${run{` + eximEscape(command) + `}{$value}fail}}{\\r?\\n?\$}{}}`, nil
}

// eximEscape writes text inside an expansion. Every character that could mean something to the file (#, macros, which
// begin with a capital letter), to a list (;) or to the expansion ($ \ { } ^) becomes \xHH.
func eximEscape(text string) string {
	const free = "abcdefghijklmnopqrstuvwxyz0123456789/._@- "
	var b strings.Builder
	for i := range len(text) {
		if strings.IndexByte(free, text[i]) >= 0 {
			b.WriteByte(text[i])
		} else {
			fmt.Fprintf(&b, `\x%02x`, text[i])
		}
	}
	return b.String()
}
