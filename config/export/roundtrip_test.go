package export

import (
	"errors"
	"mime"
	"net/mail"
	"slices"
	"strings"
	"testing"

	"postier/config"
	"postier/internal/secret"
)

// mimeName decodes a mailbox as programs do that know RFC 2047.
func mimeName(t *testing.T, mailbox string) string {
	t.Helper()
	address, err := (&mail.AddressParser{WordDecoder: &mime.WordDecoder{}}).Parse(mailbox)
	if err != nil {
		t.Fatal(err)
	}
	return address.Name
}

// reading says how to read a format back, which fields it holds, and which characters it refuses in which field.
type reading struct {
	read    func(*testing.T, files) map[string]string
	fields  string            // user name label folder path ca authority secret
	refuses map[string]string // field -> any of these characters
}

var readings = map[string]reading{
	"json":        {readJSON, "user name label folder path ca", nil},
	"env":         {readEnv, "user name secret path ca", nil},
	"msmtp":       {readMSMTP, "user ca", nil},
	"postfix":     {readPostfix, "user secret ca", map[string]string{"user": ":"}},
	"exim":        {readExim, "user path ca", nil},
	"opensmtpd":   {readOpenSMTPD, "user secret ca", map[string]string{"user": ":", "ca": `\\`}},
	"mutt":        {readMutt, "user name folder ca", nil},
	"neomutt":     {readMutt, "user name folder ca", nil},
	"aerc":        {readAerc, "user name folder", map[string]string{"name": `%"\`, "folder": "%("}},
	"himalaya":    {readHimalaya, "user folder ca", nil},
	"git":         {readGit, "user name ca", nil},
	"thunderbird": {readThunderbird, "user label", map[string]string{"user": "%EMAIL"}},
	"apple":       {readApple, "user name label authority", nil},
	"php":         {readPHP, "name", nil},
	"symfony":     {readSymfony, "user name path secret ca", map[string]string{"name": "< and quotes at the ends"}},
	"laravel":     {readLaravel, "user name path ca", nil},
	"wordpress":   {readWordPress, "user name path", nil},
	"nextcloud":   {readNextcloud, "user path ca", nil},
	"django":      {readDjango, "user name path ca", nil},
	"spring":      {readSpring, "user secret path", map[string]string{"user": "${", "secret": "${", "path": `$;{}.: ,`}},
	"nodemailer":  {readNodemailer, "user name path ca", nil},
	"rails":       {readRails, "user name path ca", nil},
	"discourse":   {readDiscourse, "user secret", nil},
	"dotnet":      {readDotnet, "user name path ca", nil},
	"go":          {readGo, "user name path ca", nil},
	"gitea":       {readGitea, "user name path secret", map[string]string{"user": "%(", "name": "%(", "secret": "%("}},
	"ghost":       {readGhost, "user name authority", nil},
	"matomo":      {readMatomo, "user name", map[string]string{"user": "&amp; &lt;", "name": "&amp; &lt;"}},
	"dolibarr":    {readDolibarr, "user path", nil},
	"odoo":        {readOdoo, "user path", nil},
	"gitlab":      {readGitLab, "user name path ca", nil},
	"mattermost":  {readMattermost, "user name", nil},
	"grafana": {readGrafana, "user name secret path", map[string]string{
		"user": "${ $__ %(", "name": "${ $__ %(", "secret": "${ $__ %(", "path": "} %(",
	}},
	"keycloak":      {readKeycloak, "user name", nil},
	"vaultwarden":   {readVaultwarden, "user name path ca", nil},
	"homeassistant": {readHomeAssistant, "user name", nil},
	"docker":        {readDocker, "user name path ca", nil},
	"kubernetes":    {readKubernetes, "user name secret authority", nil},
	"systemd":       {readSystemd, "user name path ca", map[string]string{"path": `\`}},
}

// values are awkward, each for a certain program.
var values = []string{
	awkward, "plain", "a b", "$HOME", "${HOME}", "$$", "`id`", `\`, `\\n`, `a\`, `"`, `'`, `"a"`, "'a'", "%h", "%%",
	"%(user)s", "%env(X)%",
	"%EMAILADDRESS%", "$__file{/etc/passwd}", "$__env{X}", "&lt;", "#x", ";x", "a#b", "a=b", "a:b", "a;b", "~", "Gräßlich",
	"日本 🎈", "!x", "*", "^a^", "{a}",
	"</string>&amp;", "<?php", "?>",
	"#{1+1}", "@", "a,b", "(a)", "[a]", "|", "x\\' OR '1", `\u0041`, "=?utf-8?q?x?=", `\x41`, "-e", "&&", ">",
}

func withMailbox() *config.Profile {
	p := profile()
	p.SentCopy = config.SentCopy{Mode: config.SentAppend, Folder: "Sent", IMAP: &config.Server{
		Host: "imap.durand.example", Port: 993, Security: config.SecurityTLS, Username: "contact@durand.example",
	}}
	p.Label = "Cabinet"
	p.TLS.CAFile = "/etc/own.pem"
	return p
}

// put places a value; a path gets a folder in front.
func put(p *config.Profile, o *Options, field, value string) (want string) {
	switch field {
	case "user":
		p.Submission.Username = value
	case "name":
		p.From.Name = value
	case "label":
		p.Label = value
	case "folder":
		p.SentCopy.Folder = value
	case "path":
		value = "/etc/secrets/" + value
		p.Credential.Path = value
	case "ca":
		value = "/etc/roots/" + value
		p.TLS.CAFile = value
	case "secret":
		o.InlineSecret = secret.New(value)
	case "authority": // whatever else is in the file
		o.Authority = []byte(value + "\n" + authorityPEM + value + "\n")
		return authorityPEM
	}
	return value
}

func exportFiles(format string, p *config.Profile, o Options) (files, error) {
	artifacts, err := Export(format, "durand", p, o)
	if err != nil {
		return nil, err
	}
	f := files{}
	for _, artifact := range artifacts {
		f[artifact.Path] = string(artifact.Content)
	}
	return f, nil
}

func TestEveryFormatRoundTripsOrRefuses(t *testing.T) {
	t.Parallel()
	for _, format := range Formats() {
		reading, known := readings[format.Name]
		if !known {
			t.Errorf("nobody reads %s", format.Name)
			continue
		}
		_, must := format.TakesInlineSecret()
		for _, field := range strings.Fields(reading.fields) {
			for _, value := range values {
				p, o := withMailbox(), options()
				if must {
					o.InlineSecret = secret.New(canary)
				}
				want := put(p, &o, field, value)
				f, err := exportFiles(format.Name, p, o)
				forbidden := refusal(reading.refuses[field], value)
				switch {
				case err != nil && !forbidden:
					t.Errorf("%s %s %q: %v", format.Name, field, value, err)
				case err != nil:
					var typed *Error
					if !errors.As(err, &typed) ||
						!slices.Contains([]string{"config.export.value", "config.export.path"}, typed.Reason.Key) {
						t.Errorf("%s %s %q: %v", format.Name, field, value, err)
					}
				default:
					if got := reading.read(t, f)[field]; got != want {
						t.Errorf("%s %s: %q comes back as %q in\n%v", format.Name, field, want, got, f)
					}
				}
			}
		}
	}
}

// refusal reports whether a value holds what a format has no way to write: one of several characters, or one of the
// sequences that are listed here.
func refusal(rule, value string) bool {
	switch rule {
	case "":
		return false
	case "${", "%(", "%EMAIL", "&amp; &lt;", "${ $__ %(", "} %(":
		return slices.ContainsFunc(strings.Fields(rule), func(part string) bool { return strings.Contains(value, part) })
	case "< and quotes at the ends":
		return strings.Contains(value, "<") || strings.Trim(value, ` '"`) != value
	case `\`:
		return strings.HasSuffix(value, rule)
	}
	return strings.ContainsAny(value, rule)
}

// TestRulesOfAllFormats holds every format to the rules of the package.
func TestRulesOfAllFormats(t *testing.T) {
	t.Parallel()
	for _, format := range Formats() {
		says(t, format.Summary)
		may, must := format.TakesInlineSecret()
		o := options()
		if must {
			_, err := Export(format.Name, "durand", withMailbox(), o)
			refused(t, err, "config.export.inline_only")
			o.InlineSecret = secret.New("x-y-z")
		}
		artifacts, err := Export(format.Name, "durand", withMailbox(), o)
		if err != nil {
			t.Errorf("%s: %v", format.Name, err)
			continue
		}
		for i, artifact := range artifacts {
			if artifact.Mode != 0o600 || artifact.Path == "" || strings.HasPrefix(artifact.Path, "/") ||
				!strings.HasSuffix(string(artifact.Content), "\n") {
				t.Errorf("%s: %s has mode %v", format.Name, artifact.Path, artifact.Mode)
			}
			if i == 0 && (len(artifact.Notes) == 0 || artifact.Notes[0].Key != "config.export.put."+format.Name) {
				t.Errorf("%s does not say where it belongs", format.Name)
			}
			for _, note := range artifact.Notes {
				says(t, note)
			}
		}
		for _, bad := range []string{"a\nb", "a\rb", "a\x00b"} {
			o := options()
			o.Program = "/opt/" + bad
			_, err := Export(format.Name, "durand", withMailbox(), o)
			refused(t, err, "config.control")
			o = options()
			o.InlineSecret = secret.New(bad)
			_, err = Export(format.Name, "durand", withMailbox(), o)
			refused(t, err, "config.control")
		}
		o = options()
		o.InlineSecret = secret.New(canary)
		f, err := exportFiles(format.Name, withMailbox(), o)
		if !may {
			refused(t, err, "config.export.no_inline")
			continue
		}
		if text := joined(f); err != nil || !strings.Contains(text, "contains a secret") {
			t.Errorf("%s does not say that it contains a secret: %v\n%s", format.Name, err, text)
		}
	}
}

func joined(f files) string {
	var b strings.Builder
	for path, content := range f {
		b.WriteString(path + "\n" + content + "\n")
	}
	return b.String()
}

// TestNoFormatShowsTheSecretUnasked goes over all kinds of reference.
func TestNoFormatShowsTheSecretUnasked(t *testing.T) {
	t.Parallel()
	references := []config.Credential{
		{Kind: config.CredentialInline, Value: canary},
		{Kind: config.CredentialKeyring, Name: "durand"},
		{Kind: config.CredentialCommand, Command: []string{"/usr/bin/pass", "show"}},
		{Kind: config.CredentialSystemd, Name: "smtp"},
		{Kind: config.CredentialEnv, Name: "SMTP_SECRET"},
		{Kind: config.CredentialOAuth, Provider: "gmail"},
	}
	for _, format := range Formats() {
		for _, reference := range references {
			p := withMailbox()
			p.Credential = reference
			f, err := exportFiles(format.Name, p, options())
			var typed *Error
			switch {
			case errors.As(err, &typed):
				says(t, typed.Text())
				if !slices.Contains([]string{"config.export.file_only", "config.export.inline_only", "config.export.token"},
					typed.Reason.Key) {
					t.Errorf("%s, %s: %v", format.Name, reference.Kind, err)
				}
			case err != nil:
				t.Errorf("%s, %s: %v", format.Name, reference.Kind, err)
			case strings.Contains(joined(f), canary):
				t.Errorf("%s shows it:\n%s", format.Name, joined(f))
			}
		}
	}
}

// TestWithoutSigningIn exports a relay on this machine, which wants no password.
func TestWithoutSigningIn(t *testing.T) {
	t.Parallel()
	for _, format := range Formats() {
		p := profile()
		p.Submission = config.Server{Host: "127.0.0.1", Port: 25, Security: config.SecurityNone, Auth: config.MechanismNone}
		p.Credential = config.Credential{}
		f, err := exportFiles(format.Name, p, options())
		if slices.Contains([]string{"aerc", "apple"}, format.Name) {
			refused(t, err, "config.export.imap")
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", format.Name, err)
			continue
		}
		if text := strings.ToLower(joined(f)); strings.Contains(text, "secret get") ||
			strings.Contains(text, "loadcredential") {
			t.Errorf("%s asks for a password:\n%s", format.Name, text)
		}
	}
}

func TestKindsOfSecurity(t *testing.T) {
	t.Parallel()
	marks := map[string][2]string{ // implicit TLS, STARTTLS
		"postfix": {"smtp_tls_wrappermode = yes", "secure match="}, "exim": {"protocol = smtps", "hosts_require_tls = *"},
		"opensmtpd": {"smtps://durand@", "smtp+tls://durand@"}, "mutt": {"smtps://", "ssl_force_tls"},
		"aerc":     {"smtps://", "smtp-starttls"},
		"himalaya": {"smtps://", "smtp.starttls = true"}, "git": {`smtpEncryption = "ssl"`, `smtpEncryption = "tls"`},
		"thunderbird": {"<port>465</port>\n      <socketType>SSL<", "<port>587</port>\n      <socketType>STARTTLS<"},
		"symfony":     {"smtps://", "require_tls=true"},
		"laravel":     {"'scheme' => 'smtps'", "'require_tls' => true"},
		"wordpress":   {"'WPMS_SSL', 'ssl'", "'WPMS_SSL', 'tls'"},
		"nextcloud":   {"'mail_smtpsecure' => 'ssl'", "'mail_smtpsecure' => ''"},
		"django":      {"EMAIL_USE_SSL = True", "EMAIL_USE_TLS = True"},
		"spring":      {"ssl.enable=true", "starttls.required=true"}, "nodemailer": {"secure: true", "requireTLS: true"},
		"rails":         {"  tls: true", "enable_starttls: true"},
		"discourse":     {`SMTP_FORCE_TLS: "true"`, `SMTP_ENABLE_START_TLS: "true"`},
		"ghost":         {`"secure": true`, `"requireTLS": true`},
		"matomo":        {`encryption = "ssl"`, `encryption = "tls"`},
		"dolibarr":      {"'MAIN_MAIL_EMAIL_TLS' => '1'", "'MAIN_MAIL_EMAIL_STARTTLS' => '1'"},
		"odoo":          {`"ssl_strict"`, `"starttls_strict"`},
		"gitlab":        {"['smtp_tls'] = true", "['smtp_enable_starttls_auto'] = true"},
		"mattermost":    {`"ConnectionSecurity": "TLS"`, `"ConnectionSecurity": "STARTTLS"`},
		"grafana":       {":465`", "startTLS_policy = `MandatoryStartTLS`"},
		"keycloak":      {`"ssl": "true"`, `"starttls": "true"`},
		"vaultwarden":   {`"force_tls"`, `"starttls"`},
		"homeassistant": {`encryption: "tls"`, `encryption: "starttls"`},
		"dotnet":        {"SslOnConnect", `"StartTls"`}, "go": {`"tls"`, `"starttls"`}, "gitea": {"smtps", "smtp+starttls"},
	}
	for format, mark := range marks {
		for i, port := range []int{465, 587} {
			p, o := withMailbox(), options()
			p.Submission.Port, p.Submission.Security = port, config.SecurityAuto
			if format == "discourse" {
				o.InlineSecret = secret.New(canary)
			}
			f, err := exportFiles(format, p, o)
			if err != nil || !strings.Contains(joined(f), mark[i]) {
				t.Errorf("%s on %d lacks %q: %v\n%s", format, port, mark[i], err, joined(f))
			}
			if i == 1 && strings.Contains(joined(f), mark[0]) {
				t.Errorf("%s on %d has %q", format, port, mark[0])
			}
		}
	}
}

// TestOpenSMTPD has names that are no host names, which the name of an authority has to be.
func TestOpenSMTPD(t *testing.T) {
	t.Parallel()
	p := profile()
	p.Submission.Port, p.Submission.Security = 587, config.SecurityStartTLS
	p.TLS.CAFile = "own ca.pem"
	artifacts, err := Export("opensmtpd", "a_b-", p, options())
	if err != nil {
		t.Fatal(err)
	}
	const want = `table postier_a_b- file:/etc/mail/postier-a_b-.secrets
ca "postier-dea97359612ef05a" cert "/home/m/.config/postier/own ca.pem"
action "postier_a_b-" relay host smtp+tls://a_b-@smtp.durand.example:587 auth <postier_a_b-> tls ` +
		`ca "postier-dea97359612ef05a"
match from local for any action "postier_a_b-"
`
	if got := string(artifacts[0].Content); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	p.Submission = config.Server{Host: "127.0.0.1", Port: 25, Security: config.SecurityNone, Auth: config.MechanismNone}
	const relay = `action "postier_durand" relay host smtp+notls://127.0.0.1:25
match from local for any action "postier_durand"
`
	if got := string(export(t, "opensmtpd", p, options()).Content); got != relay {
		t.Errorf("got\n%s\nwant\n%s", got, relay)
	}
}

func TestPostfixMapsBySender(t *testing.T) {
	t.Parallel()
	p := profile()
	p.Senders = []string{"durand.example", "Réception@dürand.example", "contact@durand.example"}
	f, err := exportFiles("postfix", p, options())
	if err != nil {
		t.Fatal(err)
	}
	const want = "contact@durand.example [smtp.durand.example]:465\n@durand.example " +
		"[smtp.durand.example]:465\nRéception@xn--drand-kva.example [smtp.durand.example]:465\n"
	if got := f["postier/durand/relayhost"]; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	table := postfixTable(runScript(t, f.one(t, "make-sasl_passwd.sh"), "sasl_passwd"))
	if len(table) != 4 || table["@durand.example"] != "contact@durand.example:"+canary {
		t.Errorf("got %v", table)
	}
	p = profile()
	p.From.Address = "#a@durand.example"
	_, err = Export("postfix", "durand", p, options())
	refused(t, err, "config.export.value")
}

func FuzzQuotes(f *testing.F) {
	for _, value := range values {
		f.Add(value)
	}
	f.Fuzz(func(t *testing.T, value string) {
		if value != strings.ToValidUTF8(value, "") ||
			strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			return // refused before any format sees it
		}
		for name, got := range map[string]string{
			"json":    jsonAt(t, jsonQuote(value)),
			"single":  singleAt(t, singleQuote(value)),
			"env":     systemdValue(envQuote(value)),
			"percent": unpercent(t, percentEncode(value)),
			"mutt":    muttSettings(t, "set x="+muttQuote(value)+"\n")["x"],
			"git":     gitValue(t, "\tx = "+gitQuote(value)+"\n", "x"),
			"exim":    eximValue(t, eximEscape(value)),
			"spring":  properties(t, "x="+propertiesQuote(value)+"\n")["x"],
			"compose": compose(t, "x: "+composeQuote(value)+"\n")["x"],
		} {
			if got != value {
				t.Errorf("%s: %q comes back as %q", name, value, got)
			}
		}
		if quoted, ok := goINIQuote(value); ok && goINI(t, "x = "+quoted+"\n")["x"] != value {
			t.Errorf("go-ini: %q", value)
		}
	})
}
