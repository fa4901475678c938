package config

import (
	"slices"
	"testing"
)

func TestValidateSetting(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, good, bad string }{
		{"address", "a@x.example", ""},
		{"smtp-host", "smtp.x.example", ""},
		{"smtp-port", "587 AUTH:LOGIN CONN:STARTTLS", "70000"},
		{"smtp-security", "starttls", "ssl"},
		{"auth", "oauthbearer", ""},
		{"user", "a", " a"},
		{"helo", "", "192.0.2.1"},
		{"imap-host", "", "a b"},
		{"imap-port", "993", "993 CONN:STARTTLS"},
		{"imap-security", "none", "NONE"},
		{"imap-user", "a", ""},
		{"sent-copy", "append", "both"},
		{"sent-folder", "", "Sent "},
		{"from", "", "a"},
		{"reply-to", "a@x.example", "a@"},
		{"test-address", "", "@x.example"},
		{"label", "", "a\x1b[2J"},
		{"from-name", "Cabinet Durand", "a\nb"},
		{"bcc", "a@x.example, b@x.example", "a@x.example, b"},
		{"senders", "x.example a@y.example", "x.example @"},
		{"kinds-on", "invoice;reminder", "Invoice!"},
		{"kinds-off", "", "a b!"},
		{"per-hour", "", "-1"},
		{"per-day", "100", "many"},
		{"per-week", "0", "1e3"},
		{"recipients-per-message", "10", "+1"},
		{"batch-messages", "12", "x"},
		{"batch-wait", "15,5", "90000"},
		{"another", "anything", "\x00"},
	} {
		if text := ValidateSetting(c.name, c.good); !text.Empty() {
			t.Errorf("%s %q: %+v", c.name, c.good, text)
		}
		if text := ValidateSetting(c.name, c.bad); text.Empty() != (c.name == "another") {
			t.Errorf("%s %q: %+v", c.name, c.bad, text)
		}
	}
	if got := ParseList("a, b;a  c\n"); !slices.Equal(got, []string{"a", "b", "c"}) {
		t.Errorf("%q", got)
	}
}

func TestTokenMechanisms(t *testing.T) {
	t.Parallel()
	var tokens []Mechanism
	for _, m := range Mechanisms() {
		if m.TakesToken() {
			tokens = append(tokens, m)
		}
	}
	if !slices.Equal(tokens, []Mechanism{MechanismXOAuth2, MechanismOAuthBearer}) {
		t.Errorf("%q", tokens)
	}
}
