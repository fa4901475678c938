package export

import (
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"encoding/xml"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"html"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"
)

// The readers of this file follow the rules of the programs that the formats are for; none of them uses code of the
// writers.

type files map[string]string

func (f files) one(t *testing.T, suffix string) string {
	t.Helper()
	for path, content := range f {
		if strings.HasSuffix(path, suffix) {
			return content
		}
	}
	t.Fatalf("no file ends in %s", suffix)
	return ""
}

// after is what follows the first line part.
func after(t *testing.T, content, part string) string {
	t.Helper()
	_, rest, found := strings.Cut(content, part)
	if !found {
		t.Fatalf("%q is not in\n%s", part, content)
	}
	return rest
}

// jsonAt reads the JSON string at the beginning; JavaScript, Python, TOML and YAML (double-quoted) read those the same
// way.
func jsonAt(t *testing.T, content string) string {
	t.Helper()
	var value string
	if !strings.HasPrefix(content, `"`) {
		t.Fatalf("no string at %.30q", content)
	}
	if err := json.NewDecoder(strings.NewReader(content)).Decode(&value); err != nil {
		t.Fatalf("%v at %.60q", err, content)
	}
	return value
}

// singleAt reads a single-quoted string of PHP or Ruby: \\ and \' are escapes, every other backslash is itself.
func singleAt(t *testing.T, content string) string {
	t.Helper()
	if !strings.HasPrefix(content, "'") {
		t.Fatalf("no string at %.30q", content)
	}
	var b strings.Builder
	for i := 1; i < len(content); i++ {
		switch {
		case content[i] == '\'':
			return b.String()
		case content[i] == '\\' && i+1 < len(content) && (content[i+1] == '\\' || content[i+1] == '\''):
			i++
			fallthrough
		default:
			b.WriteByte(content[i])
		}
	}
	t.Fatalf("no end of %.60q", content)
	return ""
}

// unpercent reads a part of a URL.
func unpercent(t *testing.T, text string) string {
	t.Helper()
	value, err := url.PathUnescape(text)
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// address takes the name out of a mailbox: a quoted string or an atom phrase (RFC 5322 §3.2.4).
func displayName(t *testing.T, mailbox string) string {
	t.Helper()
	at := strings.LastIndex(mailbox, " <")
	if at < 0 {
		return ""
	}
	phrase := mailbox[:at]
	if !strings.HasPrefix(phrase, `"`) {
		if strings.ContainsAny(phrase, `()<>[]:;@\,."`) {
			t.Errorf("a phrase without quotes: %s", phrase)
		}
		return phrase
	}
	return regexp.MustCompile(`\\(.)`).ReplaceAllString(phrase[1:len(phrase)-1], "$1")
}

// runWithSecret runs a script, in which what asks for the secret is replaced by the secret itself.
func runWithSecret(t *testing.T, script, secret string) (dir, output string) {
	t.Helper()
	dir, output, err := tryWithSecret(t, script, secret)
	if err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	return dir, output
}

func tryWithSecret(t *testing.T, script, secret string) (dir, output string, err error) {
	t.Helper()
	const ask = "$('/usr/bin/postier' 'secret' 'get' 'durand')"
	if strings.Count(script, ask) != 1 {
		t.Fatalf("the secret is not asked for once:\n%s", script)
	}
	dir = t.TempDir()
	file := filepath.Join(dir, "make.sh")
	if err := os.WriteFile(file, []byte(strings.Replace(script, ask, shellQuote(secret), 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("/bin/sh", file).CombinedOutput()
	return dir, string(out), err
}

// runScript runs a script that makes a table.
func runScript(t *testing.T, script, table string) string {
	t.Helper()
	dir, _ := runWithSecret(t, script, canary)
	data, err := os.ReadFile(filepath.Join(dir, table))
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(dir, table))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	return string(data)
}

// postfixTable reads a table as postmap(1) says: a line beginning with # is a comment, the key ends at the first space,
// the spaces around the value go.
func postfixTable(content string) map[string]string {
	rows := map[string]string{}
	for line := range strings.Lines(content) {
		line = strings.TrimRight(line, " \t\n")
		if line == "" || strings.HasPrefix(strings.TrimLeft(line, " \t"), "#") {
			continue
		}
		key, value, _ := strings.Cut(line, " ")
		rows[key] = strings.TrimLeft(value, " \t")
	}
	return rows
}

func credentials(row string) (user, secret string) {
	user, secret, _ = strings.Cut(row, ":")
	return user, secret
}

func readPostfix(t *testing.T, f files) map[string]string {
	got := map[string]string{}
	for line := range strings.Lines(f.one(t, "/main.cf")) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), " = ")
		got[key] = strings.ReplaceAll(value, "$$", "$")
	}
	table, inline := f["postier/durand/sasl_passwd"]
	if !inline {
		table = runScript(t, f.one(t, "make-sasl_passwd.sh"), "sasl_passwd")
	}
	user, secret := credentials(postfixTable(table)["[smtp.durand.example]:465"])
	return map[string]string{"user": user, "secret": secret, "ca": got["smtp_tls_CAfile"]}
}

