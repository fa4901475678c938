package export

import (
	"strconv"

	"postier/internal/locale"
)

// goFormat is a file of Go with the settings as constants and a function that reads the secret; with net/smtp or any
// other client, nothing else is needed. It is written as gofmt would write it.
var goFormat = Format{
	Name: "go", Summary: locale.Msg("config.export.go"),
	carries: carriesFromName | carriesReplyTo | carriesHelo | carriesCAFile,
	write: template{
		path: "mail.go", quote: all(strconv.Quote),
		text: `// Package mail has the settings of one way to send mail.
package mail

{?auth}import (
{?auth}	"bytes"
{?file}	"os"
{?program}	"os/exec"
{?auth})
{?auth}
// Security is tls (from the first byte), starttls (required) or none. CAFile has roots to trust next to the system's, if
// there is one.
const (
	Host        = {host}
	Port        = {=port}
	Security    = {security}
	CAFile      = {+ca}
	Helo        = {+helo}
	FromName    = {+name}
	FromAddress = {from}
	ReplyTo     = {+reply}
	Username    = {user}
)
{?auth}
{?auth}// Password reads the secret.
{?auth}func Password() (string, error) {
	data, err := os.ReadFile({file})
	data, err := exec.Command({=argv}).Output()
{?auth}	return string(bytes.TrimRight(data, "\r\n")), err
{?auth}}
`,
	}.write,
}
