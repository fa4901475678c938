package schema

import (
	"postier/config"

	"postier/internal/check"
)

// The patterns are looser than the Go rules: everything that Go accepts matches them. \S at both ends stands for "no
// space at the ends", [^\x00-\x1f\x7f] for "no control character".
const (
	namePattern    = `^[a-z0-9][a-z0-9_-]{0,63}$`
	addressPattern = `^[^\s\x00-\x1f\x7f<>]+@[^\s\x00-\x1f\x7f<>@]+$`
	senderPattern  = `^([^\s\x00-\x1f\x7f<>]+@)?[^\s\x00-\x1f\x7f<>@]+$`
	hostPattern    = `^[^\s\x00-\x1f\x7f/@\[\]]+$`
	linePattern    = `^[^\x00-\x1f\x7f]*$`
	trimmedPattern = `^[^\s\x00-\x1f\x7f]([^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f])?$`
	pinPattern     = `^[0-9a-f]{64}$`
	digestPattern  = `^sha256:[0-9a-f]{64}$`
	wordPattern    = `^[a-z][a-z0-9-]*([.][a-z0-9-]+)*$`
	envPattern     = `^[A-Za-z_][A-Za-z0-9_]*$`
	systemdPattern = `^[A-Za-z0-9_.@-]+$`
)

type rule struct {
	// path is the end of a property's path; ^ ties it to the beginning. * stands for map values and list items.
	path string
	add  object
}