func readOpenSMTPD(t *testing.T, f files) map[string]string {
	table, inline := f["postier-durand.secrets"]
	if !inline {
		table = runScript(t, f.one(t, ".sh"), "postier-durand.secrets")
	}
	user, secret := credentials(postfixTable(table)["durand"])
	conf := f.one(t, ".conf")
	authority := smtpdString(t, after(t, conf, "\nca "))
	if !strings.Contains(conf, ` tls ca "`+authority+`"`+"\n") {
		t.Errorf("the action does not name the authority in\n%s", conf)
	}
	return map[string]string{
		"user": user, "secret": secret, "ca": smtpdString(t, after(t, conf, `"`+authority+`" cert `)),
	}
}

// smtpdString reads a quoted string as the lexer of smtpd.conf(5) does: a backslash is itself, unless a quote, a blank
// or a line end follows it.
func smtpdString(t *testing.T, content string) string {
	t.Helper()
	match := regexp.MustCompile(`^"((?:[^"\\]|\\[" \t]|\\)*)"(?:\s|$)`).FindStringSubmatch(content)
	if match == nil {
		t.Fatalf("no string at %.60q", content)
	}
	return regexp.MustCompile(`\\([" \t])`).ReplaceAllString(match[1], "$1")
}

// eximValue reads text of an expansion that holds nothing but plain characters and \xHH.
func eximValue(t *testing.T, text string) string {
	t.Helper()
	if plain := regexp.MustCompile(`\\x[0-9a-f]{2}`).ReplaceAllString(text, ""); strings.ContainsAny(plain, `\${}^;:#"`) {
		t.Errorf("Exim would see a meaning in %s", text)
	}
	return regexp.MustCompile(`\\x[0-9a-f]{2}`).ReplaceAllStringFunc(text, func(hex string) string {
		n, _ := strconv.ParseUint(hex[2:], 16, 8)
		return string([]byte{byte(n)})
	})
}

func readExim(t *testing.T, f files) map[string]string {
	auth := f.one(t, "30_postier_durand")
	for path, content := range f {
		if strings.Contains(path, "/auth/") {
			auth = content
		}
	}
	user, _, _ := strings.Cut(after(t, auth, "client_send = <; ^${sg{"), `}{\\^}{^^}}^`)
	file, _, _ := strings.Cut(after(t, auth, "${readfile{"), "}{}}")
	roots, _, _ := strings.Cut(after(t, f["conf.d/transport/30_postier_durand"], "tls_verify_certificates = "), "\n")
	return map[string]string{"user": eximValue(t, user), "path": eximValue(t, file), "ca": eximValue(t, roots)}
}

