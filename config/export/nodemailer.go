package export

import (
	"fmt"
	"strings"

	"postier/config"
	"postier/internal/locale"
)

var nodemailerFormat = Format{
	Name: "nodemailer", Summary: locale.Msg("config.export.nodemailer"),
	carries: carriesFromName | carriesReplyTo | carriesCAFile | carriesHelo | carriesMechanism, write: writeNodemailer,
}

// writeNodemailer writes a module that exports a transport of nodemailer.
func writeNodemailer(s source) ([]Artifact, error) {
	p := s.profile
	var options []string
	add := func(key, value string) { options = append(options, "  "+key+": "+value+",\n") }
	add("host", jsonQuote(s.host()))
	add("port", fmt.Sprint(p.Submission.Port))
	add("secure", fmt.Sprint(s.security() == config.SecurityTLS))
	switch s.security() {
	case config.SecurityStartTLS:
		add("requireTLS", "true")
	case config.SecurityNone:
		add("ignoreTLS", "true")
	}
	if p.Submission.Helo != "" {
		add("name", jsonQuote(p.Submission.Helo))
	}
	if file := s.absolute(p.TLS.CAFile); file != "" {
		add("tls", fmt.Sprintf("{ ca: readFileSync(%s) }", jsonQuote(file)))
	}
	if s.hasPassword() {
		secret := ""
		if file, argv := s.reference(); file != "" {
			secret = fmt.Sprintf("readFileSync(%s, \"utf8\")", jsonQuote(file))
		} else {
			secret = fmt.Sprintf("execFileSync(%s, %s, { encoding: \"utf8\" })", jsonQuote(argv[0]), jsonList(argv[1:]))
		}
		add("auth", fmt.Sprintf("{ user: %s, pass: %s.replace(/\\r?\\n$/, \"\") }", jsonQuote(p.Submission.Username), secret))
		if mechanism := s.mechanism(); mechanism != "" {
			add("authMethod", jsonQuote(strings.ToUpper(string(mechanism))))
		}
	}
	defaults := fmt.Sprintf("{ name: %s, address: %s }", jsonQuote(p.From.Name), jsonQuote(s.from()))
	reply := ""
	if p.ReplyTo != "" {
		reply = ", replyTo: " + jsonQuote(config.AddressASCIIDomain(p.ReplyTo))
	}
	content := "import { execFileSync } from \"node:child_process\";\nimport { readFileSync } from \"node:fs\";\nimport " +
		"nodemailer from \"nodemailer\";\n\n" +
		"export default nodemailer.createTransport({\n" + strings.Join(options, "") + "}, { from: " + defaults + reply +
		" });\n"
	return []Artifact{{Path: "mailer.mjs", Content: []byte(content)}}, nil
}
