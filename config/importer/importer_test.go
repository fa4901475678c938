package importer

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"postier/config"
	"postier/config/export"
	"postier/internal/locale"
	"postier/internal/secret"
)

const canary = "CANARY-hunter2"

// brief is an account in one line, with its secret in the open: tests compare it.
func brief(a Account) string {
	s := a.Submission
	line := fmt.Sprintf("%s|%s:%d %s %s|%s|%s|%s", a.Name, s.Host, s.Port, s.Security, s.Auth, s.Username, a.From.Address,
		a.Secret.Reveal())
	if a.Default {
		line += "|default"
	}
	return line
}

func read(t *testing.T, format, text string) []Account {
	t.Helper()
	found, accounts, err := Read(Auto, Source{Path: "/etc/file", Data: []byte(text)})
	if err != nil {
		t.Fatal(err)
	}
	if found != format {
		t.Errorf("taken for %s, not %s:\n%s", found, format, text)
	}
	for _, account := range accounts {
		for _, note := range account.Notes {
			says(t, note)
		}
	}
	return accounts
}

func says(t *testing.T, text locale.Text) {
	t.Helper()
	for _, lang := range locale.All() {
		if said := locale.For(lang).Say(text); said == "" || strings.HasPrefix(said, "<") || strings.Contains(said, "{") {
			t.Errorf("%s: %s is no sentence: %q", lang, text.Key, said)
		}
	}
}

func notes(a Account) string {
	var keys []string
	for _, note := range a.Notes {
		keys = append(keys, strings.TrimPrefix(note.Key, "importer.note."))
	}
	return strings.Join(keys, " ")
}

