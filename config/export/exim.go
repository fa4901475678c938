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
	id := "postier_" + strings.ReplaceAll(s.name, "-", "_")
	router := fmt.Sprintf(`%s:
  driver = manualroute
  domains = ! +local_domains
  transport = %s
  route_list = * %s byname
  host_find_failed = defer
  same_domain_copy_routing = yes
  no_more
`, id, id, eximHost(s.host()))
	artifacts := []Artifact{
		{Path: "conf.d/router/150_" + id, Content: []byte(router)},
		{Path: "conf.d/transport/30_" + id, Content: []byte(s.eximTransport(id))},
	}
	if !s.hasPassword() {
		return artifacts, nil
	}
	authenticators, err := s.eximAuthenticators(id)
	if err != nil {
		return nil, err
	}
	return append(artifacts, Artifact{Path: "conf.d/auth/30_" + id, Content: []byte(authenticators)}), nil
}

// eximHost doubles the colons of an IPv6 address: they part the hosts of a list.
func eximHost(host string) string { return strings.ReplaceAll(host, ":", "::") }

func (s source) eximTransport(id string) string {
	p := s.profile
	var b strings.Builder
	fmt.Fprintf(&b, "%s:\n  driver = smtp\n  port = %d\n", id, p.Submission.Port)
	if security := s.security(); security != config.SecurityNone {
		if security == config.SecurityTLS {
			b.WriteString("  protocol = smtps\n")
		}
		roots := "system"
		if file := s.absolute(p.TLS.CAFile); file != "" {
			roots = eximEscape(file)
		}
		b.WriteString("  hosts_require_tls = *\n  tls_verify_hosts = *\n  tls_verify_cert_hostnames = *\n")
		fmt.Fprintf(&b, "  tls_verify_certificates = %s\n  tls_sni = %s\n", roots, s.host())
	}
	if s.hasPassword() {
		b.WriteString("  hosts_require_auth = *\n")
	}
	if p.Submission.Helo != "" {
		fmt.Fprintf(&b, "  helo_data = %s\n", eximEscape(p.Submission.Helo))
	}
	return b.String()
}

// eximAuthenticators signs in with the mechanisms of Exim's client. The password is read at each sign-in; a circumflex
// in it is doubled, because a single one stands for NUL.
func (s source) eximAuthenticators(id string) (string, error) {
	secret, err := s.eximSecret()
	if err != nil {
		return "", err
	}
	user := eximEscape(s.profile.Submission.Username)
	doubled := func(value string) string { return `${sg{` + value + `}{\\^}{^^}}` }
	blocks := map[config.Mechanism]string{
		config.MechanismPlain: fmt.Sprintf(
			"%s_plain:\n  driver = plaintext\n  public_name = PLAIN\n  client_send = <; ^%s^%s\n",
			id, doubled(user), doubled(secret)),
		config.MechanismLogin: fmt.Sprintf(
			"%s_login:\n  driver = plaintext\n  public_name = LOGIN\n  client_send = <; ; %s ; %s\n",
			id, doubled(user), doubled(secret)),
		config.MechanismCRAMMD5: fmt.Sprintf(
			"%s_cram:\n  driver = cram_md5\n  public_name = CRAM-MD5\n  client_name = %s\n  client_secret = %s\n",
			id, user, secret),
	}
	if mechanism := s.mechanism(); mechanism != "" {
		if block, ok := blocks[mechanism]; ok {
			return block, nil
		}
		return "", s.cannotHold("submission.auth")
	}
	return blocks[config.MechanismPlain] + blocks[config.MechanismLogin], nil
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
