package export

import (
	"fmt"
	"strconv"
	"strings"

	"postier/config"
	"postier/internal/locale"
)

// msmtp 1.8.23, in Debian 12, refuses a file with from_full_name.
var msmtpFormat = Format{
	Name: "msmtp", Summary: locale.Msg("config.export.msmtp"), carries: carriesCAFile | carriesHelo | carriesMechanism,
	token: true,
	write: writeMSMTP,
}

// msmtpLine is the longest line that msmtp reads, in octets, without its line end.
const msmtpLine = 499

// writeMSMTP writes an msmtprc(5) with one account, which is also the default one.
func writeMSMTP(s source) ([]Artifact, error) {
	p := s.profile
	host, _ := config.HostASCII(p.Submission.Host)
	lines := [][2]string{
		{"account", s.name},
		{"host", host},
		{"port", strconv.Itoa(p.Submission.Port)},
	}
	lines = append(lines, s.msmtpTLS()...)
	auth, err := s.msmtpAuth()
	if err != nil {
		return nil, err
	}
	lines = append(lines, auth...)
	lines = append(lines, [2]string{"from", config.AddressASCIIDomain(p.From.Address)})
	if p.Submission.Helo != "" {
		lines = append(lines, [2]string{"domain", p.Submission.Helo})
	}
	var b strings.Builder
	for _, line := range lines {
		text, ok := msmtpQuote(line[0], line[1])
		if !ok {
			return nil, s.cannotHold(line[0])
		}
		b.WriteString(text + "\n")
	}
	fmt.Fprintf(&b, "account default : %s\n", s.name)
	return []Artifact{{Path: "msmtprc", Content: []byte(b.String())}}, nil
}

// msmtpTLS never switches certificate checks off.
func (s source) msmtpTLS() [][2]string {
	security := s.security()
	if security == config.SecurityNone {
		return [][2]string{{"tls", "off"}}
	}
	startTLS := "off"
	if security == config.SecurityStartTLS {
		startTLS = "on"
	}
	lines := [][2]string{{"tls", "on"}, {"tls_starttls", startTLS}}
	if file := s.absolute(s.profile.TLS.CAFile); file != "" {
		lines = append(lines, [2]string{"tls_trust_file", file})
	}
	return lines
}

func (s source) msmtpAuth() ([][2]string, error) {
	if !s.hasPassword() {
		return [][2]string{{"auth", "off"}}, nil
	}
	mechanism := string(s.mechanism())
	if mechanism == "" {
		mechanism = "on"
	}
	command, err := s.command()
	if err != nil {
		return nil, err
	}
	return [][2]string{{"auth", mechanism}, {"user", s.profile.Submission.Username}, {"passwordeval", command}}, nil
}

// msmtpQuote writes one setting. msmtp takes the rest of the line without the spaces at its ends, and without one pair
// of double quotes around it; nothing inside is special and nothing can be escaped.
func msmtpQuote(key, value string) (string, bool) {
	if strings.ContainsAny(value, "\x00\r\n") {
		return "", false
	}
	text := key + " " + value
	if value == "" || strings.Trim(value, shellFree) != "" {
		text = key + ` "` + value + `"`
	}
	return text, len(text) <= msmtpLine
}
