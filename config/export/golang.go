package export

import (
	"fmt"
	"strconv"
	"strings"

	"postier/config"
	"postier/internal/locale"
)

var goFormat = Format{
	Name: "go", Summary: locale.Msg("config.export.go"), carries: carriesFromName | carriesReplyTo | carriesHelo,
	write: writeGo,
}

// writeGo writes a file of Go with the settings as constants and a function that reads the secret; with net/smtp or any
// other client, nothing else is needed.
func writeGo(s source) ([]Artifact, error) {
	p := s.profile
	var b strings.Builder
	file, argv := s.reference()
	imports := []string{"bytes", "os"}
	if file == "" {
		imports[1] = "os/exec"
	}
	b.WriteString("// Package mail has the settings of one way to send mail.\npackage mail\n\n")
	if s.hasPassword() {
		fmt.Fprintf(&b, "import (\n\t%q\n\t%q\n)\n\n", imports[0], imports[1])
	}
	b.WriteString("// Security is tls (from the first byte), starttls (required) or none.\nconst (\n")
	// Written as gofmt would, by which a test holds it: the longest name is FromAddress.
	field := func(key, value string) { fmt.Fprintf(&b, "\t%-11s = %s\n", key, value) }
	field("Host", strconv.Quote(s.host()))
	field("Port", fmt.Sprint(p.Submission.Port))
	field("Security", strconv.Quote(string(s.security())))
	field("Helo", strconv.Quote(p.Submission.Helo))
	field("FromName", strconv.Quote(p.From.Name))
	field("FromAddress", strconv.Quote(s.from()))
	field("ReplyTo", strconv.Quote(config.AddressASCIIDomain(p.ReplyTo)))
	if s.hasPassword() {
		field("Username", strconv.Quote(p.Submission.Username))
	}
	b.WriteString(")\n")
	if s.hasPassword() {
		read := fmt.Sprintf("os.ReadFile(%s)", strconv.Quote(file))
		if file == "" {
			read = fmt.Sprintf("exec.Command(%s).Output()", joinQuoted(argv, strconv.Quote))
		}
		fmt.Fprintf(&b, "\n// Password reads the secret.\nfunc Password() (string, error) {\n\tdata, err := %s\n"+
			"\treturn string(bytes.TrimRight(data, \"\\r\\n\")), err\n}\n", read)
	}
	return []Artifact{{Path: "mail.go", Content: []byte(b.String())}}, nil
}