func TestReads(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		format, text string
		want         []string
		notes        string
	}{
		"msmtp, STARTTLS by default": {
			"msmtp", "account a\nhost h.example\nport 587\ntls on\nauth on\nuser u@h.example\npassword pa's#s\n",
			[]string{"a|h.example:587 starttls |u@h.example|u@h.example|pa's#s"},
			"",
		},
		"msmtp, implicit TLS": {
			"msmtp", "# c\n  account a \n host  \"h.example\" \ntls\ntls_starttls off\nauth plain\nuser u\nfrom " +
				"f@h.example\npassword \"a \" b\"\n",
			[]string{`a|h.example:465 tls plain|u|f@h.example|a " b`},
			"",
		},
		"msmtp, defaults, bases, default": {
			"msmtp", "defaults\ntls on\nuser u@h.example\naccount a\nhost a.example\naccount b : a\nhost b.example\naccount " +
				"default : b\n",
			[]string{
				"a|a.example:25 starttls |u@h.example|u@h.example|",
				"b|b.example:25 starttls |u@h.example|u@h.example||default",
			},
			"",
		},
		"msmtp, without accounts": {
			"msmtp", "defaults\nhost h.example\nuser u@h.example\ntls on\ntls_certcheck off\nlogfile x\n",
			[]string{"default|h.example:25 starttls |u@h.example|u@h.example||default"},
			"certificate ignored",
		},
		"msmtp, cleartext": {
			"msmtp", "account a\nhost h.example\nuser u@h.example\n",
			[]string{"a|h.example:25 auto |u@h.example|u@h.example|"},
			"cleartext",
		},
		"msmtp, own machine": {
			"msmtp", "account a\nhost 127.0.0.1\nfrom f@h.example\n",
			[]string{"a|127.0.0.1:25 none none||f@h.example|"},
			"",
		},
		"ssmtp": {
			"ssmtp", "root=f@h.example\nmailhub=h.example:587\nAuthUser=u\nAuthPass=secret # " +
				"x\nUseSTARTTLS=YES\nFromLineOverride=YES\n",
			[]string{"|h.example:587 starttls |u|f@h.example|secret"},
			"",
		},
		"ssmtp, implicit TLS": {
			"ssmtp", "MAILHUB = [h.example]:465\nAuthUser = u@h.example\nAuthPass = s\nAuthMethod = CRAM-MD5\nUseTLS = " +
				"yes\nX=1\n",
			[]string{"|h.example:465 tls cram-md5|u@h.example|u@h.example|s"},
			"ignored",
		},
		"aerc": {
			"aerc", "[A]\nsource = imaps://u%40h.example@i.example\noutgoing = " +
				"smtps+login://u%40h.example:p%23a@h.example\nfrom = \"A, B\" <f@h.example>\ncopy-to = Sent # c\n",
			[]string{"A|h.example:465 tls login|u@h.example|f@h.example|p#a"},
			"",
		},
		"aerc, STARTTLS": {
			"aerc", "[A]\noutgoing = smtp://u%40h.example@h.example\nsmtp-starttls = yes\noutgoing-cred-cmd = pass " +
				"x\n[B]\nsource = maildir:///x\n",
			[]string{"A|h.example:587 starttls |u@h.example|u@h.example|"},
			"",
		},
		"mutt": {
			"mutt", "set from=\"f@h.example\" realname='A \"B\"' # c\nset smtp_url = " +
				"\"smtps://u%40h.example@h.example/\"\nset smtp_pass=\"a\\\"b;c#d\\\\\"\nset copy=yes; set x=1\n",
			[]string{`|h.example:465 tls |u@h.example|f@h.example|a"b;c#d\`},
			"",
		},
		"mutt, STARTTLS": {
			"mutt", "set smtp_url=smtp://u:pw@h.example:2525\nset nossl_starttls\nset smtp_authenticators=cram-md5 " +
				"from=f@h.example\nsource ~/x\n",
			[]string{"|h.example:2525 starttls cram-md5|u|f@h.example|pw"},
			"sourced",
		},
		"port": {"port", "587 AUTH:LOGIN CONN:STARTTLS LIMITE:12 WAIT:15.5\n", []string{"|:587 starttls login|||"}, ""},
		"port, French": {
			"port", "\ufeffServeur : smtp.h.example\r\nPort = 465 CONN:SSL_TLS\r\nUtilisateur: u@h.example\r\nMot de passe: " +
				"a=b:c#d\r\n",
			[]string{"|smtp.h.example:465 tls |u@h.example|u@h.example|a=b:c#d"},
			"",
		},
		"wordpress": {
			"wordpress", "<?php\n// define('WPMS_SMTP_HOST', 'old.example');\n/* define('WPMS_SMTP_HOST', 'older.example'); " +
				"*/\ndefine( 'WPMS_SMTP_HOST', 'h.example' );\n" +
				"define(\"WPMS_SMTP_PORT\", 465);\ndefine('WPMS_SSL', 'ssl');\ndefine('WPMS_SMTP_USER', " +
				"'u@h.example');\ndefine('WPMS_SMTP_PASS', 'a\\'b\\\\c // d');\ndefine('WPMS_MAILER', 'smtp');\n",
			[]string{`|h.example:465 tls |u@h.example|u@h.example|a'b\c // d`},
			"",
		},
		"wordpress, other plugin": {
			"wordpress", "<?php define('SMTP_HOST','h.example');define('SMTP_SECURE','tls');define('SMTP_USER','u');define('SMTP_PASS',getenv('X'));define('SMTP_FROM','f@h.example');",
			[]string{"|h.example:587 starttls |u|f@h.example|"},
			"password",
		},
	} {
		accounts := read(t, row.format, row.text)
		var got []string
		for _, a := range accounts {
			got = append(got, brief(a))
		}
		if strings.Join(got, "\n") != strings.Join(row.want, "\n") {
			t.Errorf("%s: got\n%s\nwant\n%s", name, strings.Join(got, "\n"), strings.Join(row.want, "\n"))
		}
		if got := notes(accounts[0]); got != row.notes {
			t.Errorf("%s: notes %q, want %q", name, got, row.notes)
		}
	}
}

