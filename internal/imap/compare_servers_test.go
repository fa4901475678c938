package imap_test

import (
	"fmt"
	"maps"
	"strings"
	"time"

	"postier/internal/scripted"
)

// message is the message that scripted servers hold under UID 7, and the one that is filed.
const message = "Message-ID: " + messageID + "\r\nSubject: copy\r\n\r\nHello.\r\n"

// server is a scripted server. Both clients must get the same results from it, unless fault says what go-imap
// v2.0.0-beta.8 does wrong there.
type server struct {
	name   string
	caps   string // besides IMAP4rev1 and AUTH=PLAIN; "-" in front leaves those out
	list   string // the untagged lines of LIST
	script scripted.Script
	token  bool // sign in with an OAuth token
	large  bool // the message is longer than LITERAL- allows
	fault  string
	// hangs marks a fault that keeps the second client from ever returning; silent one that makes it wait until the
	// connection is closed.
	hangs, silent bool
}

// The kinds of fault. Most end the session: every folder is lost, and a new session costs another sign-in.
const (
	endlessLoop    = "a parenthesis among capabilities is an endless loop"
	lostVerdict    = "AUTHENTICATE never returns when challenge and verdict come in one segment"
	refusedLiteral = "a refused literal ends the connection"
	staleError     = "after an ID response every later error is told in that response's words"
	strictNames    = "a folder's name outside the grammar ends the session"
	strictLists    = "a LIST response outside the grammar ends the session"
	strictID       = "an ID response with anything but strings ends the session"
	strictData     = "data outside the grammar ends the session"
	unknownData    = "an untagged response that the client does not know ends the session"
	openBracket    = "a bracket left open swallows what follows until the deadline"
	lostBye        = "what the server says with BYE is lost"
	noXLIST        = "XLIST cannot be asked"
)

func reply(lines string) scripted.Action { return scripted.Reply(lines) }

// on is a script with one action.
func on(phase, lines string) scripted.Script { return scripted.Script{phase: reply(lines)} }

// agreeingServers lists servers from which both clients get the same results.
func agreeingServers() []server {
	courier := "Courier-IMAP ready. Copyright 1998-2018 Double Precision, Inc.  See COPYING for distribution information."
	return []server{
		{name: "usual", caps: "SASL-IR LITERAL+ UIDPLUS SPECIAL-USE NAMESPACE ID"},
		{name: "bare"},
		{name: "LITERAL-", caps: "LITERAL-"},
		{name: "rev2", caps: "IMAP4rev2 SASL-IR"},
		{name: "LOGIN only", caps: "-IMAP4rev1"},
		{name: "large message", large: true, caps: "LITERAL+"},
		{
			name:   "capabilities in the greeting",
			script: on("greeting", "* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR] ready"),
		},
		{name: "Courier's greeting", script: on("greeting", "* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] "+courier)},
		{name: "capabilities with the OK", script: on("auth", "{tag} OK [CAPABILITY IMAP4rev1 UIDPLUS] in")},
		{name: "blanks among capabilities", script: on("CAPABILITY", "* CAPABILITY IMAP4rev1  AUTH=PLAIN \n{tag} OK done")},
		{name: "alert", script: on("auth", "* OK [ALERT] storage moves\n{tag} OK in")},
		{name: "wrong password", script: on("auth", "{tag} NO [AUTHENTICATIONFAILED] no")},
		{name: "BYE in the greeting", script: scripted.Script{"greeting": {Reply: "* BYE go away", Close: true}}},

		{name: "French folders", list: `* LIST (\Sent) "/" "&AMk-l&AOk-ments envoy&AOk-s"`, caps: "SPECIAL-USE"},
		{name: "prefix", list: "* LIST () \".\" INBOX\n* LIST (\\Sent) \".\" INBOX.Entw&APw-rfe"},
		{name: "literal name", list: "* LIST (\\Sent) \"/\" {10}\nSent Items"},
		{name: "no levels", list: `* LIST () NIL INBOX`},
		{name: "escaped name", list: `* LIST () "/" "a \"b\" \\ c"`},
		{name: "UTF-8 unasked", list: "* LIST () \"/\" \"Envoyés\""},
		{name: "&- twice", list: `* LIST () "/" "&-&-"`},
		{name: "brackets in a name", list: `* LIST (\Sent) "/" [Gmail]/Sent`},
		{name: "LIST-EXTENDED", list: `* LIST (\Sent) "/" Sent ("CHILDINFO" ("SUBSCRIBED"))`, caps: "LIST-EXTENDED"},
		{name: "attribute in lower case", list: `* LIST (\sent) "/" Sent`},
		{name: "extended LIST refused", caps: "SPECIAL-USE", script: on("LIST#1", "{tag} BAD what?")},
		{name: "LIST refused", script: on("LIST", "{tag} NO [SERVERBUG] internal error")},
		{name: "NAMESPACE refused", caps: "NAMESPACE", script: on("NAMESPACE", "{tag} NO no")},
		{name: "ID with nothing", caps: "ID", script: on("ID", "* ID NIL\n{tag} OK done")},

		{name: "mailbox full", script: on("APPEND", "{tag} NO [OVERQUOTA] Quota exceeded")},
		{name: "no folder", script: on("APPEND", "{tag} NO [TRYCREATE] no such mailbox")},
		{name: "APPEND not understood", script: on("APPEND", "{tag} BAD what?")},
		{name: "bare OK", script: on("APPEND", "{tag} OK")},
		{name: "bare NO", script: on("APPEND", "{tag} NO")},
		{name: "a foreign tag", script: on("APPEND", "x1 OK done")},
		{name: "SELECT refused", script: on("SELECT", "{tag} NO [NONEXISTENT] Unknown Mailbox")},
		{
			name:   "NetEase's refusal",
			script: on("SELECT", "{tag} NO SELECT Unsafe Login. Please contact kefu@188.com for help"),
		},
		{name: "nothing found", script: scripted.Script{
			"UID SEARCH": reply("* SEARCH\n{tag} OK done"), "FETCH": reply("{tag} OK done"),
		}},
		{name: "SEARCH with MODSEQ", script: on("UID SEARCH", "* SEARCH 7 (MODSEQ 9)\n{tag} OK done")},
		{name: "body in quotes", script: on("UID FETCH", "* 1 FETCH (UID 7 BODY[] \"abc\")\n{tag} OK done")},
		{name: "FETCH in lower case", script: on("UID FETCH", "* 1 FETCH (uid 7 body[] {5}\nabcde)\n{tag} OK done")},
	}
}

