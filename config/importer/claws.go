package importer

import (
	"strings"

	"postier/config"
	"postier/internal/locale"
	"postier/internal/utf7"
)

var clawsFormat = Format{
	Name: "claws", Summary: locale.Msg("importer.format.claws"), read: readClaws,
	mine: func(text string) bool { return strings.Contains(text, clawsAccount) },
}

// clawsAccount begins the section of an account.
const clawsAccount = "[Account: "

// readClaws reads accountrc of Claws Mail. The passwords in it are encrypted with a key of the program's own.
func readClaws(source Source) ([]Account, error) {
	var accounts []Account
	for _, section := range iniOf(string(source.Data), strings.TrimSpace) {
		if strings.HasPrefix("["+section.name, clawsAccount) && section.values["smtp_server"] != "" {
			accounts = append(accounts, clawsAccountOf(section.values))
		}
	}
	return accounts, nil
}

func clawsAccountOf(keys map[string]string) Account {
	const imap = "3" // RecvProtocol of Claws Mail
	a := Account{
		Name: keys["account_name"], Default: keys["is_default"] == "1",
		From: config.Address{Name: keys["name"], Address: keys["address"]},
		Submission: config.Server{
			Host: keys["smtp_server"], Username: keys["smtp_user_id"], Security: clawsSecurity(keys["ssl_smtp"]),
		},
	}
	if keys["set_smtpport"] == "1" {
		a.Submission.Port = portOf(keys["smtpport"])
	}
	switch {
	case keys["use_smtp_auth"] == "0":
		a.Submission.Auth = config.MechanismNone
	case a.Submission.Username == "":
		a.Submission.Username = keys["user_id"] // an empty name is that of the mailbox
	}
	if keys["protocol"] == imap && keys["receive_server"] != "" {
		a.IMAP = &config.Server{
			Host: keys["receive_server"], Username: keys["user_id"], Security: clawsSecurity(keys["ssl_imap"]),
		}
		if keys["set_imapport"] == "1" {
			a.IMAP.Port = portOf(keys["imapport"])
		}
	}
	if keys["set_sent_folder"] == "1" {
		a.SentFolder = clawsFolder(keys["sent_folder"])
	}
	if keys["set_autoreplyto"] == "1" {
		a.ReplyTo = mailbox(keys["auto_replyto"]).Address
	}
	if keys["set_domain"] == "1" {
		a.Submission.Helo = keys["domain"]
	}
	a.desktop()
	return a
}

// clawsFolder is the folder of #imap/ACCOUNT/FOLDER; that of another kind of mailbox is on this machine.
func clawsFolder(identifier string) string {
	rest, isIMAP := strings.CutPrefix(identifier, "#imap/")
	_, folder, found := strings.Cut(rest, "/")
	if !isIMAP || !found {
		return ""
	}
	return utf7.Readable(folder)
}

// clawsSecurity reads SSLType: 0 none, 1 implicit TLS, 2 STARTTLS.
func clawsSecurity(value string) config.Security {
	switch value {
	case "1":
		return config.SecurityTLS
	case "2":
		return config.SecurityStartTLS
	case "0":
		return config.SecurityNone
	}
	return config.SecurityAuto
}
