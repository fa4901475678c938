package importer

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"

	"postier/config"
	"postier/internal/locale"
	"postier/internal/safetext"
	"postier/internal/secret"
)

var appleFormat = Format{
	Name: "apple", Summary: locale.Msg("importer.format.apple"), read: readApple,
	mine: func(text string) bool { return strings.Contains(text, appleMail) },
}

// appleMail is the type of a payload that sets up an account.
const appleMail = "com.apple.mail.managed"

// readApple reads a configuration profile (.mobileconfig) for Apple Mail: the payloads that set up an account. Of a
// signed one it reads what is signed; the signature is not checked, since what is imported is shown and proven.
func readApple(source Source) ([]Account, error) {
	payloads, err := applePayloads(propertyList(source.Data))
	if err != nil {
		return nil, &Error{Format: "apple", Reason: locale.Msg("importer.error.broken",
			"path", safetext.FromRemote(source.Path), "error", safetext.FromRemote(err.Error()))}
	}
	var accounts []Account
	for _, p := range payloads {
		if p["PayloadType"] != appleMail || p["OutgoingMailServerHostName"] == "" {
			continue
		}
		a := Account{
			Name:       p["EmailAccountDescription"],
			From:       config.Address{Name: p["EmailAccountName"], Address: p["EmailAddress"]},
			Submission: appleServer(p, "Outgoing"),
		}
		if p["OutgoingMailServerAuthentication"] == "EmailAuthNone" {
			a.Submission.Auth = config.MechanismNone
		}
		if p["EmailAccountType"] == "EmailTypeIMAP" && p["IncomingMailServerHostName"] != "" {
			imap := appleServer(p, "Incoming")
			a.IMAP = &imap
		}
		password := p["OutgoingPassword"]
		if p["OutgoingPasswordSameAsIncomingPassword"] == "true" {
			password = p["IncomingPassword"]
		}
		a.Secret = secret.New(password)
		a.desktop()
		accounts = append(accounts, a)
	}
	return accounts, nil
}

// propertyList is the XML within a file, which a signature may surround (RFC 5652 §5).
func propertyList(data []byte) []byte {
	const end = "</plist>"
	from, to := bytes.Index(data, []byte("<?xml")), bytes.LastIndex(data, []byte(end))
	if from < 0 || to < from {
		return data
	}
	return data[from : to+len(end)]
}

// appleServer reads one side of an account. SSL there is whichever form the port has.
func appleServer(p map[string]string, side string) config.Server {
	s := config.Server{
		Host: p[side+"MailServerHostName"], Port: portOf(p[side+"MailServerPortNumber"]),
		Username: p[side+"MailServerUsername"], Security: config.SecurityNone,
	}
	if p[side+"MailServerUseSSL"] == "true" {
		s.Security = config.SecurityFor(s.Port)
	}
	return s
}

// applePayloads are the dictionaries of a property list that hold values: the name of each value, and its text. True
// and false are elements of their own.
func applePayloads(data []byte) ([]map[string]string, error) {
	decoder := xml.NewDecoder(bytes.NewReader(data))
	var open, done []map[string]string
	key, text := "", ""
	set := func(value string) {
		if len(open) > 0 && key != "" {
			open[len(open)-1][key] = value
		}
		key = ""
	}
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return done, nil
		}
		if err != nil {
			return nil, err
		}
		switch token := token.(type) {
		case xml.StartElement:
			text = ""
			if token.Name.Local == "dict" {
				open = append(open, map[string]string{})
				key = ""
			}
		case xml.CharData:
			text += string(token)
		case xml.EndElement:
			switch token.Name.Local {
			case "key":
				key = strings.TrimSpace(text)
			case "string", "integer":
				set(strings.TrimSpace(text))
			case "true", "false":
				set(token.Name.Local)
			case "dict":
				if len(open) > 0 {
					done, open = append(done, open[len(open)-1]), open[:len(open)-1]
				}
			}
		}
	}
}
