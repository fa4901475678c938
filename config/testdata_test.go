package config_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"postier/config"
	"postier/internal/locale"
)

// contractJSON is the example of the contract, complete with every section.
const contractJSON = `{
  "$schema": "./config.schema.json",
  "version": 1,
  "default": "durand",
  "fallback": "platform",
  "profiles": {
    "durand": {
      "label": "Cabinet Durand",
      "enabled": true,
      "provider": "gmail",
      "from": {"name": "Cabinet Durand", "address": "contact@durand.example"},
      "reply_to": "reception@durand.example",
      "bcc": ["archive@durand.example"],
      "senders": ["durand.example"],
      "kinds": {"quote": false, "invoice": true},
      "submission": {"host": "smtp.gmail.com", "port": 465, "security": "tls", "auth": "auto",
                     "username": "contact@durand.example"},
      "credential": {"kind": "file", "path": "secrets/durand", "type": "app-password"},
      "sent_copy": {"mode": "append",
                    "imap": {"host": "imap.gmail.com", "port": 993, "security": "tls", "username": "contact@durand.example"},
                    "folder": "Envoyés"},
      "limits": {"per_hour": 0, "per_day": 500, "per_week": 0, "recipients_per_message": 100,
                 "batch": {"messages": 12, "wait_seconds": 15.5}},
      "test_mode": {"enabled": false, "address": "essai@durand.example"},
      "tls": {"pin_sha256": [], "ca_file": ""},
      "disabled": {"at": "2026-11-20T08:00:00Z", "cause": "app-password-required"},
      "validated": {"at": "2026-11-21T20:00:00Z", "digest": "sha256:0000000000000000000000000000000000000000000000000000000000000000",
                    "checks": {"smtp.auth": "pass", "imap.append": "pass", "dns.spf": "warn", "dns.dkim": "pass"}}
    },
    "platform": {
      "enabled": true,
      "from": {"address": "noreply@platform.example"},
      "submission": {"host": "127.0.0.1", "port": 25, "security": "none", "auth": "none"},
      "sent_copy": {"mode": "none"}
    }
  }
}
`

func parse(t *testing.T, data string) *config.Document {
	t.Helper()
	doc, err := config.Parse("/etc/postier/config.json", []byte(data))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// change sets or removes one value of a JSON document by its path; raw is JSON, "" removes.
func change(t testing.TB, document, path, raw string) string {
	t.Helper()
	var tree any
	if err := json.Unmarshal([]byte(document), &tree); err != nil {
		t.Fatal(err)
	}
	words := strings.Split(path, "/")
	at := tree
	for _, word := range words[:len(words)-1] {
		at = child(at, word)
	}
	last := words[len(words)-1]
	switch at := at.(type) {
	case map[string]any:
		delete(at, last)
		if raw != "" {
			at[last] = json.RawMessage(raw)
		}
	case []any:
		index, _ := strconv.Atoi(last)
		at[index] = json.RawMessage(raw)
	default:
		t.Fatalf("%s: %T has no members", path, at)
	}
	data, err := json.Marshal(tree)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func child(at any, word string) any {
	if list, ok := at.([]any); ok {
		index, _ := strconv.Atoi(word)
		return list[index]
	}
	return at.(map[string]any)[word]
}

// left is a place in a message that no argument filled.
var left = regexp.MustCompile(`\{[a-z]+\}`)

func bracesIn(args []any) bool { return strings.Contains(fmt.Sprint(args...), "{") }

// says fails unless every language has a sentence for text.
func says(t testing.TB, text locale.Text) {
	t.Helper()
	for _, lang := range locale.All() {
		said := locale.For(lang).Say(text)
		if said == "" || strings.HasPrefix(said, "<") || left.MatchString(said) && !bracesIn(text.Args) {
			t.Errorf("%s: %s is no sentence: %q", lang, text.Key, said)
		}
	}
}
