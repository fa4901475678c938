package importer

import (
	"errors"
	"io/fs"
	"strings"
	"testing"
)

const clawsRC = `[Account: 1]
account_name=Cabinet
is_default=1
name=Cabinet Durand
address=contact@durand.example
protocol=3
receive_server=imap.durand.example
user_id=contact@durand.example
smtp_server=smtp.durand.example
use_smtp_auth=1
smtp_user_id=
ssl_imap=1
ssl_smtp=2
set_smtpport=1
smtpport=2525

[Account: 2]
account_name=Nouvelles
address=news@durand.example
receive_server=news.durand.example
protocol=4
`

const k9Export = `<?xml version="1.0" encoding="utf-8"?>
<k9settings version="1" format="1"><accounts><account uuid="x"><name>Cabinet</name>
<incoming-server type="IMAP"><host>imap.durand.example</host><port>993</port>
<connection-security>SSL_TLS_REQUIRED</connection-security><authentication-type>PLAIN</authentication-type>
<username>contact@durand.example</username></incoming-server>
<outgoing-server type="SMTP"><host>smtp.durand.example</host><port>587</port>
<connection-security>STARTTLS_REQUIRED</connection-security><authentication-type>PLAIN</authentication-type>
<username>contact@durand.example</username></outgoing-server>
<identities><identity><name>Cabinet Durand</name><email>contact@durand.example</email></identity></identities>
</account></accounts></k9settings>`

const appleProfile = `<?xml version="1.0" encoding="UTF-8"?>
<plist version="1.0"><dict><key>PayloadContent</key><array><dict>
<key>EmailAccountDescription</key><string>Cabinet</string>
<key>EmailAccountName</key><string>Cabinet Durand</string>
<key>EmailAccountType</key><string>EmailTypeIMAP</string>
<key>EmailAddress</key><string>contact@durand.example</string>
<key>IncomingMailServerHostName</key><string>imap.durand.example</string>
<key>IncomingMailServerPortNumber</key><integer>993</integer>
<key>IncomingMailServerUseSSL</key><true/>
<key>IncomingMailServerUsername</key><string>contact@durand.example</string>
<key>IncomingPassword</key><string>geheim &amp; lang</string>
<key>OutgoingMailServerHostName</key><string>smtp.durand.example</string>
<key>OutgoingMailServerPortNumber</key><integer>587</integer>
<key>OutgoingMailServerUseSSL</key><true/>
<key>OutgoingMailServerUsername</key><string>contact@durand.example</string>
<key>OutgoingPasswordSameAsIncomingPassword</key><true/>
<key>PayloadType</key><string>com.apple.mail.managed</string>
</dict></array><key>PayloadType</key><string>Configuration</string></dict></plist>`

const autodiscoverAnswer = `<?xml version="1.0"?>
<Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006">
<Response xmlns="http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a">
<User><DisplayName>Cabinet Durand</DisplayName>
<AutoDiscoverSMTPAddress>contact@durand.example</AutoDiscoverSMTPAddress></User>
<Account><AccountType>email</AccountType>
<Protocol><Type>IMAP</Type><Server>imap.durand.example</Server><Port>993</Port>
<LoginName>contact@durand.example</LoginName><SSL>on</SSL></Protocol>
<Protocol><Type>SMTP</Type><Server>smtp.durand.example</Server><Port>587</Port>
<LoginName>contact@durand.example</LoginName><Encryption>TLS</Encryption></Protocol>
</Account></Response></Autodiscover>`

// TestDesktopPrograms (C-9): what the mail programs of a desktop keep about an account, with a note where the password
// stays behind.
func TestDesktopPrograms(t *testing.T) {
	t.Parallel()
	const same = "|smtp.durand.example:587 starttls |contact@durand.example|contact@durand.example|"
	for _, row := range []struct{ format, text, want, notes string }{
		{
			"claws", clawsRC,
			"Cabinet|smtp.durand.example:2525 starttls |contact@durand.example|contact@durand.example||default", "encrypted",
		},
		{"k9", k9Export, "Cabinet" + same, "encrypted"},
		{"apple", appleProfile, "Cabinet" + same + "geheim & lang", ""},
		{"autodiscover", autodiscoverAnswer, "Cabinet Durand" + same, "encrypted"},
	} {
		accounts := read(t, row.format, row.text)
		if len(accounts) != 1 {
			t.Fatalf("%s: %+v", row.format, accounts)
		}
		a := accounts[0]
		if got := brief(a); got != row.want || notes(a) != row.notes {
			t.Errorf("%s, %s\nwant %s, %s", got, notes(a), row.want, row.notes)
		}
		if a.From.Name != "Cabinet Durand" || a.IMAP == nil || a.IMAP.Host != "imap.durand.example" || a.IMAP.Port != 993 ||
			a.IMAP.Security != "tls" {
			t.Errorf("%s: %+v, mailbox %+v", row.format, a.From, a.IMAP)
		}
	}
}

// TestEvolution: an identity is read with the transport that it names and that is in the same folder, and nothing else
// is opened.
func TestEvolution(t *testing.T) {
	t.Parallel()
	const identity = "[Data Source]\nDisplayName=Cabinet\n[Mail Identity]\nAddress=contact@durand.example\n" +
		"Name=Cabinet Durand\n[Mail Submission]\nTransportUid=abc\n"
	const transport = "[Data Source]\nDisplayName=x\n[Mail Transport]\nBackendName=smtp\n[Authentication]\n" +
		"Host=smtp.durand.example\nPort=465\nUser=contact@durand.example\nMethod=PLAIN\n" +
		"[Security]\nMethod=ssl-on-alternate-port\n"
	open := func(path string) ([]byte, error) {
		if path != "/sources/abc.source" {
			t.Errorf("%s is opened", path)
			return nil, fs.ErrNotExist
		}
		return []byte(transport), nil
	}
	_, accounts, err := Read(Auto, Source{Path: "/sources/id.source", Data: []byte(identity), Open: open})
	if err != nil || len(accounts) != 1 {
		t.Fatalf("%v, %+v", err, accounts)
	}
	want := "Cabinet|smtp.durand.example:465 tls |contact@durand.example|contact@durand.example|"
	if got := brief(accounts[0]); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	outside := strings.Replace(identity, "TransportUid=abc", "TransportUid=../../etc/shadow", 1)
	if _, _, err := Read(Auto, Source{Path: "/sources/id.source", Data: []byte(outside), Open: open}); err == nil {
		t.Error("a path out of the folder is followed")
	}
}

// TestBrokenXML: a damaged file is an error in words.
func TestBrokenXML(t *testing.T) {
	t.Parallel()
	for _, text := range []string{k9Export[:300], appleProfile[:700], autodiscoverAnswer[:400]} {
		_, _, err := Read(Auto, Source{Path: "/file", Data: []byte(text)})
		var failed *Error
		if !errors.As(err, &failed) {
			t.Errorf("%.40s: %v", text, err)
		}
	}
}