func TestDetails(t *testing.T) {
	t.Parallel()
	a := read(t, "aerc", "[A]\nsource = imap://u@i.example\noutgoing = smtps://u@h.example\ncopy-to = `Gesendete # "+
		"Objekte`\nfrom=Z <z@h.example>\n")[0]
	if a.IMAP == nil || a.IMAP.Host != "i.example" || a.IMAP.Port != 143 || a.SentFolder != "Gesendete # Objekte" ||
		a.From.Name != "Z" {
		t.Errorf("aerc: %+v", a)
	}
	a = read(t, "mutt", "set smtp_url=smtps://u@h.example\nset folder=imaps://u@i.example/\nset record=+Sent\nset "+
		"smtp_pass=\"`pass show x`\"\nmy_hdr Reply-To: R <r@h.example>\n")[0]
	if a.IMAP == nil || a.IMAP.Port != 993 || a.SentFolder != "Sent" || a.Command != "pass show x" ||
		a.ReplyTo != "r@h.example" {
		t.Errorf("mutt: %+v", a)
	}
	a = read(t, "port", "587 LIMITE:12 WAIT:15.5")[0]
	if a.Batch != (config.Batch{Messages: 12, WaitSeconds: 15.5}) {
		t.Errorf("port: %+v", a)
	}
	a = read(t, "wordpress",
		`<?php define('WPMS_SMTP_HOST','h.example'); define('WPMS_SMTP_PASS', rtrim( file_get_contents('/etc/it\'s'), "\r\n"));`)[0]
	if a.SecretFile != "/etc/it's" {
		t.Errorf("wordpress: %+v", a)
	}
	a = read(t, "msmtp", "account a\nhost h.example\nport 587\ntls on\nuser u\npasswordeval \"gpg -d 'x "+
		"y'\"\ntls_trust_file /etc/own.pem\nauth gssapi\n")[0]
	if a.Command != "gpg -d 'x y'" || a.CAFile != "/etc/own.pem" || notes(a) != "mechanism" {
		t.Errorf("msmtp: %+v", a)
	}
}

const mainCF = `
relayhost = [h.example]:587
smtp_sasl_auth_enable = yes
smtp_sasl_password_maps = hash:${config_directory}/sasl_passwd,
  static:x
sender_dependent_relayhost_maps = texthash:/elsewhere/relays
smtp_tls_security_level = encrypt
smtp_helo_name = $myhostname
myhostname = mail.$mydomain
mydomain = x.example
`

