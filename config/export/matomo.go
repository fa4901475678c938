package export

import (
	"html"
	"strings"

	"postier/config"
	"postier/internal/locale"
)

// matomoFormat has the settings for config.ini.php. Without type Matomo does not sign in, so one is always named.
var matomoFormat = Format{
	Name: "matomo", Summary: locale.Msg("config.export.matomo"), trust: "trust_php",
	carries: carriesFromName | carriesMechanism, write: writeMatomo,
}

func writeMatomo(s source) ([]Artifact, error) {
	words := map[string]string{"address": inBrackets(s.host()), "encryption": s.sslOrTLS(), "type": ""}
	if s.security() == config.SecurityNone {
		words["encryption"] = "none"
	}
	if s.hasPassword() {
		mechanism, err := s.passwordMechanism()
		if err != nil {
			return nil, err
		}
		words["type"] = strings.ToUpper(string(mechanism))
	}
	return s.fill(words, template{"matomo-mail.ini", matomoQuote, `[General]
noreply_email_address = {from}
noreply_email_name = {name}

[mail]
transport = "smtp"
host = {address}
port = {=port}
encryption = {encryption}
{^none}ssl_verify_peer = 1
{^none}ssl_verify_peer_name = 1
{^none}ssl_disallow_self_signed = 1
type = {type}
username = {user}
`}, s.secretScript("matomo-secret.sh", "config.ini.php", matomoSed, `password = "`, `"`, entity))
}

// matomoEntities are the characters that parse_ini_string of PHP or Matomo would see a meaning in. Matomo replaces
// entities in all values of its configuration.
var matomoEntities = strings.NewReplacer(
	"&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "$", "&#36;", `\`, "&#92;",
)

// matomoSed does the same in the script. It replaces & first, so that the others keep theirs.
const matomoSed = `s/&/\&amp;/g; s/</\&lt;/g; s/>/\&gt;/g; s/"/\&quot;/g; s/[$]/\&#36;/g; s/\\/\&#92;/g`

// entity is what the script refuses, as matomoQuote does in the other values: every form that an entity can have.
const entity = "&#?[0-9A-Za-z]+;"

// matomoQuote refuses a value that holds an entity itself: some versions of Matomo replace them twice.
func matomoQuote(value string) (string, bool) {
	return `"` + matomoEntities.Replace(value) + `"`, html.UnescapeString(value) == value
}
