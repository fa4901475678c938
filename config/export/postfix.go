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
//
// RFC 7817: the name that was asked for is the one in the certificate.
func writePostfix(s source) ([]Artifact, error) {
	senders, err := s.postfixSenders()
	if err != nil {
		return nil, err
	}
	hop := fmt.Sprintf("[%s]:%d", s.host(), s.profile.Submission.Port)
	words := map[string]string{
		"hop": hop, "tables": "texthash:/etc/postfix/postier/" + s.name,
		"relays": strings.Join(senders, " "+hop+"\n") + " " + hop, "roots": s.absolute(s.profile.TLS.CAFile),
	}
	if words["roots"] == "" {
		words["roots"] = "/etc/ssl/certs/ca-certificates.crt" // where Debian keeps the system's roots
	}
	artifacts, err := s.fill(words, template{"postier/{=profile}/main.cf", postfixQuote, postfixMain},
		template{"postier/{=profile}/relayhost", nil, "{=relays}\n"},
		template{"{^none}postier/{=profile}/tls_policy", nil, "{=hop} secure match={=host}\n"})
	if err != nil || !s.hasPassword() {
		return artifacts, err
	}
	return s.secretTable(artifacts, "postier/"+s.name+"/", "sasl_passwd", append([]string{hop}, senders...)...)
}

// postfixMain has the parameters. smtp_tls_wrappermode is for implicit TLS (RFC 8314 §3.3).
const postfixMain = `relayhost = {hop}
sender_dependent_relayhost_maps = {=tables}/relayhost
{?auth}smtp_sender_dependent_authentication = yes
{?auth}smtp_sasl_auth_enable = yes
{?auth}smtp_sasl_password_maps = {=tables}/sasl_passwd
{?auth}smtp_sasl_security_options = noanonymous
{?auth}smtp_sasl_tls_security_options = noanonymous
smtp_sasl_mechanism_filter = {mechanism}
{^none}smtp_tls_security_level = encrypt
{^none}smtp_tls_policy_maps = {=tables}/tls_policy
{^none}smtp_tls_CAfile = {roots}
{?tls}smtp_tls_wrappermode = yes
smtp_helo_name = {helo}
`

// postfixQuote writes a value of postconf(5), which has no escape but $$ for $, and removes spaces at both ends.
func postfixQuote(value string) (string, bool) {
	return strings.ReplaceAll(value, "$", "$$"), strings.TrimSpace(value) == value
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

// secretTable adds the table with a row KEY USER:PASSWORD for each key, or the script that makes it. Postfix and
// OpenSMTPD (table(5)) cut the value at the first colon.
func (s source) secretTable(artifacts []Artifact, folder, table string, keys ...string) ([]Artifact, error) {
	user := s.profile.Submission.Username
	if strings.Contains(user, ":") {
		return nil, s.cannotHold("submission.username")
	}
	password, inline := s.inline()
	if inline && strings.TrimSpace(password) != password {
		return nil, s.cannotHold("credential")
	}
	var rows, script strings.Builder
	for _, key := range keys {
		fmt.Fprintf(&rows, "%s %s:%s\n", key, user, password)
		fmt.Fprintf(&script, "printf '%%s %%s:%%s\\n' %s %s \"$password\"\n", shellQuote(key), shellQuote(user))
	}
	path, content := folder+"make-"+table+".sh", s.tableScript(table, script.String())
	if inline {
		path, content = folder+table, "# "+secretHeader+"\n"+rows.String()
	}
	return append(artifacts, Artifact{Path: path, Content: []byte(content)}), nil
}

// tableScript makes a table that has to hold the password. The password comes from the reference, passes only through
// shell variables and built-in commands, and is written to a file of mode 0600.
func (s source) tableScript(table, lines string) string {
	return `#!/bin/sh
# Writes the table ` + table + ` next to this script. Run it again whenever the password has changed.
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