// faultyServers lists servers with which go-imap's client fails and ours succeeds.
func faultyServers() []server {
	const token = "-IMAP4rev1 SASL-IR AUTH=OAUTHBEARER"
	names := func(name, list string) server { return server{name: name, list: list, fault: strictNames} }
	lists := func(name, list string) server { return server{name: name, list: list, fault: strictLists} }
	data := func(name, phase, lines string) server {
		return server{name: name, script: on(phase, lines), fault: strictData}
	}
	return []server{
		{
			name: "challenge and NO in one segment", caps: token, token: true, fault: lostVerdict, hangs: true, silent: true,
			script: on(
				"AUTHENTICATE", "+ eyJzdGF0dXMiOiI0MDEifQ==\n{tag} NO [AUTHENTICATIONFAILED] no"),
		},
		{name: "literal refused", large: true, fault: refusedLiteral, script: on("literal", "{tag} NO [TRYCREATE] no")},
		{name: "reset after ID", caps: "ID", fault: staleError, script: scripted.Script{
			"ID": reply("* ID (\"name\" \"x\")\n{tag} OK done"), "APPEND": {Reset: true},
		}},

		names("Yandex: & inside base64", `* LIST () "/" "&BBAEMQQyACYEMwQ0BDU-"`),
		names("Exchange 2007: a tab", "* LIST () \"/\" \"a\tb\""),
		names("Latin-1", "* LIST () \"/\" \"Envoy\xe9s\""),
		names("& that encodes nothing", `* LIST () "/" "R&D"`),
		names("bad base64", `* LIST () "/" "&!!!-"`),
		names("ASCII in base64", `* LIST () "/" "&AGE-"`),
		names("two shifts in a row", `* LIST () "/" "&AMk-&AMk-"`),
		names("odd octets in base64", `* LIST () "/" "&AGEA-"`),
		names("a blank without quotes", `* LIST (\Sent) "/" Sent Items`),
		names("a backslash without quotes", `* LIST () "\\" Sent\Old`),
		names("a literal with a client's sign", "* LIST () \"/\" {4+}\nSent"),

		lists("empty separator", `* LIST () "" INBOX`),
		lists("separator of two characters", `* LIST () "//" INBOX`),
		lists("nil in lower case", `* LIST () nil INBOX`),
		lists("attribute in quotes", `* LIST ("\\Sent") "/" Sent`),
		lists("two blanks", `* LIST (\Sent)  "/"  Sent`),
		lists("blanks in a list", `* LIST ( \Sent ) "/" Sent`),
		lists("empty line", "* LIST (\\Sent) \"/\" Sent\n"),

		{name: "Coremail's ID", caps: "ID", fault: strictID, script: on(
			"ID", "* ID (\"name\" \"Coremail\" \"TransID\" NIL)\n{tag} OK done")},
		{name: "ID with atoms", caps: "ID", fault: strictID, script: on("ID", "* ID (name x)\n{tag} OK done")},

		{name: "XWELCOME", fault: unknownData, script: on("auth", "* XWELCOME hello\n{tag} OK in")},
		{name: "LSUB unasked", fault: unknownData, list: "* LSUB () \"/\" INBOX\n* LIST () \"/\" INBOX"},
		{
			name: "VANISHED unasked", fault: unknownData,
			script: on("SELECT", "* 1 EXISTS\n* VANISHED (EARLIER) 1:5\n{tag} OK done"),
		},

		{name: "open bracket", fault: openBracket, silent: true, script: on("SELECT", "* OK [UNSEEN 4\n{tag} OK done")},
		{
			name: "open bracket in a refusal", fault: openBracket, silent: true,
			script: on("APPEND", "{tag} NO [quota exceeded, sorry"),
		},

		data("quoted capability", "CAPABILITY", "* CAPABILITY IMAP4rev1 AUTH=PLAIN \"X\"\n{tag} OK done"),
		data("APPENDUID of one number", "APPEND", "{tag} OK [APPENDUID 1] done"),
		data("APPENDUID of words", "APPEND", "{tag} OK [APPENDUID x y] done"),
		data("brackets in a flag", "SELECT", "* 1 EXISTS\n* FLAGS (\\Seen [x])\n{tag} OK done"),
		data("brackets in a message's flag", "UID FETCH", "* 1 FETCH (UID 7 FLAGS ([x]) BODY[] {5}\nabcde)\n{tag} OK done"),
		data("unknown attribute", "UID FETCH", "* 1 FETCH (UID 7 X-ODD 5 BODY[] {5}\nabcde)\n{tag} OK done"),
		data("blanks in FETCH", "UID FETCH", "* 1 FETCH (UID 7  BODY[] {5}\nabcde )\n{tag} OK done"),
		{
			name: "NAMESPACE cut short", caps: "NAMESPACE", fault: strictData,
			script: on("NAMESPACE", "* NAMESPACE ((\"\" \"/\")) NIL\n{tag} OK done"),
		},

		{name: "BYE in LIST", fault: lostBye, script: scripted.Script{"LIST": {Reply: "* BYE shutting down", Close: true}}},
		{name: "XLIST", fault: noXLIST, script: scripted.Script{
			"auth":  reply("{tag} OK [CAPABILITY IMAP4rev1 XLIST] in"),
			"XLIST": reply("* XLIST (\\Sent) \"/\" Sent\n{tag} OK done"), "LIST": reply("* LIST () \"/\" Sent\n{tag} OK done"),
		}},
	}
}