// muttSettings reads muttrc(5): inside double quotes a backslash takes the next character, and a bare $ or ` would be
// replaced.
func muttSettings(t *testing.T, content string) map[string]string {
	t.Helper()
	got := map[string]string{}
	for line := range strings.Lines(content) {
		line = strings.TrimSuffix(strings.TrimPrefix(line, "set "), "\n")
		key, value, _ := strings.Cut(line, "=")
		if strings.HasSuffix(key, "_pass") {
			got[key] = value
			continue
		}
		var b strings.Builder
		for i := 1; i < len(value)-1; i++ {
			switch {
			case value[i] == '\\':
				i++
			case strings.IndexByte("$`\"", value[i]) >= 0:
				t.Errorf("mutt would see a meaning in %s", line)
			}
			b.WriteByte(value[i])
		}
		got[key] = b.String()
	}
	return got
}

func userOf(t *testing.T, address string) string {
	t.Helper()
	_, rest, _ := strings.Cut(address, "://")
	user, _, _ := strings.Cut(rest, "@")
	return unpercent(t, user)
}

func readMutt(t *testing.T, f files) map[string]string {
	got := muttSettings(t, f.one(t, "muttrc"))
	folder := got["record"][strings.LastIndexByte(got["record"], '/')+1:]
	return map[string]string{
		"user": userOf(t, got["smtp_url"]), "name": got["realname"], "ca": got["ssl_ca_certificates_file"],
		"folder": unpercent(t, folder),
	}
}

// goINI reads as go-ini does: a value between back quotes is taken as it is, from the first to the last one.
func goINI(t *testing.T, content string) map[string]string {
	t.Helper()
	got := map[string]string{}
	for line := range strings.Lines(content) {
		key, value, found := strings.Cut(strings.TrimSpace(line), " = ")
		if !found {
			continue
		}
		if !strings.HasPrefix(value, "`") || strings.Contains(value, "%(") {
			t.Errorf("go-ini would see a meaning in %s", line)
		}
		got[key] = value[1:strings.LastIndexByte(value, '`')]
	}
	return got
}

func readAerc(t *testing.T, f files) map[string]string {
	got := goINI(t, f.one(t, "accounts.conf"))
	return map[string]string{
		"user": userOf(t, got["outgoing"]), "folder": got["copy-to"],
		"name": mimeName(t, got["from"]),
	}
}

func readHimalaya(t *testing.T, f files) map[string]string {
	content := f.one(t, "config.toml")
	return map[string]string{
		"user":   jsonAt(t, after(t, content, "smtp.sasl.plain.username = ")),
		"folder": jsonAt(t, after(t, content, "mailbox.alias.sent = ")),
		"ca":     jsonAt(t, after(t, content, "smtp.tls.cert = ")),
	}
}

// gitValue reads a quoted value of git-config(1).
func gitValue(t *testing.T, content, key string) string {
	t.Helper()
	text := after(t, content, "\t"+key+" = \"")
	var b strings.Builder
	for i := 0; i < len(text) && text[i] != '"'; i++ {
		if text[i] == '\\' {
			i++
			if text[i] != '\\' && text[i] != '"' {
				t.Errorf("git knows no escape %c", text[i])
			}
		}
		b.WriteByte(text[i])
	}
	return b.String()
}

func readGit(t *testing.T, f files) map[string]string {
	content := f.one(t, "gitconfig-durand")
	return map[string]string{
		"user": gitValue(t, content, "smtpUser"), "ca": gitValue(t, content, "smtpSSLCertPath"),
		"name": mimeName(t, gitValue(t, content, "from")),
	}
}

func readThunderbird(t *testing.T, f files) map[string]string {
	var file struct {
		Label    string `xml:"emailProvider>displayName"`
		Outgoing struct {
			User string `xml:"username"`
		} `xml:"emailProvider>outgoingServer"`
	}
	if err := xml.Unmarshal([]byte(f.one(t, ".xml")), &file); err != nil {
		t.Fatal(err)
	}
	return map[string]string{"user": file.Outgoing.User, "label": file.Label}
}

