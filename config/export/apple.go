package export

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"strconv"
	"strings"

	"postier/config"
	"postier/internal/locale"
)

var appleFormat = Format{
	Name: "apple", Summary: locale.Msg("config.export.apple"), secret: asksItself,
	carries: carriesFromName | carriesMechanism | carriesSentCopy | carriesCAFile, holdsAuthority: true,
	write: writeApple,
}

// plist writes the keys of a property list in XML.
type plist struct{ bytes.Buffer }

func (l *plist) text(tag, value string) {
	l.WriteString("<" + tag + ">")
	_ = xml.EscapeText(&l.Buffer, []byte(value)) // a buffer never fails
	l.WriteString("</" + tag + ">\n")
}

func (l *plist) str(key, value string) { l.text("key", key); l.text("string", value) }

func (l *plist) number(key string, value int) {
	l.text("key", key)
	l.text("integer", strconv.Itoa(value))
}

func (l *plist) yes(key string, value bool) {
	l.text("key", key)
	l.WriteString("<" + strconv.FormatBool(value) + "/>\n")
}

// writeApple writes a configuration profile with one mail account (com.apple.mail.managed). The device asks for the
// password. Every account of this format has a mailbox, so the IMAP server is required.
func writeApple(s source) ([]Artifact, error) {
	p := s.profile
	imap := p.SentCopy.IMAP
	if imap == nil {
		return nil, s.refuse("sent_copy.imap", "config.export.imap")
	}
	label := cmp.Or(p.Label, s.name)
	var l plist
	l.WriteString(xml.Header +
		`<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">` + "\n")
	l.WriteString("<plist version=\"1.0\">\n<dict>\n<key>PayloadContent</key>\n<array>\n<dict>\n")
	l.str("PayloadType", "com.apple.mail.managed")
	s.applePayload(&l, "account", label)
	l.str("EmailAccountType", "EmailTypeIMAP")
	l.str("EmailAccountDescription", label)
	l.str("EmailAccountName", p.From.Name)
	l.str("EmailAddress", s.from())
	if err := s.appleServer(&l, "IncomingMailServer", imap, imap.Settled()); err != nil {
		return nil, err
	}
	if err := s.appleServer(&l, "OutgoingMailServer", &p.Submission, s.security()); err != nil {
		return nil, err
	}
	l.yes("OutgoingPasswordSameAsIncomingPassword", s.hasPassword())
	l.WriteString("</dict>\n")
	if err := s.appleAuthority(&l, label); err != nil {
		return nil, err
	}
	l.WriteString("</array>\n")
	l.str("PayloadType", "Configuration")
	s.applePayload(&l, "profile", label)
	l.WriteString("</dict>\n</plist>\n")
	file := Artifact{Path: s.name + ".mobileconfig", Content: l.Bytes()}
	if s.ownRoots() != "" {
		file.Notes = append(file.Notes, locale.Msg("config.export.apple.authority"))
	}
	return []Artifact{file}, nil
}

// appleAuthority adds a payload for each certificate of the profile's own authority.
func (s source) appleAuthority(l *plist, label string) error {
	blocks, err := s.authority()
	for i, block := range blocks {
		l.WriteString("<dict>\n")
		l.str("PayloadType", "com.apple.security.root")
		s.applePayload(l, fmt.Sprintf("authority-%d", i), label)
		l.str("PayloadCertificateFileName", fmt.Sprintf("authority-%d.cer", i))
		l.text("key", "PayloadContent")
		l.text("data", base64.StdEncoding.EncodeToString(block.Bytes))
		l.WriteString("</dict>\n")
	}
	return err
}

// applePayload names a payload. Its identifiers follow from the address alone, so that a later file replaces an earlier
// one.
func (s source) applePayload(l *plist, kind, label string) {
	sum := sha256.Sum256([]byte("postier " + kind + " " + strings.ToLower(s.from())))
	sum[6], sum[8] = sum[6]&0x0f|0x80, sum[8]&0x3f|0x80 // RFC 9562 §5.8: a UUID of version 8
	l.str("PayloadIdentifier", fmt.Sprintf("postier.%s.%x", kind, sum[:8]))
	l.str("PayloadUUID", fmt.Sprintf("%X-%X-%X-%X-%X", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16]))
	l.str("PayloadDisplayName", label)
	l.number("PayloadVersion", 1)
}

func (s source) appleServer(l *plist, prefix string, server *config.Server, security config.Security) error {
	host, _ := config.HostASCII(server.Host)
	auth := map[config.Mechanism]string{
		"": "EmailAuthPassword", config.MechanismAuto: "EmailAuthPassword", config.MechanismPlain: "EmailAuthPassword",
		config.MechanismLogin: "EmailAuthPassword", config.MechanismNone: "EmailAuthNone",
		config.MechanismCRAMMD5: "EmailAuthCRAMMD5", config.MechanismNTLM: "EmailAuthNTLM",
	}[server.Auth]
	if auth == "" {
		return s.cannotHold("auth")
	}
	l.str(prefix+"HostName", host)
	l.number(prefix+"PortNumber", server.Port)
	l.yes(prefix+"UseSSL", security != config.SecurityNone)
	l.str(prefix+"Authentication", auth)
	if server.Username != "" {
		l.str(prefix+"Username", server.Username)
	}
	return nil
}
