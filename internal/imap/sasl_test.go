package imap

import (
	"fmt"
	"strings"
	"testing"

	"postier/config"
	"postier/internal/rehearsal/certificates"
	"postier/internal/scripted"
)

// TestChoice checks which mechanism the client chooses, by what the server received.
func TestChoice(t *testing.T) {
	t.Parallel()
	ca := scripted.StartCA(t)
	for _, c := range []struct {
		offered string
		auth    config.Mechanism
		kind    config.SecretType
		want    string
	}{
		{"AUTH=PLAIN AUTH=SCRAM-SHA-1 AUTH=SCRAM-SHA-256", "", "", "SCRAM-SHA-256"},
		{"AUTH=PLAIN AUTH=SCRAM-SHA-1", "", "", "SCRAM-SHA-1"},
		{"AUTH=CRAM-MD5 AUTH=NTLM AUTH=PLAIN", "", "", "PLAIN"},
		{"AUTH=CRAM-MD5 AUTH=LOGIN", "", "", "LOGIN"},
		{"AUTH=PLAIN AUTH=SCRAM-SHA-256", config.MechanismPlain, "", "PLAIN"},
		{"AUTH=PLAIN AUTH=SCRAM-SHA-256", config.MechanismLogin, "", "LOGIN"},
		{"AUTH=PLAIN AUTH=XOAUTH2 AUTH=OAUTHBEARER", "", config.SecretOAuth, "OAUTHBEARER"},
		{"AUTH=PLAIN AUTH=XOAUTH2", "", config.SecretOAuth, "XOAUTH2"},
		{"AUTH=CRAM-MD5 LOGINDISABLED", "", "", "CRAM-MD5"},
		{"AUTH=PLAIN AUTH=CRAM-MD5", config.MechanismCRAMMD5, "", "CRAM-MD5"},
		{"AUTH=PLAIN", "", config.SecretOAuth, ""},
		{strings.TrimSpace(strings.Repeat("AUTH=ODD ", 60)), "", "", "LOGIN"},
	} {
		t.Run(fmt.Sprintf("%.40s %s %s", c.offered, c.auth, c.kind), func(t *testing.T) {
			t.Parallel()
			server := scripted.StartIMAP(t, scripted.Options{
				Certificate: scripted.Leaf(t, ca, certificates.Good, host), ImplicitTLS: true,
				CapabilitiesTLS: append([]string{"IMAP4rev1"}, strings.Fields(c.offered)...),
				Script: scripted.Script{
					"AUTHENTICATE": scripted.Reply("{tag} NO no"),
					"auth":         scripted.Reply("{tag} NO no"),
				},
			})
			a := account()
			a.Server.Auth = c.auth
			if c.kind != "" {
				a.SecretType = c.kind
			}
			if _, err := Open(t.Context(), network(t, ca, server.Addr()), a, nil); err == nil {
				t.Error("the sign-in succeeded")
			}
			got := ""
			for _, r := range server.Records() {
				words := strings.Fields(string(r.Data))
				if r.Phase == "AUTHENTICATE" && len(words) > 2 {
					got += words[2]
				}
				if r.Phase == "LOGIN" {
					got += "LOGIN"
				}
			}
			if got != c.want {
				t.Errorf("%q was tried, want %q", got, c.want)
			}
		})
	}
}

