package config_test

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"postier/config"
)

const (
	durand     = "profiles/durand/"
	submission = durand + "submission/"
	imap       = durand + "sent_copy/imap/"
	credential = durand + "credential"
)

// corpus is the contract's example with one value changed. fault is the path that Go names, "" for a valid file. beyond
// marks what a schema cannot express.
var corpus = []struct {
	name, path, value, fault string
	beyond                   bool
}{
	{"as it is", "version", `1`, "", false},
	{"no version", "version", ``, "version", false},
	{"version 0", "version", `0`, "version", false},
	{"version as text", "version", `"1"`, "version", false},
	{"no profiles", "profiles", ``, "profiles", false},
	{"profiles as list", "profiles", `[]`, "profiles", false},
	{"profile null", "profiles/durand", `null`, "profiles.durand", false},
	{"unknown key at top", "colour", `"blue"`, "colour", false},
	{"unknown key deep", submission + "colour", `"blue"`, "profiles.durand.submission.colour", false},
	{"key in capitals", submission + "Host", `"x.example"`, "profiles.durand.submission.Host", false},
	{"no default", "default", ``, "", false},
	{"unknown default", "default", `"nobody"`, "default", true},
	{"default is no name", "default", `"No body"`, "default", false},
	{"unknown fallback", "fallback", `"nobody"`, "fallback", true},
	{
		"bad profile name", "profiles/Durand & Fils",
		`{"enabled":true,"from":{"address":"a@b.example"},"submission":{"host":"h","port":25,"security":"none","auth":"none"},"sent_copy":{"mode":"none"},"insecure":true}`, "profiles.Durand & Fils", false,
	},

	{"users and groups may submit", "submit", `{"allow":["www-data","@staff","DOM\\\\anna","anna@corp.example"]}`, "", false},
	{"everyone may submit", "submit", `{}`, "", false},
	{"an empty list may be meant as everyone", "submit", `{"allow":[]}`, "submit.allow", false},
	{"a group without a name", "submit", `{"allow":["www-data","@"]}`, "submit.allow.1", false},
	{"two users in one name", "submit", `{"allow":["anna,berta"]}`, "submit.allow.0", false},
	{"a user with a blank", "submit", `{"allow":["anna berta"]}`, "submit.allow.0", false},
	{"a user as text", "submit", `{"allow":"anna"}`, "submit.allow", false},

	{"a log of a year with texts", "log", `{"days":365,"messages":500,"text":true}`, "", false},
	{"a log for less than no time", "log", `{"days":-1}`, "log.days", false},
	{"a log for a century", "log", `{"days":36500}`, "log.days", false},
	{"a log of more messages than fit", "log", `{"messages":10000001}`, "log.messages", false},

	{"label of 200", durand + "label", `"` + strings.Repeat("é", 200) + `"`, "", false},
	{"label of 201", durand + "label", `"` + strings.Repeat("é", 201) + `"`, "profiles.durand.label", false},
	{"label with line break", durand + "label", `"a\nb"`, "profiles.durand.label", false},
	{"label with override", durand + "label", `"a\u202eb"`, "profiles.durand.label", true},
	{"enabled missing", durand + "enabled", ``, "profiles.durand.enabled", false},
	{"enabled as text", durand + "enabled", `"yes"`, "profiles.durand.enabled", false},
	{"provider with blank", durand + "provider", `"g mail"`, "profiles.durand.provider", false},

	{"no sender address", durand + "from/address", ``, "profiles.durand.from.address", false},
	{"empty sender address", durand + "from/address", `""`, "profiles.durand.from.address", false},
	{"no from", durand + "from", ``, "profiles.durand.from.address", false},
	{"address without @", durand + "from/address", `"marie.durand.example"`, "profiles.durand.from.address", false},
	{
		"address with name", durand + "from/address", `"Marie <marie@durand.example>"`, "profiles.durand.from.address",
		false,
	},
	{"parameter in quotes", durand + "from/address", `"\"a b> SIZE=1\"@x.example"`, "profiles.durand.from.address", false},
	{
		"address with CR LF", durand + "from/address", `"a@b.example\r\nRCPT TO:<x@y.example>"`,
		"profiles.durand.from.address", false,
	},
	{"two addresses", durand + "from/address", `"a@b.example,c@d.example"`, "profiles.durand.from.address", false},
	{"double dot", durand + "from/address", `"a..b@c.example"`, "profiles.durand.from.address", false},
	{"international", durand + "from/address", `"müller@dürand.example"`, "", false},
	{"reply-to empty", durand + "reply_to", `""`, "", false},
	{"reply-to no address", durand + "reply_to", `"reception"`, "profiles.durand.reply_to", false},
	{"bcc no address", durand + "bcc/0", `"archive"`, "profiles.durand.bcc.0", false},
	{"bcc as text", durand + "bcc", `"archive@durand.example"`, "profiles.durand.bcc", false},
	{"sender with @ first", durand + "senders/0", `"@durand.example"`, "profiles.durand.senders.0", false},
	{"sender address", durand + "senders/0", `"x@durand.example"`, "", false},
	{"sender empty", durand + "senders/0", `""`, "profiles.durand.senders.0", false},
	{"kind in capitals", durand + "kinds", `{"Invoice":true}`, "profiles.durand.kinds.Invoice", false},
	{"kind as text", durand + "kinds", `{"invoice":"on"}`, "profiles.durand.kinds.invoice", false},

	{"host missing", submission + "host", ``, "profiles.durand.submission.host", false},
	{"host with scheme", submission + "host", `"smtp://x.example"`, "profiles.durand.submission.host", false},
	{"host with blank", submission + "host", `"x .example"`, "profiles.durand.submission.host", false},
	{"host with port", submission + "host", `"x.example:587"`, "profiles.durand.submission.host", false},
	{"host in brackets", submission + "host", `"[::1]"`, "profiles.durand.submission.host", false},
	{"host IPv6", submission + "host", `"2001:db8::1"`, "", false},
	{"host IPv4", submission + "host", `"192.0.2.1"`, "", false},
	{"host no IPv4", submission + "host", `"192.0.2.300"`, "profiles.durand.submission.host", false},
	{"host international", submission + "host", `"smtp.dürand.example"`, "", false},
	{"port 0", submission + "port", `0`, "profiles.durand.submission.port", false},
	{"port 65536", submission + "port", `65536`, "profiles.durand.submission.port", false},
	{"port missing", submission + "port", ``, "profiles.durand.submission.port", false},
	{"port as text", submission + "port", `"465"`, "profiles.durand.submission.port", false},
	{"port with fraction", submission + "port", `465.5`, "profiles.durand.submission.port", false},
	{"port huge", submission + "port", `99999999999999999999`, "profiles.durand.submission.port", false},
	{"security ssl", submission + "security", `"ssl"`, "profiles.durand.submission.security", false},
	{"security empty", submission + "security", `""`, "profiles.durand.submission.security", false},
	{"security none", submission + "security", `"none"`, "profiles.durand.submission.security", false},
	{
		"cleartext to localhost", "profiles/durand/submission",
		`{"host":"localhost","port":25,"security":"none","auth":"none"}`, "", false,
	},
	{
		"cleartext to 127.0.0.1", "profiles/durand/submission",
		`{"host":"127.0.0.1","port":25,"security":"none","auth":"none"}`, "", false,
	},
	{
		"cleartext to ::1", "profiles/durand/submission",
		`{"host":"::1","port":25,"security":"none","auth":"none"}`, "", false,
	},
	{
		"cleartext to localhost.example.com", "profiles/durand/submission",
		`{"host":"localhost.example.com","port":25,"security":"none","auth":"none"}`,
		"profiles.durand.submission.security", false,
	},
	{
		"cleartext to 2001:db8::1", "profiles/durand/submission",
		`{"host":"2001:db8::1","port":25,"security":"none","auth":"none"}`, "profiles.durand.submission.security", false,
	},
	{
		"cleartext to 127.example.com", "profiles/durand/submission",
		`{"host":"127.example.com","port":25,"security":"none","auth":"none"}`, "profiles.durand.submission.security", false,
	},
	{"auth digest", submission + "auth", `"digest-md5"`, "profiles.durand.submission.auth", false},
	{"auth missing", submission + "auth", ``, "", false},
	{"user missing", submission + "username", ``, "profiles.durand.submission.username", false},
	{"user with edge blank", submission + "username", `"contact "`, "profiles.durand.submission.username", false},
	{"helo literal", submission + "helo", `"[192.0.2.1]"`, "", false},
	{"helo bare address", submission + "helo", `"192.0.2.1"`, "profiles.durand.submission.helo", false},

	{"credential missing", credential, ``, "profiles.durand.credential.kind", false},
	{"credential of no kind", credential, `{"path":"x"}`, "profiles.durand.credential.kind", false},
	{"credential unknown", credential, `{"kind":"cloud"}`, "profiles.durand.credential.kind", false},
	{
		"credential of two kinds", credential, `{"kind":"file","path":"x","name":"y"}`, "profiles.durand.credential.name",
		false,
	},
	{"credential with foreign empty key", credential, `{"kind":"file","path":"x","name":""}`, "", false},
	{"file without path", credential, `{"kind":"file"}`, "profiles.durand.credential.path", false},
	{"file outside", credential, `{"kind":"file","path":"../x"}`, "profiles.durand.credential.path", false},
	{"file absolute", credential, `{"kind":"file","path":"/run/x"}`, "", false},
	{
		"file of unknown type", credential, `{"kind":"file","path":"x","type":"magic"}`, "profiles.durand.credential.type",
		false,
	},
	{"command", credential, `{"kind":"command","command":["/usr/bin/pass","show","mail"]}`, "", false},
	{"command relative", credential, `{"kind":"command","command":["pass"]}`, "profiles.durand.credential.command", false},
	// That it is the first one would take an open tuple, which strict validators refuse.
	{
		"command relative to a folder", credential, `{"kind":"command","command":["pass","/mail"]}`,
		"profiles.durand.credential.command", true,
	},
	{"command empty", credential, `{"kind":"command","command":[]}`, "profiles.durand.credential.command", false},
	{
		"command as line", credential, `{"kind":"command","command":"pass show"}`, "profiles.durand.credential.command",
		false,
	},
	{"systemd", credential, `{"kind":"systemd","name":"smtp-durand"}`, "", false},
	{"systemd path", credential, `{"kind":"systemd","name":"a/b"}`, "profiles.durand.credential.name", false},
	{"keyring", credential, `{"kind":"keyring","name":"durand"}`, "", false},
	{"keyring nameless", credential, `{"kind":"keyring"}`, "profiles.durand.credential.name", false},
	{"env", credential, `{"kind":"env","name":"SMTP_PASSWORD"}`, "", false},
	{"env digit", credential, `{"kind":"env","name":"1X"}`, "profiles.durand.credential.name", false},
	{"ask", credential, `{"kind":"ask"}`, "", false},
	{"ask with path", credential, `{"kind":"ask","path":"x"}`, "profiles.durand.credential.path", false},
	{"oauth", credential, `{"kind":"oauth","provider":"microsoft","tenant":"common","client_id":"a-b","path":"secrets/durand.token"}`, "", false},
	{"oauth without provider", credential, `{"kind":"oauth"}`, "profiles.durand.credential.provider", false},
	{"inline", credential, `{"kind":"inline","value":"hunter2"}`, "", false},
	{"inline empty", credential, `{"kind":"inline"}`, "profiles.durand.credential.value", false},

	{"sent copy missing", durand + "sent_copy", ``, "profiles.durand.sent_copy.mode", false},
	{"sent copy odd", durand + "sent_copy/mode", `"maybe"`, "profiles.durand.sent_copy.mode", false},
	{"append without imap", durand + "sent_copy/imap", ``, "profiles.durand.sent_copy.imap", false},
	{"append without folder", durand + "sent_copy/folder", ``, "profiles.durand.sent_copy.folder", false},
	{"append with empty folder", durand + "sent_copy/folder", `""`, "profiles.durand.sent_copy.folder", false},
	{"folder with NUL", durand + "sent_copy/folder", `"a\u0000"`, "profiles.durand.sent_copy.folder", false},
	{"folder with braces", durand + "sent_copy/folder", `"a{3}\" (\"\\Seen\")"`, "", false},
	{"server mode alone", durand + "sent_copy", `{"mode":"server"}`, "", false},
	{"imap without sign-in", imap + "auth", `"none"`, "profiles.durand.sent_copy.imap.auth", false},
	{"imap cleartext", imap + "security", `"none"`, "profiles.durand.sent_copy.imap.security", false},
	{"imap port", imap + "port", `-1`, "profiles.durand.sent_copy.imap.port", false},

	{"limit negative", durand + "limits/per_hour", `-1`, "profiles.durand.limits.per_hour", false},
	{"limit largest", durand + "limits/per_day", `1000000000`, "", false},
	{"limit too large", durand + "limits/per_week", `1000000001`, "profiles.durand.limits.per_week", false},
	{"limit null", durand + "limits/per_week", `null`, "profiles.durand.limits.per_week", false},
	{"recipients", durand + "limits/recipients_per_message", `-5`, "profiles.durand.limits.recipients_per_message", false},
	{"batch negative", durand + "limits/batch/messages", `-1`, "profiles.durand.limits.batch.messages", false},
	{"wait a day", durand + "limits/batch/wait_seconds", `86400`, "", false},
	{"wait longer", durand + "limits/batch/wait_seconds", `86400.1`, "profiles.durand.limits.batch.wait_seconds", false},
	{"wait negative", durand + "limits/batch/wait_seconds", `-0.5`, "profiles.durand.limits.batch.wait_seconds", false},
	{"test mode without address", durand + "test_mode", `{"enabled":true}`, "profiles.durand.test_mode.address", false},
	{"test mode bad address", durand + "test_mode/address", `"essai"`, "profiles.durand.test_mode.address", false},
	{"test mode silent", durand + "test_mode", `{"address":"a@b.example"}`, "profiles.durand.test_mode.enabled", false},
	{"pin", durand + "tls/pin_sha256", `["` + strings.Repeat("0a", 32) + `"]`, "", false},
	{"pin short", durand + "tls/pin_sha256", `["0a"]`, "profiles.durand.tls.pin_sha256.0", false},
	{
		"pin in capitals", durand + "tls/pin_sha256", `["` + strings.Repeat("0A", 32) + `"]`,
		"profiles.durand.tls.pin_sha256.0", false,
	},
	{"roots", durand + "tls/ca_file", `"/etc/ssl/own.pem"`, "", false},
	{"roots with tab", durand + "tls/ca_file", `"/etc/\tx"`, "profiles.durand.tls.ca_file", false},

	{"disabled at noon", durand + "disabled/at", `"noon"`, "profiles.durand.disabled.at", false},
	{"disabled cause", durand + "disabled/cause", `"It Broke"`, "profiles.durand.disabled.cause", false},
	{"validated at", durand + "validated/at", `5`, "profiles.durand.validated.at", false},
	{"digest short", durand + "validated/digest", `"sha256:00"`, "profiles.durand.validated.digest", false},
	{"digest missing", durand + "validated/digest", ``, "profiles.durand.validated.digest", false},
	{
		"verdict odd", durand + "validated/checks", `{"smtp.auth":"great"}`, "profiles.durand.validated.checks.smtp.auth",
		false,
	},
	{"check id odd", durand + "validated/checks", `{"SMTP":"pass"}`, "profiles.durand.validated.checks.SMTP", false},
}