// loopingServers lists servers with which go-imap's client loops until its process ends.
func loopingServers() []server {
	return []server{
		{name: "CAPABILITY", fault: endlessLoop, hangs: true, silent: true, script: on(
			"CAPABILITY", "* CAPABILITY IMAP4rev1 AUTH=PLAIN (x)\n{tag} OK done")},
		{name: "greeting", fault: endlessLoop, hangs: true, silent: true, script: on(
			"greeting", "* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN (x)] ready")},
	}
}

func (s server) start(t scripted.TB) job {
	script := scripted.Script{
		"UID SEARCH": reply("* SEARCH 7\n{tag} OK done"),
		"UID FETCH": reply(fmt.Sprintf("* 1 FETCH (UID 7 BODY[] {%d}\n%s)\n{tag} OK done", len(message),
			strings.ReplaceAll(message, "\r\n", "\n"))),
	}
	if s.list != "" {
		script["LIST"] = reply(s.list + "\n{tag} OK done")
	}
	maps.Copy(script, s.script)
	caps, bare := strings.CutPrefix(s.caps, "-")
	if !bare {
		caps = "IMAP4rev1 AUTH=PLAIN " + caps
	}
	j := job{
		Name: s.name, Username: "marie", Secret: "geheim", Token: s.token, Folder: "INBOX", Message: message,
		Deadline: 20 * time.Second,
		Address:  scripted.StartIMAP(t, scripted.Options{Script: script, Capabilities: strings.Fields(caps)}).Addr(),
	}
	if s.large {
		j.Message += strings.Repeat("0123456789abcdef\r\n", 300)
	}
	if s.silent {
		j.Deadline = 600 * time.Millisecond
	}
	return j
}