// readApple reads keys and strings in their order; the keys that are looked for stand there once.
func readApple(t *testing.T, f files) map[string]string {
	decoder := xml.NewDecoder(strings.NewReader(f.one(t, ".mobileconfig")))
	got, key, text := map[string]string{}, "", ""
	for {
		item, err := decoder.Token()
		if err != nil {
			break
		}
		switch item := item.(type) {
		case xml.StartElement:
			text = ""
		case xml.CharData:
			text += string(item)
		case xml.EndElement:
			if item.Name.Local == "key" {
				key = text
			} else {
				got[key] = text
			}
		}
	}
	authority, err := base64.StdEncoding.DecodeString(got["PayloadContent"])
	if err != nil {
		t.Error(err)
	}
	return map[string]string{
		"user": got["OutgoingMailServerUsername"], "name": got["EmailAccountName"],
		"label":     got["EmailAccountDescription"],
		"authority": string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: authority})),
	}
}

func readPHP(t *testing.T, f files) map[string]string {
	return map[string]string{"name": singleAt(t, after(t, f.one(t, "durand.php"), "$name = "))}
}

func readLaravel(t *testing.T, f files) map[string]string {
	content := f.one(t, "mail.php")
	return map[string]string{
		"user": singleAt(t, after(t, content, "'username' => ")), "name": singleAt(t, after(t, content, "'name' => ")),
		"path": singleAt(t, after(t, content, "file_get_contents(")), "ca": singleAt(t, after(t, content, "'cafile' => ")),
	}
}

func readWordPress(t *testing.T, f files) map[string]string {
	content := f.one(t, ".php")
	return map[string]string{
		"user": singleAt(t, after(t, content, "define('WPMS_SMTP_USER', ")),
		"name": singleAt(t, after(t, content, "define('WPMS_MAIL_FROM_NAME', ")),
		"path": singleAt(t, after(t, content, "file_get_contents(")),
	}
}

func readNextcloud(t *testing.T, f files) map[string]string {
	content := f.one(t, ".php")
	return map[string]string{
		"ca":   singleAt(t, after(t, content, "['cafile' => ")),
		"user": singleAt(t, after(t, content, "'mail_smtpname' => ")),
		"path": singleAt(t, after(t, content, "file_get_contents(")),
	}
}

// symfonyValue resolves %%; a single % would begin a parameter.
func symfonyValue(t *testing.T, value string) string {
	t.Helper()
	if strings.Contains(strings.ReplaceAll(value, "%%", ""), "%") {
		t.Errorf("Symfony would see a parameter in %s", value)
	}
	return strings.ReplaceAll(value, "%%", "%")
}

func readSymfony(t *testing.T, f files) map[string]string {
	if content, inline := f[".env.local"]; inline {
		dsn := singleAt(t, after(t, content, "MAILER_DSN="))
		parsed, err := url.Parse(dsn)
		if err != nil {
			t.Fatal(err)
		}
		secret, _ := parsed.User.Password()
		return map[string]string{"secret": secret, "user": parsed.User.Username()}
	}
	content := f.one(t, ".yaml")
	dsn := jsonAt(t, after(t, content, "dsn: "))
	const secret = "%env(urlencode:trim:file:SMTP_PASSWORD_FILE)%"
	if strings.Count(dsn, secret) != 1 {
		t.Errorf("the secret is not named in %s", dsn)
	}
	dsn = symfonyValue(t, strings.Replace(dsn, secret, "secret", 1))
	_, rest, _ := strings.Cut(dsn, "://")
	user, _, _ := strings.Cut(rest, ":")
	name, _, _ := strings.Cut(symfonyValue(t, jsonAt(t, after(t, content, "From: "))), "<")
	return map[string]string{
		"user": unpercent(t, user), "path": symfonyValue(t, jsonAt(t, after(t, content, "env(SMTP_PASSWORD_FILE): "))),
		"name": strings.Trim(name, ` '"`),
		"ca":   singleAt(t, after(t, f.one(t, "Factory.php"), "['cafile' => ")),
	}
}