func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	tree, err := jsonschema.UnmarshalJSON(bytes.NewReader(config.Schema()))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	if err := compiler.AddResource("config.schema.json", tree); err != nil {
		t.Fatal(err)
	}
	s, err := compiler.Compile("config.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestGoAndSchemaAgree(t *testing.T) {
	t.Parallel()
	s := compiled(t)
	for _, row := range corpus {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			document := change(t, contractJSON, row.path, row.value)
			faults := parse(t, document).Validate()
			for _, fault := range faults {
				says(t, fault.Text)
			}
			found := faults.Errors()
			switch {
			case row.fault == "" && len(found) > 0:
				t.Errorf("Go refuses at %s: %s", found[0].Path, found[0].Text.Key)
			case row.fault != "" && (len(found) != 1 || found[0].Path != row.fault):
				t.Errorf("Go found %v, want exactly one fault at %s", found, row.fault)
			}
			tree, err := jsonschema.UnmarshalJSON(strings.NewReader(document))
			if err != nil {
				t.Fatal(err)
			}
			err = s.Validate(tree)
			wantSchema := row.fault != "" && !row.beyond
			if (err != nil) != wantSchema {
				t.Errorf("schema says %v, Go says %q", err, row.fault)
			}
		})
	}
}

// TestWriteCorpus writes the corpus for other validators (e2e/exports), to the file that POSTIER_CORPUS names.
func TestWriteCorpus(t *testing.T) {
	t.Parallel()
	path := os.Getenv("POSTIER_CORPUS")
	if path == "" {
		t.Skip("POSTIER_CORPUS is not set")
	}
	type judged struct {
		Name     string `json:"name"`
		Document string `json:"document"`
		Valid    bool   `json:"valid"`
		Beyond   bool   `json:"beyond"`
	}
	var rows []judged
	for _, row := range corpus {
		document := change(t, contractJSON, row.path, row.value)
		rows = append(rows, judged{row.name, document, len(parse(t, document).Validate().Errors()) == 0, row.beyond})
	}
	data, err := json.Marshal(rows)
	if err == nil {
		err = os.WriteFile(path, data, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestSchemaTakesWhatIsWritten: the file that Save writes is valid by the schema next to it.
func TestSchemaTakesWhatIsWritten(t *testing.T) {
	t.Parallel()
	doc := parse(t, contractJSON)
	tree, err := jsonschema.UnmarshalJSON(bytes.NewReader(doc.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	if err := compiled(t).Validate(tree); err != nil {
		t.Error(err)
	}
	if !json.Valid(doc.Encode()) {
		t.Error("not JSON")
	}
}
