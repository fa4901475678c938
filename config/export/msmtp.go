package export

import (
	"strings"

	"postier/internal/locale"
)

// msmtpFormat is an msmtprc(5) with one account, which is also the default one. It never switches certificate checks
// off. msmtp 1.8.23, in Debian 12, refuses a file with from_full_name.
var msmtpFormat = Format{
	Name: "msmtp", Summary: locale.Msg("config.export.msmtp"), carries: carriesCAFile | carriesHelo | carriesMechanism,
	token: true, write: writeMSMTP,
}

// msmtpLine is the longest line that msmtp reads, in octets, without its line end.
const msmtpLine = 499

func writeMSMTP(s source) ([]Artifact, error) {
	artifacts, err := template{"msmtprc", all(msmtpQuote), `account {profile}
host {host}
port {port}
{?none}tls off
{^none}tls on
{?tls}tls_starttls off
{?starttls}tls_starttls on
{^none}tls_trust_file {ca}
{^auth}auth off
{?auth}{^mechanism}auth on
auth {mechanism}
user {user}
{?auth}passwordeval {command}
from {from}
domain {helo}
account default : {=profile}
`}.write(s)
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(artifacts[0].Content)) {
		if key, _, _ := strings.Cut(line, " "); len(line) > msmtpLine+len("\n") {
			return nil, s.cannotHold(key)
		}
	}
	return artifacts, nil
}

// msmtpQuote writes the argument of a setting. msmtp takes the rest of the line without the spaces at its ends, and
// without one pair of double quotes around it; nothing inside is special and nothing can be escaped.
func msmtpQuote(value string) string {
	if strings.Trim(value, shellFree) == "" {
		return value
	}
	return `"` + value + `"`
}