func readDjango(t *testing.T, f files) map[string]string {
	content := f.one(t, "mail.py")
	return map[string]string{
		"user": jsonAt(t, after(t, content, "EMAIL_HOST_USER = ")), "path": jsonAt(t, after(t, content, "Path(")),
		"name": displayName(t, jsonAt(t, after(t, content, "DEFAULT_FROM_EMAIL = "))),
		"ca":   jsonAt(t, after(t, content, "load_verify_locations(")),
	}
}

// properties reads as java.util.Properties.load does.
func properties(t *testing.T, content string) map[string]string {
	t.Helper()
	got := map[string]string{}
	for line := range strings.Lines(content) {
		line = strings.TrimLeft(strings.TrimSuffix(line, "\n"), " \t")
		if line == "" || line[0] == '#' || line[0] == '!' {
			continue
		}
		key, value, _ := strings.Cut(line, "=")
		var units []uint16
		value = strings.TrimLeft(value, " \t")
		for i := 0; i < len(value); i++ {
			unit := uint16(value[i])
			if value[i] > '~' {
				t.Errorf("not ASCII: %s", line)
			}
			if value[i] == '\\' {
				i++
				unit = uint16(value[i])
				if value[i] == 'u' {
					n, err := strconv.ParseUint(value[i+1:i+5], 16, 16)
					if err != nil {
						t.Fatal(err)
					}
					unit, i = uint16(n), i+4
				}
			}
			units = append(units, unit)
		}
		got[key] = string(utf16.Decode(units))
	}
	return got
}

func readSpring(t *testing.T, f files) map[string]string {
	got := properties(t, f.one(t, ".properties"))
	path := ""
	if folder, found := strings.CutPrefix(got["spring.config.import"], "configtree:"); found {
		path = folder + strings.Trim(got["spring.mail.password"], "${}")
	}
	return map[string]string{"user": got["spring.mail.username"], "secret": got["spring.mail.password"], "path": path}
}

func readNodemailer(t *testing.T, f files) map[string]string {
	content := f.one(t, ".mjs")
	return map[string]string{
		"user": jsonAt(t, after(t, content, "{ user: ")), "name": jsonAt(t, after(t, content, "{ name: ")),
		"path": jsonAt(t, after(t, content, "pass: readFileSync(")),
		"ca":   jsonAt(t, after(t, content, "{ ca: readFileSync(")),
	}
}

func readRails(t *testing.T, f files) map[string]string {
	content := f.one(t, ".rb")
	return map[string]string{
		"user": singleAt(t, after(t, content, "user_name: ")), "path": singleAt(t, after(t, content, "File.read(")),
		"ca":   singleAt(t, after(t, content, "ca_file: ")),
		"name": displayName(t, singleAt(t, after(t, content, "  from: "))),
	}
}

// yaml reads KEY: "VALUE" lines, the only ones with values of others.
func yaml(t *testing.T, content string) map[string]string {
	t.Helper()
	got := map[string]string{}
	for line := range strings.Lines(content) {
		if key, value, found := strings.Cut(strings.TrimSpace(line), `: "`); found {
			got[key] = jsonAt(t, `"`+value)
		}
	}
	return got
}

// compose resolves $$; a single $ would begin a variable.
func compose(t *testing.T, content string) map[string]string {
	t.Helper()
	got := yaml(t, content)
	for key, value := range got {
		if strings.Contains(strings.ReplaceAll(value, "$$", ""), "$") {
			t.Errorf("Compose would see a variable in %s", value)
		}
		got[key] = strings.ReplaceAll(value, "$$", "$")
	}
	return got
}

func readDiscourse(t *testing.T, f files) map[string]string {
	got := yaml(t, f.one(t, ".yml"))
	return map[string]string{"user": got["DISCOURSE_SMTP_USER_NAME"], "secret": got["DISCOURSE_SMTP_PASSWORD"]}
}

