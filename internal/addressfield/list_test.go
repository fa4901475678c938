package addressfield

import (
	"strings"
	"testing"
)

func TestList(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{
		"anna@durand.example":                       "anna@durand.example",
		"root":                                      "root!",
		"root (Cron Daemon)":                        "Cron Daemon/root!",
		`"(Cron Daemon)" <root>`:                    "(Cron Daemon)/root!",
		"Logwatch <Logwatch@vm>":                    "Logwatch/Logwatch@vm!",
		"mdadm monitoring <root>":                   "mdadm monitoring/root!",
		"root@localhost, www-data@host.localdomain": "root@localhost! www-data@host.localdomain!",
		"MAILER-DAEMON":                             "MAILER-DAEMON!",
		"team: a@b.example, c@b.example;":           "a@b.example c@b.example",
		"A: a@b.example;, z@b.example":              "a@b.example z@b.example",
		"undisclosed-recipients:;":                  "",
		`"b c"@example.org`:                         `"b c"@example.org`,
		"bob@[192.0.2.1]":                           "bob@[192.0.2.1]",
		"bob@[IPv6:2001:db8::1]":                    "bob@[IPv6:2001:db8::1]",
		"a..b@docomo.example":                       `"a..b"@docomo.example`,
		"dot.@docomo.example":                       `"dot."@docomo.example`,
		"info@firma.example.":                       "info@firma.example",
		`"Müller, Jörg" <joerg@example.org>`:        "Müller, Jörg/joerg@example.org",
		"=?utf-8?q?M=C3=BCller?= <m@example.org>":   "Müller/m@example.org",
		"a@x.example; b@x.example":                  "a@x.example b@x.example",
		"<@relay.example:a@x.example>":              "a@x.example",
		"a b@x.example, ok@x.example":               "ok@x.example bad:a b@x.example",
		"a@, ok@x.example, @y.example":              "ok@x.example bad:a@ bad:@y.example",
		"a@x_y.example":                             "bad:a@x_y.example",
		"|/bin/sh, /etc/passwd":                     "bad:|/bin/sh bad:/etc/passwd",
		"x@[999.1.1.1]":                             "bad:x@[999.1.1.1]",
		"\"a\\\"b, c\" <q@x.example>, d@x.example":  "a\"b, c/q@x.example d@x.example",
		"Anna (work (main), old) <anna@x.example>":  "Anna/anna@x.example",
		"Name with: colon <a@x.example>":            "colon/a@x.example",
		"evil\x1b\r\nBcc: <a@x.example>":            "a@x.example",
	} {
		list, bad := List(value)
		var got []string
		for _, a := range list {
			text := a.Address
			if a.Name != "" {
				text = a.Name + "/" + text
			}
			if a.Local {
				text += "!"
			}
			got = append(got, text)
		}
		for _, b := range bad {
			got = append(got, "bad:"+b)
		}
		if text := strings.Join(got, " "); text != want {
			t.Errorf("%q\n got %s\nwant %s", value, text, want)
		}
	}
}

func FuzzList(f *testing.F) {
	f.Add(`"a" <b@c.example>, d: e@f;, (g) h`)
	f.Fuzz(func(t *testing.T, value string) {
		list, _ := List(value)
		for _, a := range list {
			if strings.ContainsAny(a.Address+a.Name, "\r\n\x00") {
				t.Errorf("%q gives %+q", value, []string{a.Name, a.Address})
			}
		}
	})
}
