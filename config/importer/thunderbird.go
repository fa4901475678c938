package importer

import (
	"cmp"
	"encoding/json"
	"strconv"
	"strings"

	"postier/config"
	"postier/internal/locale"
	"postier/internal/safetext"
	"postier/internal/utf7"
)

// thunderbirdFormat reads the settings. The passwords stored next to them are left alone (decision 0013).
var thunderbirdFormat = Format{
	Name: "thunderbird", Summary: locale.Msg("importer.format.thunderbird"), read: readThunderbird,
	mine: func(text string) bool { return strings.Contains(text, prefStart+"mail.") },
}

// prefStart begins a line of prefs.js. The value is a string, a number, true or false, as in JSON.
const prefStart = `user_pref("`

// prefs are the settings of prefs.js by name.
type prefs map[string]string

func readPrefs(text string) prefs {
	out := prefs{}
	for line := range strings.Lines(text) {
		pref, isPref := strings.CutPrefix(strings.TrimSpace(line), prefStart)
		name, value, complete := strings.Cut(pref, `",`)
		if !isPref || !complete {
			continue
		}
		value = strings.TrimSpace(strings.TrimSuffix(value, ");"))
		var quoted string
		if json.Unmarshal([]byte(value), &quoted) == nil {
			value = quoted
		}
		out[name] = value
	}
	return out
}

// readThunderbird reads prefs.js of a Thunderbird profile: each account with an identity and a submission server. The
// passwords are in another file, encrypted by Mozilla's own library; they are not read.
func readThunderbird(source Source) ([]Account, error) {
	p := readPrefs(string(source.Data))
	var accounts []Account
	for _, key := range prefList(p["mail.accountmanager.accounts"]) {
		account := "mail.account." + key
		// Without an identity it is the local folders, or a feed. A further one is another sender of the same mailbox.
		for i, identity := range prefList(p[account+".identities"]) {
			if a, ok := p.account(identity, p[account+".server"]); ok && (i == 0 || a.Name != "") {
				a.Default = i == 0 && key == p["mail.accountmanager.defaultaccount"]
				accounts = append(accounts, a)
			}
		}
	}
	return accounts, nil
}

// prefList parts a list with commas.
func prefList(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' })
}

// account is the account of an identity; ok is false when it names no submission server.
func (p prefs) account(identity, server string) (a Account, ok bool) {
	id := func(key string) string { return p["mail.identity."+identity+"."+key] }
	out := cmp.Or(id("smtpServer"), p["mail.smtp.defaultserver"])
	if out == "" {
		out, _, _ = strings.Cut(p["mail.smtpservers"], ",")
	}
	smtp := "mail.smtpserver." + out + "."
	if p[smtp+"hostname"] == "" {
		return a, false
	}
	a.Name = id("useremail")
	a.From = config.Address{Name: id("fullName"), Address: id("useremail")}
	a.ReplyTo = id("reply_to")
	a.Submission = config.Server{
		Host: p[smtp+"hostname"], Port: portOf(p[smtp+"port"]), Username: p[smtp+"username"],
		Security: thunderbirdSecurity(p[smtp+"try_ssl"]),
	}
	a.thunderbirdAuth(p[smtp+"authMethod"])
	in := "mail.server." + server + "."
	// A host or a name that was changed later stands next to the first one, which Thunderbird keeps as its own mark.
	host, user := cmp.Or(p[in+"realhostname"], p[in+"hostname"]), cmp.Or(p[in+"realuserName"], p[in+"userName"])
	if p[in+"type"] == "imap" && host != "" {
		a.IMAP = &config.Server{
			Host: host, Port: portOf(p[in+"port"]), Username: user, Security: thunderbirdSecurity(p[in+"socketType"]),
		}
		if id("fcc") != "false" {
			a.SentFolder = thunderbirdFolder(id("fcc_folder"), p[in+"hostname"])
		}
	}
	a.desktop()
	return a, true
}

// thunderbirdSecurity reads nsMsgSocketType: 0 none, 1 STARTTLS if offered, 2 STARTTLS, 3 implicit TLS.
func thunderbirdSecurity(value string) config.Security {
	switch value {
	case "3":
		return config.SecurityTLS
	case "1", "2":
		return config.SecurityStartTLS
	case "0":
		return config.SecurityNone
	}
	return config.SecurityAuto
}

// thunderbirdAuth reads nsMsgAuthMethod; only what differs from the best that the server offers is kept.
func (a *Account) thunderbirdAuth(value string) {
	switch n, _ := strconv.Atoi(value); n {
	case 1:
		a.Submission.Auth = config.MechanismNone
	case 6:
		a.mechanism("ntlm")
	case 10:
		a.mechanism("xoauth2")
	case 5, 7:
		a.note("mechanism", "value", safetext.FromRemote("authMethod "+value))
	}
}

// thunderbirdFolder is the folder of imap://user@host/FOLDER, in modified UTF-7. One at another host belongs to another
// account.
func thunderbirdFolder(link, host string) string {
	server, folder := imapURL(link)
	if server == nil || !strings.EqualFold(server.Host, host) {
		return ""
	}
	return utf7.Readable(folder)
}