func readDotnet(t *testing.T, f files) map[string]string {
	var file struct {
		Mail struct{ UserName, FromName, PasswordFile, AuthorityFile string }
	}
	if err := json.Unmarshal([]byte(f.one(t, ".json")), &file); err != nil {
		t.Fatal(err)
	}
	return map[string]string{
		"user": file.Mail.UserName, "name": file.Mail.FromName, "path": file.Mail.PasswordFile,
		"ca": file.Mail.AuthorityFile,
	}
}

func readGo(t *testing.T, f files) map[string]string {
	source := f.one(t, "mail.go")
	if formatted, err := format.Source([]byte(source)); err != nil || string(formatted) != string(source) {
		t.Errorf("gofmt would write %s, %v", formatted, err)
	}
	file, err := parser.ParseFile(token.NewFileSet(), "mail.go", source, 0)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ValueSpec:
			if literal, ok := n.Values[0].(*ast.BasicLit); ok {
				got[n.Names[0].Name], _ = strconv.Unquote(literal.Value)
			}
		case *ast.CallExpr:
			if literal, ok := n.Args[0].(*ast.BasicLit); ok && got["file"] == "" {
				got["file"], _ = strconv.Unquote(literal.Value)
			}
		}
		return true
	})
	return map[string]string{
		"user": got["Username"], "name": got["FromName"], "path": got["file"], "ca": got["CAFile"],
	}
}

func readGitea(t *testing.T, f files) map[string]string {
	if content, inline := f["app.ini"]; inline {
		got := goINI(t, content)
		return map[string]string{"user": got["USER"], "secret": got["PASSWD"], "name": displayName(t, got["FROM"])}
	}
	got := compose(t, f.one(t, ".yaml"))
	return map[string]string{
		"user": got["GITEA__mailer__USER"], "path": got["file"],
		"name": displayName(t, got["GITEA__mailer__FROM"]),
	}
}

func readDocker(t *testing.T, f files) map[string]string {
	got := compose(t, f.one(t, ".yaml"))
	return map[string]string{
		"user": got["SMTP_USERNAME"], "name": got["SMTP_FROM_NAME"], "path": got["file"],
		"ca": got["source"],
	}
}

func readKubernetes(t *testing.T, f files) map[string]string {
	got := yaml(t, f.one(t, "-configmap.yaml"))
	secret := ""
	if content, inline := f["smtp-durand-secret.yaml"]; inline {
		encoded, _, _ := strings.Cut(after(t, content, "password: "), "\n")
		data, err := base64.StdEncoding.DecodeString(encoded)
		if err != nil {
			t.Fatal(err)
		}
		secret = string(data)
	}
	return map[string]string{
		"user": got["SMTP_USERNAME"], "name": got["SMTP_FROM_NAME"], "secret": secret, "authority": got["ca.crt"],
	}
}

// readSystemd reads systemd.syntax(7): C escapes inside double quotes, %% is one, any other % a specifier.
func readSystemd(t *testing.T, f files) map[string]string {
	specifiers := func(text string) string {
		text = strings.ReplaceAll(text, "%d/", "")
		if strings.Contains(strings.ReplaceAll(text, "%%", ""), "%") {
			t.Errorf("systemd would see a specifier in %s", text)
		}
		return strings.ReplaceAll(text, "%%", "%")
	}
	got := map[string]string{}
	for line := range strings.Lines(f.one(t, ".conf")) {
		line = strings.TrimSuffix(line, "\n")
		if text, found := strings.CutPrefix(line, `Environment="`); found {
			key, value, _ := strings.Cut(regexp.MustCompile(`\\([\\"])`).ReplaceAllString(strings.TrimSuffix(text, `"`), "$1"),
				"=")
			got[key] = specifiers(value)
		}
		if text, found := strings.CutPrefix(line, "LoadCredential=smtp-durand:"); found {
			got["path"] = specifiers(text)
		}
	}
	return map[string]string{
		"user": got["SMTP_USERNAME"], "name": got["SMTP_FROM_NAME"], "path": got["path"],
		"ca": got["SMTP_CA_FILE"],
	}
}

