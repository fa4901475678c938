package importer

import (
	"testing"
)

const thunderbirdPrefs = `// Mozilla User Preferences
user_pref("app.update.lastUpdateTime", 1764400000);
user_pref("mail.accountmanager.accounts", "account1,account2,account3");
user_pref("mail.accountmanager.defaultaccount", "account3");
user_pref("mail.account.account1.server", "server1");
user_pref("mail.account.account2.identities", "id1,id9");
user_pref("mail.account.account2.server", "server2");
user_pref("mail.account.account3.identities", "id2");
user_pref("mail.account.account3.server", "server3");
user_pref("mail.identity.id1.fullName", "Cabinet \"Durand\"");
user_pref("mail.identity.id1.useremail", "contact@durand.example");
user_pref("mail.identity.id1.reply_to", "accueil@durand.example");
user_pref("mail.identity.id1.smtpServer", "smtp2");
user_pref("mail.identity.id1.fcc_folder", "imap://contact%40durand.example@imap.durand.example/Envoy%C3%A9s");
user_pref("mail.identity.id2.useremail", "pop@durand.example");
user_pref("mail.server.server1.type", "none");
user_pref("mail.server.server2.type", "imap");
user_pref("mail.server.server2.hostname", "imap.durand.example");
user_pref("mail.server.server2.port", 993);
user_pref("mail.server.server2.socketType", 3);
user_pref("mail.server.server2.userName", "contact@durand.example");
user_pref("mail.server.server3.type", "pop3");
user_pref("mail.server.server3.hostname", "pop.durand.example");
user_pref("mail.smtp.defaultserver", "smtp1");
user_pref("mail.smtpserver.smtp1.hostname", "smtp.example");
user_pref("mail.smtpserver.smtp1.try_ssl", 2);
user_pref("mail.smtpserver.smtp1.username", "pop");
user_pref("mail.smtpserver.smtp1.authMethod", 6);
user_pref("mail.smtpserver.smtp2.hostname", "smtp.durand.example");
user_pref("mail.smtpserver.smtp2.port", 465);
user_pref("mail.smtpserver.smtp2.try_ssl", 3);
user_pref("mail.smtpserver.smtp2.username", "contact@durand.example");
user_pref("mail.smtpserver.smtp2.authMethod", 3);
`

// TestThunderbird (C-9): the accounts of a Thunderbird profile, with the Sent folder where IMAP keeps one; a note says
// that the password stays behind.
func TestThunderbird(t *testing.T) {
	t.Parallel()
	accounts := read(t, "thunderbird", thunderbirdPrefs)
	if len(accounts) != 2 {
		t.Fatalf("%+v", accounts)
	}
	first, second := accounts[0], accounts[1]
	if got, want := brief(first),
		"contact@durand.example|smtp.durand.example:465 tls |contact@durand.example|contact@durand.example|"; got != want {
		t.Errorf("%s\n%s", got, want)
	}
	if first.From.Name != `Cabinet "Durand"` || first.ReplyTo != "accueil@durand.example" ||
		first.SentFolder != "Envoyés" || first.IMAP == nil || first.IMAP.Host != "imap.durand.example" ||
		first.IMAP.Port != 993 || notes(first) != "encrypted" {
		t.Errorf("%+v, %+v, %s", first, first.IMAP, notes(first))
	}
	if got, want := brief(second),
		"pop@durand.example|smtp.example:587 starttls ntlm|pop|pop@durand.example||default"; got != want {
		t.Errorf("%s\n%s", got, want)
	}
	if second.IMAP != nil || second.SentFolder != "" {
		t.Errorf("%+v", second.IMAP)
	}
}
