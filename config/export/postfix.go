package export

import (
	"fmt"
	"slices"
	"strings"

	"postier/config"
	"postier/internal/locale"
)

var postfixFormat = Format{
	Name: "postfix", Summary: locale.Msg("config.export.postfix"), secret: inlineToo,
	carries: carriesCAFile | carriesHelo | carriesMechanism, write: writePostfix,
}

// writePostfix writes lines for main.cf and the tables that they name, all for the folder /etc/postfix. Postfix wants
// the password in a table; without --inline-secret a script makes that table from the reference.
func writePostfix(s source) ([]Artifact, error) {
	p := s.profile
	folder := "postier/" + s.name + "/"
	hop := fmt.Sprintf("[%s]:%d", s.host(), p.Submission.Port)
	senders, err := s.postfixSenders()
	if err != nil {
		return nil, err
	}
	main, err := s.postfixMain(hop, "texthash:/etc/postfix/"+folder)
	if err != nil {
		return nil, err
	}
	var relays strings.Builder
	for _, sender := range senders {
		fmt.Fprintf(&relays, "%s %s\n", sender, hop)
	}
	artifacts := []Artifact{
		{Path: folder + "main.cf", Content: []byte(main)},
		{Path: folder + "relayhost", Content: []byte(relays.String())},
	}
	if s.security() != config.SecurityNone {
		// RFC 7817: the name that was asked for is the one in the certificate.
		policy := fmt.Sprintf("%s secure match=%s\n", hop, s.host())
		artifacts = append(artifacts, Artifact{Path: folder + "tls_policy", Content: []byte(policy)})
	}
	if !s.hasPassword() {
		return artifacts, nil
	}
	secrets, err := s.postfixSecrets(folder, append([]string{hop}, senders...))
	return append(artifacts, secrets), err
}

// postfixMain has the parameters; postconf(5) has no escape but $$ for $, and removes spaces at both ends.
func (s source) postfixMain(hop, tables string) (string, error) {
	p := s.profile
	lines := [][2]string{
		{"relayhost", hop},
		{"sender_dependent_relayhost_maps", tables + "relayhost"},
	}
	if s.hasPassword() {
		lines = append(lines, [][2]string{
			{"smtp_sender_dependent_authentication", "yes"},
			{"smtp_sasl_auth_enable", "yes"},
			{"smtp_sasl_password_maps", tables + "sasl_passwd"},
			{"smtp_sasl_security_options", "noanonymous"},
			{"smtp_sasl_tls_security_options", "noanonymous"},
		}...)
		if mechanism := s.mechanism(); mechanism != "" {
			lines = append(lines, [2]string{"smtp_sasl_mechanism_filter", string(mechanism)})
		}
	}
	if security := s.security(); security != config.SecurityNone {
		roots := s.absolute(p.TLS.CAFile)
		if roots == "" {
			roots = "/etc/ssl/certs/ca-certificates.crt" // where Debian keeps the system's roots
		}
		lines = append(lines, [][2]string{
			{"smtp_tls_security_level", "encrypt"},
			{"smtp_tls_policy_maps", tables + "tls_policy"},
			{"smtp_tls_CAfile", roots},
		}...)
		if security == config.SecurityTLS {
			lines = append(lines, [2]string{"smtp_tls_wrappermode", "yes"}) // RFC 8314 §3.3
		}
	}
	if p.Submission.Helo != "" {
		lines = append(lines, [2]string{"smtp_helo_name", p.Submission.Helo})
	}
	var b strings.Builder
	for _, line := range lines {
		if strings.TrimSpace(line[1]) != line[1] {
			return "", s.cannotHold(line[0])
		}
		fmt.Fprintf(&b, "%s = %s\n", line[0], strings.ReplaceAll(line[1], "$", "$$"))
	}
	return b.String(), nil
}

// postfixSenders are the keys of the tables by sender: the author's address, and what else this profile sends for.
func (s source) postfixSenders() ([]string, error) {
	keys := []string{s.from()}
	for _, sender := range s.profile.Senders {
		key := config.AddressASCIIDomain(sender)
		if !strings.Contains(sender, "@") {
			ascii, _ := config.DomainASCII(sender)
			key = "@" + ascii
		}
		if !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	for _, key := range keys {
		// postmap(1): the key ends at the first space, a quote starts a quoted key, # starts a comment.
		if strings.ContainsAny(key, "\" \t\\") || strings.HasPrefix(key, "#") {
			return nil, s.cannotHold("from.address")
		}
	}
	return keys, nil
}

// postfixSecrets is the table of passwords, or the script that makes it.
func (s source) postfixSecrets(folder string, keys []string) (Artifact, error) {
	user := s.profile.Submission.Username
	if strings.Contains(user, ":") { // the value is USER:PASSWORD, cut at the first colon
		return Artifact{}, s.cannotHold("submission.username")
	}
	var b strings.Builder
	if password, ok := s.inline(); ok {
		if strings.TrimSpace(password) != password {
			return Artifact{}, s.cannotHold("credential")
		}
		b.WriteString("# " + secretHeader + "\n")
		for _, key := range keys {
			fmt.Fprintf(&b, "%s %s:%s\n", key, user, password)
		}
		return Artifact{Path: folder + "sasl_passwd", Content: []byte(b.String())}, nil
	}
	for _, key := range keys {
		fmt.Fprintf(&b, "printf '%%s %%s:%%s\\n' %s %s \"$password\"\n", shellQuote(key), shellQuote(user))
	}
	return Artifact{Path: folder + "make-sasl_passwd.sh", Content: []byte(s.tableScript("sasl_passwd", b.String()))}, nil
}

// tableScript makes a table that has to hold the password. The password comes from the reference, passes only through
// shell variables and built-in commands, and is written to a file of mode 0600.
func (s source) tableScript(table, lines string) string {
	return `#!/bin/sh
# Writes the table ` + table + ` beside this script. Run it again whenever the password has changed.
set -eu
umask 077
cd -- "$(dirname -- "$0")"
password=$(` + shellWords(s.secretCommand()) + `)
case $password in
*[[:space:]] | [[:space:]]*)
  echo "a password with a blank at its end does not fit into ` + table + `" >&2
  exit 65
  ;;
esac
{
` + lines + `} >` + table + `.new
mv -f ` + table + `.new ` + table + `
`
}