// rules are applied in order, later ones on top.
var rules = []rule{
	{"^$schema", object{"description": "The schema beside this file, for editors."}},
	{"^version", object{"const": config.Version, "description": "Version of the file format."}},
	{"^default", object{
		"pattern":     `^$|` + namePattern,
		"description": "Profile that sends when no other one matches the sender.",
	}},
	{"^fallback", object{
		"pattern":     `^$|` + namePattern,
		"description": "Profile that sends while another one is switched off after failures.",
	}},
	{"^profiles", object{
		"propertyNames": object{"pattern": namePattern}, "maxProperties": 1000,
		"description": "Ways to send mail, by short name.",
	}},

	{"^queue", object{"description": "Where accepted messages, counters and the suppression list are kept."}},
	{"^queue.database", object{
		"maxLength": 4096, "pattern": linePattern,
		"description": "A file, or a PostgreSQL URL without a password; empty: postier chooses a file.",
	}},

	{"label", object{"maxLength": 200, "pattern": linePattern, "description": "Name for people."}},
	{"enabled", object{"description": "false keeps the settings and sends nothing."}},
	{
		"^profiles.*.provider",
		object{"pattern": `^$|` + namePattern, "description": "Provider preset that the settings came from."},
	},
	{"from", object{"description": "Author of the messages."}},
	{"from.name", object{"maxLength": 200, "pattern": linePattern}},
	{"from.address", object{"pattern": addressPattern, "maxLength": 254}},
	{"reply_to", object{"pattern": `^$|` + addressPattern, "maxLength": 254, "description": "Where replies go."}},
	{"bcc", object{"maxItems": 50, "description": "Addresses that get a blind copy of every message."}},
	{"bcc.*", object{"pattern": addressPattern, "maxLength": 254}},
	{"senders", object{"maxItems": 1000, "description": "Domains and addresses whose messages this profile sends."}},
	{"senders.*", object{"pattern": senderPattern, "maxLength": 254}},
	{"kinds", object{
		"propertyNames": object{"pattern": namePattern}, "maxProperties": 200,
		"description": "Message kinds switched on or off; a kind that is not listed is on.",
	}},

	{"submission", object{"description": "Submission server (RFC 6409)."}},
	{"host", object{"pattern": hostPattern, "description": "Host name, or IP address without brackets."}},
	{"port", object{"minimum": 1, "maximum": 65535}},
	{"security", object{
		"enum": config.Securities(),
		"description": "tls: from the first byte (RFC 8314); starttls: upgrade, required; none: cleartext; auto: tls, then " +
			"starttls, never cleartext.",
	}},
	{"auth", object{"enum": append([]config.Mechanism{""}, config.Mechanisms()...), "description": "SASL mechanism."}},
	{"imap.auth", object{"enum": withoutNone()}},
	{"username", object{"pattern": `^$|` + trimmedPattern, "maxLength": 255}},
	{"helo", object{"maxLength": 255, "description": "Argument of EHLO; empty: chosen by the program."}},
	{"insecure", object{"description": "A technician accepted cleartext for this profile."}},

	{"credential", object{"oneOf": credentials(), "description": "Where the secret is; never the secret itself."}},
	{"credential.type", object{"enum": append([]config.SecretType{""}, config.SecretTypes()...)}},
	{"credential.path", object{"maxLength": 4096, "pattern": linePattern}},
	{"credential.command", object{"maxItems": 64}},
	{"credential.command.*", object{"maxLength": 4096, "pattern": linePattern}},
	{"credential.provider", object{"pattern": `^$|` + namePattern}},

	{"sent_copy", object{
		"description": "Who files the copy in the Sent folder.",
		"if":          object{"properties": object{"mode": object{"const": config.SentAppend}}, "required": []string{"mode"}},
		"then":        object{"required": []string{"imap", "folder"}, "properties": object{"folder": object{"minLength": 1}}},
	}},
	{"sent_copy.mode", object{"enum": config.SentModes()}},
	{"sent_copy.folder", object{
		"maxLength": 255, "pattern": `^$|` + trimmedPattern,
		"description": "Folder name as people read it.",
	}},

	{"limits", object{"description": "Bounds of sending; 0 means none."}},
	{"per_hour", limit()},
	{"per_day", limit()},
	{"per_week", limit()},
	{"recipients_per_message", limit()},
	{"batch", object{"description": "A number of messages, then a pause."}},
	{"batch.messages", limit()},
	{"batch.wait_seconds", object{"minimum": 0, "maximum": config.MaxWaitSeconds}},
	{"test_mode", object{
		"description": "Every message goes to one test address.",
		"if":          object{"properties": object{"enabled": object{"const": true}}, "required": []string{"enabled"}},
		"then":        object{"required": []string{"address"}, "properties": object{"address": object{"minLength": 1}}},
	}},
	{"test_mode.address", object{"pattern": `^$|` + addressPattern, "maxLength": 254}},
	{"tls", object{"description": "Exceptions that a technician made."}},
	{"pin_sha256", object{"maxItems": 20, "description": "SHA-256 of the server's SubjectPublicKeyInfo."}},
	{"pin_sha256.*", object{"pattern": pinPattern}},
	{"ca_file", object{
		"maxLength": 4096, "pattern": linePattern,
		"description": "PEM file with roots that are trusted in addition.",
	}},
	{"disabled", object{"description": "Why the program switched the profile off."}},
	{"disabled.cause", object{"pattern": wordPattern}},
	{"validated", object{"description": "What was proven, and for which settings."}},
	{"digest", object{"pattern": digestPattern}},
	{"checks", object{"propertyNames": object{"pattern": wordPattern}, "maxProperties": 200}},
	{"checks.*", object{"enum": check.Statuses()}},
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

// credentials has one alternative a kind: its own keys, and the others at most empty.
func credentials() []object {
	text := func(pattern string) object { return object{"type": "string", "minLength": 1, "pattern": pattern} }
	return []object{
		credential("file", object{"path": object{"minLength": 1}}),
		credential("command", object{"command": object{"minItems": 1, "prefixItems": []object{{"pattern": "^/"}}}}),
		credential("systemd", object{"name": text(systemdPattern)}),
		credential("keyring", object{"name": text(trimmedPattern)}),
		credential("env", object{"name": text(envPattern)}),
		credential("ask", object{}),
		credential("oauth", object{"provider": object{"minLength": 1}}, "path", "tenant", "client_id"),
		credential("inline", object{"value": object{"minLength": 1}}),
	}
}

func credential(kind string, needed object, optional ...string) object {
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
			properties[key] = object{"maxItems": 0}
		case !allowed[key]:
			properties[key] = object{"maxLength": 0}
		}
	}
	return object{"properties": properties, "required": required}
}