func readEnv(_ *testing.T, f files) map[string]string {
	got := map[string]string{}
	for line := range strings.Lines(f["durand.env"]) {
		key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		got[key] = systemdValue(value)
	}
	return map[string]string{
		"user": got["SMTP_USERNAME"], "name": got["SMTP_FROM_NAME"], "secret": got["SMTP_PASSWORD"],
		"path": got["SMTP_PASSWORD_FILE"],
		"ca":   got["SMTP_CA_FILE"],
	}
}

func readMSMTP(t *testing.T, f files) map[string]string {
	got := msmtpAccount(t, []byte(f.one(t, "msmtprc")))
	return map[string]string{"user": got["user"], "ca": got["tls_trust_file"]}
}

func readJSON(t *testing.T, f files) map[string]string {
	var file exported
	if err := json.Unmarshal([]byte(f.one(t, ".json")), &file); err != nil {
		t.Fatal(err)
	}
	p := file.Profile
	return map[string]string{
		"user": p.Submission.Username, "name": p.From.Name, "label": p.Label, "folder": p.SentCopy.Folder,
		"path": p.Credential.Path, "ca": p.TLS.CAFile,
	}
}

func readGhost(t *testing.T, f files) map[string]string {
	var file struct {
		Mail struct {
			From    string
			Options struct {
				Auth struct{ User string }
				TLS  struct{ CA string }
			}
		}
	}
	if err := json.Unmarshal([]byte(f.one(t, ".json")), &file); err != nil {
		t.Fatal(err)
	}
	options := file.Mail.Options
	return map[string]string{
		"user": options.Auth.User, "name": displayName(t, file.Mail.From), "authority": options.TLS.CA,
	}
}

