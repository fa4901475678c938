package config_test

import (
	"bytes"
	"flag"
	"os"
	"reflect"
	"slices"
	"testing"

	"postier/config"
	"postier/internal/check"
	"postier/internal/jsonschema"
)

var update = flag.Bool("update", false, "write config.schema.json again; read the difference before committing it")

// TestSchemaIsCurrent builds the schema from the Go types, so that a key is named in one place only. It fails if
// `go generate ./config` has to be run.
func TestSchemaIsCurrent(t *testing.T) {
	t.Parallel()
	built := jsonschema.Schema{
		Type: reflect.TypeFor[config.File](), ID: "urn:postier:config:1", Title: "postier configuration", Rules: rules,
	}.Build()
	switch {
	case bytes.Equal(config.Schema(), built):
	case !*update:
		t.Error("config.schema.json is not what the types say; run: go generate ./config")
	default:
		if err := os.WriteFile("config.schema.json", built, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

type object = jsonschema.Object

// The patterns are looser than the Go rules: everything that Go accepts matches them. \S at both ends stands for "no
// space at the ends", [^\x00-\x1f\x7f] for "no control character".
const (
	namePattern      = `^[a-z0-9][a-z0-9_-]{0,63}$`
	addressPattern   = `^[^\s\x00-\x1f\x7f<>]+@[^\s\x00-\x1f\x7f<>@]+$`
	senderPattern    = `^([^\s\x00-\x1f\x7f<>]+@)?[^\s\x00-\x1f\x7f<>@]+$`
	hostPattern      = `^([^\s\x00-\x1f\x7f/@\[\]:]+|[0-9A-Fa-f.]*:[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*)$`
	octetPattern     = `(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])`
	ipv4Pattern      = `^(` + octetPattern + `[.]){3}` + octetPattern + `$`
	heloPattern      = `^$|^[^\s\x00-\x1f\x7f/@\[\]:]+$|^\[(IPv6:)?[0-9A-Fa-f:.]+\]$`
	absolutePattern  = `^(/|[A-Za-z]:[\\/])`
	localPattern     = `^127([.][0-9]{1,3}){3}$|^[Ll][Oo][Cc][Aa][Ll][Hh][Oo][Ss][Tt]$|^(0{0,4}:){2,7}0{0,3}1$`
	linePattern      = `^[^\x00-\x1f\x7f]*$`
	trimmedPattern   = `^[^\s\x00-\x1f\x7f]([^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f])?$`
	pinPattern       = `^[0-9a-f]{64}$`
	digestPattern    = `^sha256:[0-9a-f]{64}$`
	wordPattern      = `^[a-z][a-z0-9-]*([.][a-z0-9-]+)*$`
	envPattern       = `^[A-Za-z_][A-Za-z0-9_]*$`
	localUserPattern = `^@?[^@ \t:,/\-\x00-\x1f\x7f][^ \t:,/\x00-\x1f\x7f]*$`
	urlPattern       = `^https://[^\s\x00-\x1f\x7f/@#]+[^\s\x00-\x1f\x7f#]*$`
	systemdPattern   = `^[A-Za-z0-9_.@-]+$`
)

// rules are what the types cannot say: patterns, ranges, descriptions.
var rules = []jsonschema.Rule{
	{Path: "^$schema", Add: object{"description": "The schema beside this file, for editors."}},
	{Path: "^version", Add: object{"const": config.Version, "description": "Version of the file format."}},
	{Path: "^default", Add: object{
		"pattern":     `^$|` + namePattern,
		"description": "Profile that sends when no other one matches the sender.",
	}},
	{Path: "^fallback", Add: object{
		"pattern":     `^$|` + namePattern,
		"description": "Profile that sends while another one is switched off after failures.",
	}},
	{Path: "^profiles", Add: object{
		"propertyNames": object{"pattern": namePattern}, "maxProperties": 1000,
		"description": "Ways to send mail, by short name.",
	}},

	{Path: "^queue", Add: object{
		"description": "How messages are delivered, and where they, the counters and the suppression list are kept.",
	}},
	{Path: "^queue.mode", Add: object{
		"enum":        append([]config.QueueMode{""}, config.QueueModes()...),
		"description": "queue: what did not leave is tried again; direct: once, and the caller is told. Empty: queue.",
	}},
	{Path: "^queue.database", Add: object{
		"maxLength": 4096, "pattern": linePattern,
		"description": "A file, or a PostgreSQL URL without a password; empty: postier chooses a file.",
	}},

	{Path: "^submit", Add: object{"description": "The socket of the machine's service."}},
	{Path: "^submit.allow", Add: object{
		"minItems": 1, "maxItems": 1000,
		"description": "Local users, and groups as @NAME, whose messages are taken; without it all are.",
	}},
	{Path: "^submit.allow.*", Add: object{"pattern": localUserPattern, "maxLength": 255}},

	{Path: "^log", Add: object{"description": "How long messages stay in the log, and what of them."}},
	{Path: "^log.days", Add: object{
		"minimum": 0, "maximum": 3660,
		"description": "How many days a finished message stays in the log; 0: 90.",
	}},
	{Path: "^log.messages", Add: object{
		"minimum": 0, "maximum": 10_000_000,
		"description": "How many finished messages stay in the log; 0: 100000.",
	}},
	{Path: "^log.text", Add: object{
		"description": "true keeps the text of finished messages, so that they can be sent again.",
	}},

	{Path: "^watch", Add: object{"description": "What was proven is checked again, and who is told when it changes."}},
	{Path: "^watch.every_hours", Add: object{
		"minimum": 0, "maximum": 744,
		"description": "Hours between two rounds of the service; 0: it does not watch.",
	}},
	{Path: "^watch.notify", Add: object{
		"maxItems":    50,
		"description": "E-mail addresses and HTTPS URLs that are told; empty: the owner of the profile.",
	}},
	{Path: "^watch.notify.*", Add: object{"pattern": addressPattern + `|` + urlPattern, "maxLength": 4096}},
	{Path: "^watch.command", Add: object{
		"maxItems": 64, "if": object{"minItems": 1}, "then": object{"contains": absolute()},
		"description": "A program with its arguments, run without a shell; it reads the notice on standard input.",
	}},
	{Path: "^watch.command.*", Add: object{"maxLength": 4096, "pattern": linePattern}},
	{Path: "^watch.allow_networks", Add: object{
		"maxItems":    50,
		"description": "Private networks that a URL of notify may lead to, such as 10.0.0.0/8.",
	}},
	{Path: "^watch.allow_networks.*", Add: object{"pattern": `^[0-9A-Fa-f.:]+(/[0-9]{1,3})?$`}},

	{Path: "label", Add: object{"maxLength": 200, "pattern": linePattern, "description": "Name for people."}},
	{Path: "enabled", Add: object{"description": "false keeps the settings and sends nothing."}},
	{
		Path: "^profiles.*.provider",
		Add:  object{"pattern": `^$|` + namePattern, "description": "Provider preset that the settings came from."},
	},
	{Path: "from", Add: object{"description": "Author of the messages."}},
	{Path: "from.name", Add: object{"maxLength": 200, "pattern": linePattern}},
	{Path: "from.address", Add: object{"pattern": addressPattern, "maxLength": 254, "not": unquoted()}},
	{Path: "reply_to", Add: object{
		"pattern": `^$|` + addressPattern, "maxLength": 254, "not": unquoted(),
		"description": "Where replies go.",
	}},
	{Path: "bcc", Add: object{"maxItems": 50, "description": "Addresses that get a blind copy of every message."}},
	{Path: "bcc.*", Add: object{"pattern": addressPattern, "maxLength": 254, "not": unquoted()}},
	{Path: "senders", Add: object{
		"maxItems":    1000,
		"description": "Domains and addresses whose messages this profile sends.",
	}},
	{Path: "senders.*", Add: object{"pattern": senderPattern, "maxLength": 254}},
	{Path: "kinds", Add: object{
		"propertyNames": object{"pattern": namePattern}, "maxProperties": 200,
		"description": "Message kinds switched on or off; a kind that is not listed is on.",
	}},

	{Path: "submission", Add: object{"description": "Submission server (RFC 6409)."}},
	{Path: "host", Add: object{
		"pattern": hostPattern, "description": "Host name, or IP address without brackets.",
		"if": object{"pattern": `^[0-9.]+$`}, "then": object{"pattern": ipv4Pattern},
	}},
	{Path: "port", Add: object{"minimum": 1, "maximum": 65535}},
	{Path: "security", Add: object{
		"enum": config.Securities(),
		"description": "tls: from the first byte (RFC 8314); starttls: upgrade, required; none: cleartext; auto: tls, then " +
			"starttls, never cleartext.",
	}},
	{Path: "auth", Add: object{
		"enum":        append([]config.Mechanism{""}, config.Mechanisms()...),
		"description": "SASL mechanism.",
	}},
	{Path: "imap.auth", Add: object{"enum": withoutNone()}},
	{Path: "username", Add: object{"pattern": `^$|` + trimmedPattern, "maxLength": 255}},
	{Path: "submission", Add: signsIn()},
	{Path: "imap", Add: signsIn()},
	{Path: "helo", Add: object{
		"maxLength": 255, "pattern": heloPattern, "not": object{"pattern": `^[0-9.]+$`},
		"description": "Argument of EHLO; empty: chosen by the program.",
	}},
	{Path: "^profiles.*", Add: object{"allOf": []object{
		consent("submission"), consent("sent_copy", "imap"),
		{
			"if": object{"properties": object{
				"submission": signedInBy(config.MechanismNone),
				"sent_copy":  object{"type": "object", "properties": object{"imap": false}},
			}},
			"else": needs("credential", true),
		},
	}}},
	{Path: "insecure", Add: object{"description": "A technician accepted cleartext for this profile."}},

	{Path: "credential", Add: object{
		"oneOf":       alternatives(),
		"description": "Where the secret is; never the secret itself.",
	}},
	{Path: "credential.type", Add: object{"enum": append([]config.SecretType{""}, config.SecretTypes()...)}},
	{Path: "credential.path", Add: object{
		"maxLength": 4096, "pattern": linePattern, "not": object{"pattern": `^[.][.](/|$)`},
	}},
	{Path: "credential.command", Add: object{"maxItems": 64}},
	{Path: "credential.command.*", Add: object{"maxLength": 4096, "pattern": linePattern}},
	{Path: "credential.provider", Add: object{"pattern": `^$|` + namePattern}},

	{Path: "sent_copy", Add: object{
		"description": "Who files the copy in the Sent folder.",
		"if":          object{"properties": object{"mode": object{"const": config.SentAppend}}, "required": []string{"mode"}},
		"then": object{
			"required": []string{"imap", "folder"}, "properties": object{"imap": true, "folder": given()},
		},
	}},
	{Path: "sent_copy.mode", Add: object{"enum": config.SentModes()}},
	{Path: "sent_copy.folder", Add: object{
		"maxLength": 255, "pattern": `^$|` + trimmedPattern,
		"description": "Folder name as people read it.",
	}},

	{Path: "limits", Add: object{"description": "Bounds of sending; 0 means none."}},
	{Path: "per_hour", Add: limit()},
	{Path: "per_day", Add: limit()},
	{Path: "per_week", Add: limit()},
	{Path: "recipients_per_message", Add: limit()},
	{Path: "batch", Add: object{"description": "A number of messages, then a pause."}},
	{Path: "batch.messages", Add: limit()},
	{Path: "batch.wait_seconds", Add: object{"minimum": 0, "maximum": config.MaxWaitSeconds}},
	{Path: "test_mode", Add: object{
		"description": "Every message goes to one test address.",
		"if":          object{"properties": object{"enabled": object{"const": true}}, "required": []string{"enabled"}},
		"then":        object{"required": []string{"address"}, "properties": object{"address": given()}},
	}},
	{Path: "test_mode.address", Add: object{"pattern": `^$|` + addressPattern, "maxLength": 254}},
	{Path: "tls", Add: object{"description": "Exceptions that a technician made."}},
	{Path: "pin_sha256", Add: object{"maxItems": 20, "description": "SHA-256 of the server's SubjectPublicKeyInfo."}},
	{Path: "pin_sha256.*", Add: object{"pattern": pinPattern}},
	{Path: "ca_file", Add: object{
		"maxLength": 4096, "pattern": linePattern,
		"description": "PEM file with roots that are trusted in addition.",
	}},
	{Path: "disabled", Add: object{"description": "Why the program switched the profile off."}},
	{Path: "disabled.cause", Add: object{"pattern": wordPattern}},
	{Path: "validated", Add: object{"description": "What was proven, and for which settings."}},
	{Path: "digest", Add: object{"pattern": digestPattern}},
	{Path: "checks", Add: object{"propertyNames": object{"pattern": wordPattern}, "maxProperties": 200}},
	{Path: "checks.*", Add: object{"enum": check.Statuses()}},
}

// given is a text that is not empty, absolute one that is a full path on any system.
func given() object    { return object{"type": "string", "minLength": 1} }
func absolute() object { return object{"type": "string", "pattern": absolutePattern} }

// unquoted refuses what no address without quotes has: a comma, and two dots in a row.
func unquoted() object { return object{"pattern": `^[^"]*(,|[.][.])`} }

// needs is a schema for an object that must have a key, and what the key must be.
func needs(key string, value any) object {
	return object{"type": "object", "required": []string{key}, "properties": object{key: value}}
}

// signedInBy is a server with this mechanism.
func signedInBy(mechanism config.Mechanism) object { return needs("auth", object{"const": mechanism}) }

// signsIn wants a user name unless the server takes no sign-in.
func signsIn() object {
	return object{"if": signedInBy(config.MechanismNone), "else": needs("username", given())}
}

// consent wants "insecure" where a server elsewhere is spoken to in cleartext. path leads to the server.
func consent(path ...string) object {
	server := object{
		"type": "object", "required": []string{"security", "host"},
		"properties": object{
			"security": object{"const": config.SecurityNone},
			"host":     object{"type": "string", "not": object{"pattern": localPattern}},
		},
	}
	for _, key := range slices.Backward(path) {
		server = needs(key, server)
	}
	return object{"if": server, "then": needs("insecure", object{"const": true})}
}

func limit() object { return object{"minimum": 0, "maximum": 1_000_000_000} }

func withoutNone() []config.Mechanism {
	out := []config.Mechanism{""}
	for _, mechanism := range config.Mechanisms() {
		if mechanism != config.MechanismNone {
			out = append(out, mechanism)
		}
	}
	return out
}

// alternatives has one alternative a kind: its own keys, and the others at most empty.
func alternatives() []object {
	text := func(pattern string) object { return object{"type": "string", "minLength": 1, "pattern": pattern} }
	return []object{
		alternative("file", object{"path": given()}),
		alternative("command", object{"command": object{
			"type": "array", "contains": absolute(),
		}}),
		alternative("systemd", object{"name": text(systemdPattern)}),
		alternative("keyring", object{"name": text(trimmedPattern)}),
		alternative("env", object{"name": text(envPattern)}),
		alternative("ask", object{}),
		alternative("oauth", object{"provider": given()}, "path", "tenant", "client_id"),
		alternative("inline", object{"value": given()}),
	}
}

func alternative(kind string, needed object, optional ...string) object {
	properties := object{"kind": object{"const": kind}}
	required := []string{"kind"}
	allowed := map[string]bool{}
	for _, key := range optional {
		allowed[key] = true
	}
	for _, key := range []string{"path", "command", "name", "provider", "tenant", "client_id", "value"} {
		switch rule, own := needed[key]; {
		case own:
			properties[key] = rule
			required = append(required, key)
		case key == "command":
			properties[key] = object{"type": "array", "maxItems": 0}
		case !allowed[key]:
			properties[key] = object{"type": "string", "maxLength": 0}
		}
	}
	return object{"properties": properties, "required": required}
}