func TestPostfix(t *testing.T) {
	t.Parallel()
	tables := map[string]string{
		"/etc/postfix/sasl_passwd": "# c\n[h.example]:587  u@h.example:pa:ss #1\nb@b.example\n  b@b.example:" + canary + "\n",
		"/etc/postfix/relays":      "b@b.example smtp.b.example:465\n@h.example [h.example]:587\n",
	}
	open := func(path string) ([]byte, error) {
		if text, found := tables[path]; found {
			return []byte(text), nil
		}
		return nil, fs.ErrNotExist
	}
	_, accounts, err := Read(Auto, Source{Path: "/etc/postfix/main.cf", Data: []byte(mainCF), Open: open})
	if err != nil || len(accounts) != 2 {
		t.Fatal(accounts, err)
	}
	for i, want := range []string{
		"relayhost|h.example:587 starttls |u@h.example|u@h.example|pa:ss #1|default",
		"b@b.example|smtp.b.example:465 starttls |b@b.example|b@b.example|" + canary,
	} {
		if got := brief(accounts[i]); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	if accounts[0].Submission.Helo != "mail.x.example" || notes(accounts[0]) != "table" ||
		notes(accounts[1]) != "mx table" {
		t.Errorf("got %q, %q, %q", accounts[0].Submission.Helo, notes(accounts[0]), notes(accounts[1]))
	}
	_, accounts, err = Read("postfix",
		Source{Path: "main.cf", Data: []byte("relayhost = [h.example]\nmyhostname = $myhostname\nsmtp_helo_name=$$x\n")})
	if err != nil || accounts[0].Submission.Helo != "" || !strings.Contains(notes(accounts[0]), "unusable") {
		t.Errorf("a name with $: %v, %+v", err, accounts)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct{ format, text, key string }{
		"no such format":   {"exim", "", "importer.error.format"},
		"nothing known":    {Auto, "hello", "importer.error.unknown"},
		"no account":       {"msmtp", "logfile x", "importer.error.none"},
		"no relay":         {"postfix", "myhostname = x", "importer.error.none"},
		"local sendmail":   {"aerc", "[A]\noutgoing = /usr/sbin/sendmail\n", "importer.error.sendmail"},
		"broken URL":       {"mutt", "set smtp_url=\"%zz" + canary + "\"\n", "importer.error.url"},
		"bad host":         {"msmtp", "account a\nhost h example\n", "config.host.malformed"},
		"escape sequences": {"msmtp", "account a\nhost h.example\nuser a\x1b[2J\n", "config.control"},
		"bad word":         {"port", "587 AUTH:NOPE", "config.portfield.auth"},
	} {
		_, accounts, err := Read(row.format, Source{Path: "f", Data: []byte(row.text)})
		var failed *Error
		if !errors.As(err, &failed) || failed.Reason.Key != row.key {
			t.Errorf("%s: got %v, %v, want %s", name, accounts, err, row.key)
			continue
		}
		says(t, failed.Text())
		if strings.Contains(err.Error(), canary) {
			t.Errorf("%s shows what could be a secret: %v", name, err)
		}
		if errors.Is(err, ErrFormat) != (name == "no such format") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestUnusableSettings: one that breaks the rules costs only itself, with a note that names it.
func TestUnusableSettings(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		format, text string
		want         []string
		notes        string
	}{
		"port too large": {
			"msmtp", "account a\nhost h.example\nport 99999\ntls on\nuser u@h.example\n",
			[]string{"a|h.example:587 starttls |u@h.example|u@h.example|"},
			"unusable",
		},
		"port in words": {
			"msmtp", "account a\nhost h.example\nport submissions\ntls on\ntls_starttls off\nuser u@h.example\n",
			[]string{"a|h.example:465 tls |u@h.example|u@h.example|"},
			"unusable",
		},
		"port of a host": {
			"ssmtp", "mailhub=h.example:x\nAuthUser=u@h.example\nAuthPass=s\nUseSTARTTLS=YES\n",
			[]string{"|h.example:587 starttls |u@h.example|u@h.example|s"},
			"unusable",
		},
		"author": {
			"msmtp", "account a\nhost h.example\ntls on\nuser u@h.example\nfrom a b\n",
			[]string{"a|h.example:25 starttls |u@h.example|u@h.example|"},
			"unusable",
		},
		"mailbox": {
			"aerc", "[A]\nsource = imaps://u%40h.example@bad_host_\noutgoing = smtps://u%40h.example@h.example\nfrom = " +
				"f@h.example\ncopy-to = Sent\n",
			[]string{"A|h.example:465 tls |u@h.example|f@h.example|"},
			"",
		},
		"one of two accounts": {
			"msmtp", "account a\nhost h example\naccount b\nhost h.example\ntls on\nuser u@h.example\n",
			[]string{"b|h.example:25 starttls |u@h.example|u@h.example|"},
			"unusable",
		},
		"an account that sends in another way": {
			"aerc", "[A]\noutgoing = /usr/sbin/sendmail\n[B]\noutgoing = smtps://u%40h.example@h.example\n",
			[]string{"B|h.example:465 tls |u@h.example|u@h.example|"},
			"",
		},
	} {
		var got []string
		accounts := read(t, row.format, row.text)
		for _, a := range accounts {
			got = append(got, brief(a))
		}
		if strings.Join(got, "\n") != strings.Join(row.want, "\n") {
			t.Errorf("%s: got\n%s\nwant\n%s", name, strings.Join(got, "\n"), strings.Join(row.want, "\n"))
		}
		if row.notes != "" && notes(accounts[0]) != row.notes {
			t.Errorf("%s: notes %q", name, notes(accounts[0]))
		}
	}
	_, _, err := Read("msmtp",
		Source{Path: "f", Data: []byte("account a\nhost h.example\naccount default\nhost h example\n")})
	if err == nil {
		t.Error("another account stands in for the default one")
	}
}

// TestExportsComeBack reads what this program writes for others.
func TestExportsComeBack(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"msmtp", "mutt", "aerc", "wordpress", "postfix"} {
		for _, user := range []string{"contact@durand.example", `pa'ss"$(id)` + "`" + `#%n;\ ü é`} {
			for port, security := range map[int]config.Security{465: config.SecurityTLS, 587: config.SecurityStartTLS} {
				p := &config.Profile{
					Enabled: true, From: config.Address{Name: "Jürg J. Dürr", Address: "contact@durand.example"},
					Submission: config.Server{Host: "smtp.durand.example", Port: port, Security: security, Username: user},
					Credential: config.Credential{Kind: config.CredentialFile, Path: "/etc/it's"},
					SentCopy: config.SentCopy{Mode: config.SentAppend, Folder: "Envoyés #1", IMAP: &config.Server{
						Host: "imap.durand.example", Port: 993, Security: config.SecurityTLS, Username: user,
					}},
				}
				o := export.Options{Program: "/usr/bin/postier", Config: "/etc/postier/config.json", DefaultConfig: true}
				if format == "postfix" {
					o.InlineSecret = secret.New("x y#z")
				}
				artifacts, err := export.Export(format, "durand", p, o)
				if err != nil {
					t.Fatal(err)
				}
				open := func(path string) ([]byte, error) {
					for _, artifact := range artifacts {
						if strings.HasSuffix(path, artifact.Path) {
							return artifact.Content, nil
						}
					}
					return nil, fs.ErrNotExist
				}
				_, accounts, err := Read(Auto, Source{Path: "/x/" + artifacts[0].Path, Data: artifacts[0].Content, Open: open})
				if err != nil {
					t.Fatalf("%s: %v\n%s", format, err, artifacts[0].Content)
				}
				a := accounts[0]
				s := a.Submission
				if s.Host != "smtp.durand.example" || s.Port != port || s.Security != security || s.Username != user {
					t.Errorf("%s: got %+v from\n%s", format, s, artifacts[0].Content)
				}
				if from := a.From.Address; from != "contact@durand.example" && format != "postfix" {
					t.Errorf("%s: from %q", format, from)
				}
				if a.IMAP != nil && a.SentFolder != "Envoyés #1" {
					t.Errorf("%s: folder %q", format, a.SentFolder)
				}
				if a.Secret.Reveal() != o.InlineSecret.Reveal() {
					t.Errorf("%s: secret %q", format, a.Secret.Reveal())
				}
				if format != "postfix" && a.Command == "" && a.SecretFile != "/etc/it's" {
					t.Errorf("%s: no reference to the secret", format)
				}
			}
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add("account a\nhost h.example\nuser u\npassword p\n")
	f.Add(mainCF)
	f.Add("[A]\noutgoing = `smtps://u:p@h.example`\n")
	f.Add("set smtp_url=\"smtp://u@h\" smtp_pass='x'\n")
	f.Add("<?php define('SMTP_HOST', \"h.example\"); /* ' */ # \"\n")
	f.Add("mailhub=h:1\n587 AUTH:LOGIN\n")
	f.Fuzz(func(t *testing.T, text string) {
		for _, format := range formats {
			_, accounts, err := Read(format.Name, Source{Path: "f", Data: []byte(text)})
			for _, a := range accounts {
				if strings.ContainsAny(a.Submission.Username+a.From.Address+a.Secret.Reveal()+a.SentFolder, "\x00\r\n") {
					t.Errorf("%s: a line break came through", format.Name)
				}
			}
			if err == nil && len(accounts) == 0 {
				t.Errorf("%s: nothing and no error", format.Name)
			}
		}
	})
}