// matomo reads as parse_ini_string of PHP does, which would replace $NAME and \x in double quotes, and then replaces
// entities once or twice, as versions of Matomo do.
func matomo(t *testing.T, content string) map[string]string {
	t.Helper()
	got := map[string]string{}
	for line := range strings.Lines(content) {
		key, value, found := strings.Cut(strings.TrimSuffix(line, "\n"), " = ")
		inside, quoted := strings.CutPrefix(value, `"`)
		if !found || !quoted {
			continue
		}
		inside = strings.TrimSuffix(inside, `"`)
		if strings.ContainsAny(inside, `"$\`) {
			t.Errorf("PHP would see a meaning in %s", line)
		}
		got[key] = html.UnescapeString(inside)
	}
	return got
}

func readMatomo(t *testing.T, f files) map[string]string {
	got := matomo(t, f.one(t, ".ini"))
	for key, value := range got {
		if html.UnescapeString(value) != value {
			t.Errorf("%s is read in two ways: %s", key, value)
		}
	}
	return map[string]string{"user": got["username"], "name": got["noreply_email_name"]}
}

func readDolibarr(t *testing.T, f files) map[string]string {
	content := f.one(t, ".php")
	return map[string]string{
		"user": singleAt(t, after(t, content, "'MAIN_MAIL_SMTPS_ID' => ")),
		"path": singleAt(t, after(t, content, "file_get_contents(")),
	}
}

func readOdoo(t *testing.T, f files) map[string]string {
	content := f.one(t, ".py")
	return map[string]string{
		"user": jsonAt(t, after(t, content, `"smtp_user": `)), "path": jsonAt(t, after(t, content, "Path(")),
	}
}

func readGitLab(t *testing.T, f files) map[string]string {
	content := f.one(t, ".rb")
	value := func(key string) string { return singleAt(t, after(t, content, "gitlab_rails['"+key+"'] = ")) }
	return map[string]string{
		"user": value("smtp_user_name"), "name": value("gitlab_email_display_name"), "ca": value("smtp_ca_file"),
		"path": singleAt(t, after(t, content, "File.read(")),
	}
}

func readMattermost(t *testing.T, f files) map[string]string {
	var file struct {
		EmailSettings struct{ SMTPUsername, FeedbackName string }
	}
	if err := json.Unmarshal([]byte(f.one(t, ".json")), &file); err != nil {
		t.Fatal(err)
	}
	return map[string]string{"user": file.EmailSettings.SMTPUsername, "name": file.EmailSettings.FeedbackName}
}

// readGrafana takes the password from its file as Grafana does, which replaces variables in all values.
func readGrafana(t *testing.T, f files) map[string]string {
	got := goINI(t, f.one(t, ".ini"))
	path := ""
	for key, value := range got {
		reference := regexp.MustCompile(`\$(|__\w+){([^}]+)}`).FindStringSubmatch(value)
		switch {
		case key == "password" && reference != nil && reference[0] == value && reference[1] == "__file":
			path = reference[2]
		case reference != nil:
			t.Errorf("Grafana would replace %s in %s", reference[0], key)
		}
	}
	return map[string]string{"user": got["user"], "name": got["from_name"], "secret": got["password"], "path": path}
}

// readKeycloak knows that all values are strings.
func readKeycloak(t *testing.T, f files) map[string]string {
	var file struct{ SMTPServer map[string]string }
	if err := json.Unmarshal([]byte(f.one(t, ".json")), &file); err != nil {
		t.Fatal(err)
	}
	return map[string]string{"user": file.SMTPServer["user"], "name": file.SMTPServer["fromDisplayName"]}
}

func readVaultwarden(t *testing.T, f files) map[string]string {
	got := compose(t, f.one(t, ".yaml"))
	return map[string]string{
		"user": got["SMTP_USERNAME"], "name": got["SMTP_FROM_NAME"], "path": got["file"], "ca": got["source"],
	}
}

// readHomeAssistant puts the name in front of the address as Home Assistant does.
func readHomeAssistant(t *testing.T, f files) map[string]string {
	got := yaml(t, f.one(t, ".yaml"))
	return map[string]string{
		"user": got["username"], "name": mimeName(t, got["sender_name"]+" <"+got["sender"]+">"),
	}
}

// printed reads what the scripts print, each in the syntax of its program.
func printed(t *testing.T, format, output string) string {
	t.Helper()
	between := func(before, after string) string {
		inside, begins := strings.CutPrefix(output, before)
		inside, ends := strings.CutSuffix(inside, after+"\n")
		if !begins || !ends {
			t.Errorf("%s: it printed %q", format, output)
		}
		return inside
	}
	switch format {
	case "ghost": // as systemd, sh and Docker Compose read single quotes, and then as Ghost reads variables
		inside := between("mail__options__auth__pass='", "'")
		if strings.Contains(inside, "'") {
			t.Errorf("the quotes end early in %s", inside)
		}
		var value any = inside
		if json.Valid([]byte(inside)) || inside == "undefined" {
			value = nil
			_ = json.Unmarshal([]byte(inside), &value)
		}
		text, isText := value.(string)
		if !isText {
			t.Errorf("Ghost reads %s as %v", inside, value)
		}
		return text
	case "matomo":
		return matomo(t, output)["password"]
	case "mattermost":
		var file struct{ EmailSettings struct{ SMTPPassword string } }
		if err := json.Unmarshal([]byte(output), &file); err != nil {
			t.Errorf("%v: %q", err, output)
		}
		return file.EmailSettings.SMTPPassword
	case "homeassistant": // single quotes of YAML
		inside := between("smtp_durand: '", "'")
		if strings.Contains(strings.ReplaceAll(inside, "''", ""), "'") {
			t.Errorf("the quotes end early in %s", inside)
		}
		return strings.ReplaceAll(inside, "''", "'")
	}
	return output
}