// TestInitialResponseRefused covers servers that offer SASL-IR but do not understand it, such as NetEase's (163.com,
// 126.com).
func TestInitialResponseRefused(t *testing.T) {
	t.Parallel()
	ca := scripted.StartCA(t)
	bad := scripted.Reply(`{tag} BAD Request not ending with \r\n`)
	for name, c := range map[string]struct {
		caps   string
		script scripted.Script
		kind   config.SecretType
		want   string // the first words of what was tried; "=" marks an initial response
		fails  bool
	}{
		"PLAIN": {
			caps: "SASL-IR AUTH=PLAIN", script: scripted.Script{"AUTHENTICATE#1": bad},
			want: "AUTHENTICATE PLAIN =,AUTHENTICATE PLAIN",
		},
		"PLAIN is not understood at all": {
			caps: "SASL-IR AUTH=PLAIN", script: scripted.Script{"AUTHENTICATE": bad},
			want: "AUTHENTICATE PLAIN =,AUTHENTICATE PLAIN,LOGIN",
		},
		"NO is a refusal": {
			caps: "SASL-IR AUTH=PLAIN", script: scripted.Script{"AUTHENTICATE": scripted.Reply("{tag} NO no")},
			want: "AUTHENTICATE PLAIN =", fails: true,
		},
		"NO is about the mechanism": {
			caps:   "SASL-IR AUTH=PLAIN",
			script: scripted.Script{"AUTHENTICATE": scripted.Reply("{tag} NO Unsupported authentication mechanism.")},
			want:   "AUTHENTICATE PLAIN =,LOGIN",
		},
		"BAD after the password": {
			caps: "AUTH=PLAIN", script: scripted.Script{"auth": bad}, want: "AUTHENTICATE PLAIN,LOGIN", fails: true,
		},
		"BAD about the password": {
			caps:   "AUTH=PLAIN",
			script: scripted.Script{"auth": scripted.Reply("{tag} BAD Invalid user name or password")},
			want:   "AUTHENTICATE PLAIN", fails: true,
		},
		"BAD after the second try's password": {
			caps: "SASL-IR AUTH=PLAIN", script: scripted.Script{"AUTHENTICATE#1": bad, "auth": bad},
			want: "AUTHENTICATE PLAIN =,AUTHENTICATE PLAIN,LOGIN", fails: true,
		},
		"BAD after a token's challenge": {
			caps: "SASL-IR AUTH=XOAUTH2", kind: config.SecretOAuth,
			script: scripted.Script{"AUTHENTICATE": {Reply: "+ e30=", Next: []scripted.Action{bad}}},
			want:   "AUTHENTICATE XOAUTH2 =", fails: true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := scripted.StartIMAP(t, scripted.Options{
				Certificate: scripted.Leaf(t, ca, certificates.Good, host), ImplicitTLS: true, Script: c.script,
				CapabilitiesTLS: append([]string{"IMAP4rev1"}, strings.Fields(c.caps)...),
			})
			a := account()
			if c.kind != "" {
				a.SecretType = c.kind
			}
			session, err := Open(t.Context(), network(t, ca, server.Addr()), a, nil)
			session.Close()
			if (err != nil) != c.fails {
				t.Errorf("sign-in: %v", err)
			}
			var tried []string
			for _, r := range server.Records() {
				words := strings.Fields(string(r.Data))
				switch {
				case r.Phase == "AUTHENTICATE" && len(words) == 4:
					tried = append(tried, "AUTHENTICATE "+words[2]+" =")
				case r.Phase == "AUTHENTICATE":
					tried = append(tried, "AUTHENTICATE "+words[2])
				case r.Phase == "LOGIN":
					tried = append(tried, "LOGIN")
				}
			}
			if got := strings.Join(tried, ","); got != c.want {
				t.Errorf("tried %s, want %s", got, c.want)
			}
		})
	}
}

// TestNamesItself: the client sends ID also when the server offered it only before the sign-in. NetEase opens no folder
// for a client that has sent none.
func TestNamesItself(t *testing.T) {
	t.Parallel()
	ca := scripted.StartCA(t)
	server := scripted.StartIMAP(t, scripted.Options{
		Certificate: scripted.Leaf(t, ca, certificates.Good, host), ImplicitTLS: true,
		CapabilitiesTLS: strings.Fields("IMAP4rev1 XLIST SPECIAL-USE ID LITERAL+ UIDPLUS SASL-IR AUTH=PLAIN"),
		Script: scripted.Script{
			"AUTHENTICATE#1": scripted.Reply("{tag} BAD Request not ending with \\r\\n"),
			"ID":             scripted.Reply("* ID (\"name\" \"Coremail\" \"TransID\" NIL)\n{tag} OK done"),
		},
	})
	session, err := Open(t.Context(), network(t, ca, server.Addr()), account(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	listing, err := session.Folders(t.Context())
	if err != nil || len(listing.ServerID) < 2 || listing.ServerID[1].Raw() != "Coremail" {
		t.Errorf("the server says %d words about itself, %v", len(listing.ServerID), err)
	}
}
