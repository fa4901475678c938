package imap

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"postier/internal/rehearsal/certificates"
	"postier/internal/scripted"
	"postier/internal/wire"
)

// said lists the commands of a server's first connection after the sign-in, with their arguments.
func said(server *scripted.Server) []string {
	var out []string
	for _, r := range server.Records() {
		if words := strings.SplitN(strings.TrimSpace(string(r.Data)), " ", 2); len(words) == 2 {
			out = append(out, words[1])
		}
	}
	if i := slices.IndexFunc(out, func(s string) bool { return strings.HasPrefix(s, "AUTHENTICATE") }); i >= 0 {
		out = out[i+1:]
	}
	return out
}

// TestCommandsFollowTheOffers: how folders are listed, whether ID is sent and whether a literal waits depend on what
// the server offers now, whenever it says so.
func TestCommandsFollowTheOffers(t *testing.T) {
	t.Parallel()
	ca := scripted.StartCA(t)
	const byUse, plain = `LIST "" "*" RETURN (SPECIAL-USE)`, `LIST "" "*"`
	relevant := []string{"CAPABILITY", "NAMESPACE", "ID", "LIST", "XLIST", "APPEND"}
	full := "IMAP4rev1 AUTH=PLAIN SASL-IR NAMESPACE SPECIAL-USE LITERAL+ UIDPLUS"
	for name, c := range map[string]struct {
		before, told, asked string // capabilities before the sign-in, in its completion, and when asked after it
		script              scripted.Script
		want                []string // commands after the sign-in; a literal that waits ends in }
	}{
		"told": {
			before: "IMAP4rev1 AUTH=PLAIN SASL-IR", told: full,
			want: []string{"NAMESPACE", byUse, "APPEND \"Sent\" (\\Seen) {5+}"},
		},
		"told less than before": {
			before: full, told: "IMAP4rev1",
			want: []string{plain, "APPEND \"Sent\" (\\Seen) {5}"},
		},
		"not told, all offered before": {
			before: full, asked: full,
			want: []string{"CAPABILITY", "NAMESPACE", byUse, "APPEND \"Sent\" (\\Seen) {5+}"},
		},
		"not told, little offered before": {
			before: "IMAP4rev1 AUTH=PLAIN SASL-IR", asked: "IMAP4rev1 XLIST ID",
			want: []string{"CAPABILITY", `ID ("name" "postier")`, `XLIST "" "*"`, "APPEND \"Sent\" (\\Seen) {5}"},
		},
		"not told, nothing to ask with": {
			before: "IMAP4rev1 AUTH=PLAIN SASL-IR", asked: "IMAP4rev1",
			want: []string{"CAPABILITY", plain, "APPEND \"Sent\" (\\Seen) {5}"},
		},
		"ID only after the sign-in": {
			before: full, asked: full + " ID",
			want: []string{"CAPABILITY", "NAMESPACE", byUse, `ID ("name" "postier")`, "APPEND \"Sent\" (\\Seen) {5+}"},
		},
		"ID only before the sign-in": {
			before: full + " ID", told: full,
			want: []string{`ID ("name" "postier")`, "NAMESPACE", byUse, "APPEND \"Sent\" (\\Seen) {5+}"},
		},
		"XLIST offered and refused": {
			before: "IMAP4rev1 AUTH=PLAIN SASL-IR", told: "IMAP4rev1 XLIST",
			script: scripted.Script{"XLIST": scripted.Reply("{tag} BAD what")},
			want:   []string{`XLIST "" "*"`, plain, "APPEND \"Sent\" (\\Seen) {5}"},
		},
		"CAPABILITY refused": {
			before: "IMAP4rev1 AUTH=PLAIN SASL-IR", script: scripted.Script{"CAPABILITY#2": scripted.Reply("{tag} BAD what")},
			want: []string{"CAPABILITY", plain, "APPEND \"Sent\" (\\Seen) {5}"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			script := scripted.Script{}
			if c.told != "" {
				script["auth"] = scripted.Reply("{tag} OK [CAPABILITY " + c.told + "] welcome")
			}
			if c.asked != "" {
				script["CAPABILITY#2"] = scripted.Reply("* CAPABILITY " + c.asked + "\n{tag} OK done")
			}
			maps.Copy(script, c.script)
			server := scripted.StartIMAP(t, scripted.Options{
				Certificate: scripted.Leaf(t, ca, certificates.Good, host), ImplicitTLS: true, Script: script,
				CapabilitiesTLS: strings.Fields(c.before),
			})
			session, err := Open(t.Context(), network(t, ca, server.Addr()), account(), nil)
			if err != nil {
				t.Fatal(err)
			}
			listing, err := session.Folders(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			folder := Folder{raw: "Sent"}
			if choice := listing.Sent("", nil, []string{"Sent"}); choice.Found {
				folder = choice.Folder
			}
			if _, err := session.Append(t.Context(), folder, []byte("x\r\n\r\n"), nil); err != nil {
				t.Error(err)
			}
			if len(session.Capabilities()) == 0 {
				t.Error("nothing is known of the server's capabilities")
			}
			var got []string
			for _, line := range said(server) {
				if verb, _, _ := strings.Cut(line, " "); slices.Contains(relevant, verb) {
					got = append(got, line)
				}
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("said\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
		})
	}
}

// TestResponsesThatNoCommandAskedFor: a completion is taken only for a command that was sent, however it is timed.
// Untagged responses may come at any time (RFC 9051 §7).
func TestResponsesThatNoCommandAskedFor(t *testing.T) {
	t.Parallel()
	ca := scripted.StartCA(t)
	const done = "{tag} OK done"
	later := func(text string) scripted.Action {
		return scripted.Action{Reply: done, InjectLater: text, InjectDelay: 10 * time.Millisecond}
	}
	for name, c := range map[string]struct {
		action scripted.Action
		broken bool
	}{
		"unknown tag":            {scripted.Reply("X9 OK done"), true},
		"completed twice":        {scripted.Reply(done + "\n" + done), true},
		"in advance":             {scripted.Action{Reply: done, Inject: "P5 OK done\r\n"}, true},
		"in advance, later":      {later("P5 OK done\r\n"), true},
		"continuation":           {scripted.Action{Reply: done, Inject: "+ go on\r\n"}, true},
		"continuation, later":    {later("+ go on\r\n"), true},
		"new mail":               {scripted.Action{Reply: done, Inject: "* 7 EXISTS\r\n"}, false},
		"new mail, later":        {later("* 7 EXISTS\r\n* OK still here\r\n"), false},
		"empty line":             {scripted.Action{Reply: done, Inject: "\r\n"}, false},
		"an alert, in one piece": {scripted.Reply("* OK [ALERT] soon\n" + done), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := scripted.StartIMAP(t, scripted.Options{
				Certificate: scripted.Leaf(t, ca, certificates.Good, host), ImplicitTLS: true,
				Script: scripted.Script{
					"auth":   scripted.Reply("{tag} OK [CAPABILITY IMAP4rev1] welcome"),
					"SELECT": c.action,
				},
			})
			session, err := Open(t.Context(), network(t, ca, server.Addr()), account(), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer session.Close()
			if _, err := session.Folders(t.Context()); err != nil {
				t.Fatal(err)
			}
			err = session.Select(t.Context(), Inbox())
			time.Sleep(50 * time.Millisecond) // for what comes later
			if err == nil {
				_, err = session.search(t.Context(), "ALL")
			}
			var protocol *ProtocolError
			if errors.As(err, &protocol) != c.broken || !c.broken && err != nil {
				t.Errorf("ended with %v", err)
			}
			if !c.broken && strings.HasPrefix(name, "new mail") && session.exists != 7 {
				t.Errorf("%d messages", session.exists)
			}
			var limit *wire.LimitError
			if errors.As(err, &limit) {
				t.Error(err)
			}
		})
	}
}
