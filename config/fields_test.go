package config_test

import (
	"math"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"postier/config"
	"postier/internal/locale"
)

// verdicts runs a validator over values; "" means accepted.
func verdicts(t *testing.T, validate func(string) locale.Text, want map[string]string) {
	t.Helper()
	for value, key := range want {
		text := validate(value)
		if got := strings.TrimPrefix(text.Key, "config."); got != key {
			t.Errorf("%.60q: got %q, want %q", value, got, key)
		}
		if !text.Empty() {
			says(t, text)
		}
	}
}

func TestValidateAddress(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 64)
	domain := strings.Repeat(strings.Repeat("b", 46)+".", 4)
	verdicts(t, config.ValidateAddress, map[string]string{
		"marie@durand.example":          "",
		"o'brien+tag@sub.example.com":   "",
		"-x@y.example":                  "",
		"Marie@DURAND.example":          "",
		"müller@example.com":            "",
		"用户@例子.example":                 "",
		"x@xn--drand-kva.example":       "",
		"root@localhost":                "",
		`"john..doe"@example.com`:       "",
		`"a@b"@example.com`:             "",
		long + "@example.com":           "",
		"a@" + domain + "com":           "",
		"":                              "address.empty",
		" marie@durand.example":         "edge_blank",
		"marie@durand.example ":         "edge_blank",
		"marie":                         "address.at",
		"@durand.example":               "address.local",
		"marie@":                        "address.domain",
		"a@b@c.example":                 "address.two_at",
		"a b@c.example":                 "address.character",
		"a,b@c.example":                 "address.character",
		"a\\b@c.example":                "address.character",
		".a@b.example":                  "address.dots",
		"a.@b.example":                  "address.dots",
		"a..b@c.example":                "address.dots",
		"Marie <a@b.example>":           "address.name",
		"<a@b.example>":                 "address.name",
		long + "a@example.com":          "address.local_long",
		long + "@" + domain + "com":     "address.long",
		`"a b> SIZE=1"@x.example`:       "address.quoted",
		`"a<b"@x.example`:               "address.quoted",
		`"a\"b"@x.example`:              "address.quoted",
		`""@x.example`:                  "address.quoted",
		`"a@x.example`:                  "address.quoted",
		`"ü"@x.example`:                 "address.quoted",
		"a@b":                           "domain.short",
		"a@[192.0.2.1]":                 "domain.malformed",
		"a@-b.example":                  "domain.malformed",
		"a@b..example":                  "domain.malformed",
		"a@b.example.":                  "domain.malformed",
		"a@b_c.example":                 "domain.malformed",
		"a@b c.example":                 "domain.malformed",
		"a@1.2.3.4":                     "domain.malformed",
		"a\n@b.example":                 "control",
		"a@b.example\r\nDATA":           "control",
		"a\x00@b.example":               "control",
		"a@b\x7f.example":               "control",
		"a\u202e@b.example":             "control",
		"a\u200b@b.example":             "control",
		"a\xff@b.example":               "control",
		strings.Repeat("a", 1<<16):      "address.long",
		"a@" + strings.Repeat("é", 120): "domain.malformed",
	})
}

func TestValidateHostAndDomain(t *testing.T) {
	t.Parallel()
	verdicts(t, config.ValidateHost, map[string]string{
		"smtp.example.com":                   "",
		"SMTP.Example.COM":                   "",
		"mail":                               "",
		"mail_server.internal":               "",
		"smtp.müller.example":                "",
		"192.0.2.1":                          "",
		"2001:db8::1":                        "",
		"::1":                                "",
		"3com.example":                       "",
		"":                                   "host.empty",
		" smtp.example.com":                  "edge_blank",
		"smtps://x.example":                  "host.scheme",
		"x.example:587":                      "host.port",
		"x.example:":                         "host.port",
		"marie@example.com":                  "host.address",
		"[2001:db8::1]":                      "host.brackets",
		"fe80::1%eth0":                       "host.zone",
		"x example":                          "host.malformed",
		"x..example":                         "host.malformed",
		"x.example.":                         "host.malformed",
		"-x.example":                         "host.malformed",
		"x-.example":                         "host.malformed",
		"192.0.2.300":                        "host.malformed",
		"192.0.2":                            "host.malformed",
		"x/y.example":                        "host.malformed",
		"xn--zzzzzzzz99999.test":             "host.malformed",
		strings.Repeat("a", 64) + ".example": "host.malformed",
		strings.Repeat("a.", 200) + "b":      "host.malformed",
		strings.Repeat("ü", 1<<16):           "host.malformed",
		"x.example\x00":                      "control",
		"x\u200d.example":                    "control",
		"x.example\r\n":                      "edge_blank",
	})
	verdicts(t, config.ValidateDomain,
		map[string]string{
			"example.com": "", "müller.example": "", "localhost": "", "": "domain.empty", "com": "domain.short",
			"a_b.example": "domain.malformed", "x ": "edge_blank", "a\tb.c": "control",
		})
	verdicts(t, config.ValidateSender,
		map[string]string{
			"example.com": "", "a@example.com": "", "@example.com": "sender.at", "": "domain.empty",
			"a b@c.example": "address.character",
		})
	for host, want := range map[string]string{
		"SMTP.Müller.example": "smtp.xn--mller-kva.example",
		"192.0.2.1":           "192.0.2.1", "2001:DB8:0::1": "2001:db8::1", "straße.example": "xn--strae-oqa.example",
		"ＡＢ.example": "ab.example",
	} {
		if got, ok := config.HostASCII(host); got != want || !ok {
			t.Errorf("%s: got %q, %v", host, got, ok)
		}
	}
	if got := config.AddressASCIIDomain("Jürg@Müller.example"); got != "Jürg@xn--mller-kva.example" {
		t.Errorf("got %q", got)
	}
	if got := config.AddressASCIIDomain("nobody"); got != "nobody" {
		t.Errorf("got %q", got)
	}
	if got := config.AddressDomain(`"a@b"@c.example`); got != "c.example" {
		t.Errorf("got %q", got)
	}
}

func TestValidateOtherFields(t *testing.T) {
	t.Parallel()
	verdicts(t, config.ValidateName,
		map[string]string{
			"durand": "", "a": "", "0-_": "", strings.Repeat("a", 64): "", "": "name.empty",
			strings.Repeat("a", 65): "name.long", "Durand": "name.malformed", "-a": "name.malformed", "a.b": "name.malformed",
			"a/b": "name.malformed", "é": "name.malformed", "..": "name.malformed",
		})
	verdicts(t, config.ValidateFolder,
		map[string]string{
			"Envoyés": "", "INBOX.Sent": "", "[Gmail]/Sent Mail": "", "a{3}": "", `Sent" ("\Seen")`: "",
			"": "folder.empty", " x": "edge_blank", "a\r\nb": "control", "a\x00": "control",
			strings.Repeat("a", 256): "folder.long",
		})
	verdicts(t, config.ValidateUsername,
		map[string]string{
			"a": "", "DOMAIN\\user": "", "a b": "", "": "username.empty", "a ": "edge_blank",
			"a\x00b": "control", strings.Repeat("a", 256): "username.long",
		})
	verdicts(t, config.ValidateHelo,
		map[string]string{
			"pc.example": "", "[192.0.2.1]": "", "[IPv6:2001:db8::1]": "", "192.0.2.1": "helo.literal",
			"[x]": "helo.literal", "[": "host.brackets", "": "host.empty", "a b": "host.malformed",
		})
	verdicts(t, config.ValidatePath,
		map[string]string{
			"/a": "", "secrets/x": "", "": "path.empty", "../x": "path.outside", "a/../../x": "path.outside",
			"a\nb": "control", strings.Repeat("a", 4097): "path.long",
		})
	verdicts(t, config.ValidatePin,
		map[string]string{
			strings.Repeat("a1", 32): "", strings.Repeat("A1", 32): "pin.malformed", "": "pin.malformed",
			strings.Repeat("g1", 32): "pin.malformed",
		})
	verdicts(t, config.ValidateText,
		map[string]string{"": "", "Müller & Söhne": "", "a\tb": "control", strings.Repeat("a", 201): "text.long"})
	command := func(line string) locale.Text { return config.ValidateCommand(strings.Split(line, "|")) }
	verdicts(t, command, map[string]string{
		"/usr/bin/pass|show|x y": "", "pass": "command.absolute",
		"": "command.absolute", "/a|b\nc": "control", "/a" + strings.Repeat("|", 64): "too_many",
		"/a|" + strings.Repeat("x", 4097): "text.long",
	})
	for port, want := range map[int]string{
		1: "", 65535: "", 0: "config.port.range", 65536: "config.port.range",
		-1: "config.port.range",
	} {
		if got := config.ValidatePort(port).Key; got != want {
			t.Errorf("%d: got %q", port, got)
		}
	}
	for _, seconds := range []float64{-0.1, 86400.1, math.NaN(), math.Inf(1)} {
		if config.ValidateWait(seconds).Empty() {
			t.Errorf("%v was accepted", seconds)
		}
	}
}

func TestParseNumbers(t *testing.T) {
	t.Parallel()
	port := func(s string) locale.Text { _, text := config.ParsePort(s); return text }
	verdicts(t, port, map[string]string{
		" 587 ": "", "": "port.empty", "x": "port.number", "5 8": "port.number",
		"+5": "port.number", "-5": "port.number", "0": "port.range", "65536": "port.range",
		"99999999999999999999": "port.range", "٥٨٧": "port.number",
	})
	wait := func(s string) locale.Text { _, text := config.ParseWait(s); return text }
	verdicts(t, wait, map[string]string{
		"": "", "0": "", "15.5": "", "15,5": "", ".5": "", "1,5,5": "wait.range",
		"1.2.3": "wait.range", "1e3": "wait.range", "inf": "wait.range", "nan": "wait.range", "0x1p4": "wait.range",
		"-1": "wait.range", "86401": "wait.range", ".": "wait.range", "1_0": "wait.range",
	})
	limit := func(s string) locale.Text { _, text := config.ParseLimit(s); return text }
	verdicts(t, limit, map[string]string{
		"": "", "0": "", "500": "", "-1": "limit.range", "+1": "limit.range",
		"1.5": "limit.range", "1000000001": "limit.range", "99999999999999999999": "limit.range",
	})
}

func TestSlug(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"Cabinet Müller & Fils": "cabinet-muller-fils", "  Straße 5 ": "strasse-5", "": "mail", "日本": "mail", "---": "mail",
		"a_b.c":                   "a-b-c",
		strings.Repeat("ab ", 50): strings.Repeat("ab-", 21) + "a", strings.Repeat("é", 500): strings.Repeat("e", 64),
		"ＡＢ": "ab",
	} {
		got := config.Slug(text)
		if got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
		if !config.ValidateName(got).Empty() {
			t.Errorf("%q is no name", got)
		}
	}
}

func TestPortField(t *testing.T) {
	t.Parallel()
	n, half, zero := 12, 15.5, 0
	for in, want := range map[string]config.PortField{
		"": {}, "  ": {}, // the usual port (C-1)
		"AUTH:LOGIN CONN:STARTTLS": {0, config.MechanismLogin, config.SecurityStartTLS, nil, nil},
		"587":                      {Port: 587},
		"587 AUTH:LOGIN CONN:STARTTLS LIMITE:12 WAIT:15.5": {587, config.MechanismLogin, config.SecurityStartTLS, &n, &half},
		"587 wait:15,5 limit:12 conn:starttls auth:login":  {587, config.MechanismLogin, config.SecurityStartTLS, &n, &half},
		"\t465  AUTH: AUTO   CONN: SSL_TLS ":               {465, config.MechanismAuto, config.SecurityTLS, nil, nil},
		"465 CONN:TLS":                                     {465, "", config.SecurityTLS, nil, nil},
		"25 AUTH:NONE CONN:PLAINTEXT":                      {25, config.MechanismNone, config.SecurityNone, nil, nil},
		"25 AUTH:CRAM-MD5 CONN:AUTO LIMITE:0":              {25, config.MechanismCRAMMD5, config.SecurityAuto, &zero, nil},
		"25 AUTH:XOAUTH2":                                  {25, config.MechanismXOAuth2, "", nil, nil},
		"25 AUTH:NTLM":                                     {25, config.MechanismNTLM, "", nil, nil},
		"25 AUTH:PLAIN":                                    {25, config.MechanismPlain, "", nil, nil},
		"25 AUTH:SCRAM_SHA_256":                            {25, config.MechanismSCRAMSHA256, "", nil, nil},
	} {
		got, text := config.ParsePortField(in)
		if !text.Empty() || !reflect.DeepEqual(got, want) {
			t.Errorf("%q: got %+v, %s", in, got, text.Key)
		}
		again, text := config.ParsePortField(portField(got))
		if !text.Empty() || !reflect.DeepEqual(again, got) {
			t.Errorf("%q does not survive its own format %q", in, portField(got))
		}
	}
	const exact = "587 AUTH:LOGIN CONN:STARTTLS LIMITE:12 WAIT:15.5"
	if got, _ := config.ParsePortField(exact); portField(got) != exact {
		t.Errorf("got %q", portField(got))
	}
	refuse := func(s string) locale.Text { _, text := config.ParsePortField(s); return text }
	verdicts(t, refuse, map[string]string{
		"AUTH:LOGIN 587": "portfield.word", "0": "port.range", "587 LOGIN": "portfield.word",
		"587 AUTH:": "portfield.auth", "587 AUTH:DIGEST": "portfield.auth", "587 SSL:ON": "portfield.word",
		"587 AUTH:LOGIN AUTH:PLAIN": "portfield.twice", "587 CONN:AUTO CONN:AUTO": "portfield.twice",
		"587 LIMITE:1 LIMIT:2": "portfield.twice",
		"587 WAIT:1 WAIT:1":    "portfield.twice", "587 LIMITE:x": "limit.range", "587 LIMITE:": "limit.range",
		"587 WAIT:":    "wait.range",
		"587 WAIT:1e9": "wait.range", "587 LIMITE:-1": "limit.range", strings.Repeat(" ", 300): "portfield.long",
	})
	server := config.Server{Port: 25, Security: config.SecurityTLS, Auth: config.MechanismPlain}
	batch := config.Batch{Messages: 3, WaitSeconds: 4}
	config.PortField{Port: 587}.Apply(&server, &batch)
	if server.Port != 587 || server.Security != config.SecurityTLS || server.Auth != config.MechanismPlain ||
		batch.Messages != 3 {
		t.Errorf("what is not mentioned stays: %+v %+v", server, batch)
	}
	full, _ := config.ParsePortField(exact)
	full.Apply(&server, &batch)
	if server.Port != 587 || server.Security != config.SecurityStartTLS || server.Auth != config.MechanismLogin ||
		batch.Messages != 12 || batch.WaitSeconds != 15.5 {
		t.Errorf("got %+v %+v", server, batch)
	}
}

// TestNoPortIsTheUsualOne: 25, as C-1 wants it; 465 where TLS begins with the first byte, which port 25 does not speak.
func TestNoPortIsTheUsualOne(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		text string
		mode config.Security
		smtp int
		imap int
	}{
		{"", config.SecurityAuto, 25, 993},
		{" ", config.SecurityStartTLS, 25, 143},
		{"", config.SecurityTLS, 465, 993},
		{"", config.SecurityNone, 25, 143},
		{"CONN:SSL_TLS", config.SecurityAuto, 465, 0},
		{"CONN:AUTO AUTH:PLAIN", config.SecurityTLS, 25, 0},
		{"2525", config.SecurityTLS, 2525, 2525},
	} {
		server := config.Server{Port: 587, Security: row.mode}
		if row.imap != 0 {
			if port, text := server.IMAPPort(row.text); port != row.imap || !text.Empty() {
				t.Errorf("%q with %s: mailbox on %d, %s", row.text, row.mode, port, text.Key)
			}
		}
		field, _ := config.ParsePortField(row.text)
		if field.Apply(&server, new(config.Batch)); server.Port != row.smtp {
			t.Errorf("%q with %s: %d", row.text, row.mode, server.Port)
		}
	}
}

// portField writes a field as the manual does; what it does not mention is left out.
func portField(p config.PortField) string {
	var field string
	if p.Port != 0 {
		field = strconv.Itoa(p.Port)
	}
	if p.Auth != "" {
		field += " AUTH:" + strings.ToUpper(strings.ReplaceAll(string(p.Auth), "-", "_"))
	}
	if p.Security != "" {
		field += " CONN:" + map[config.Security]string{
			config.SecurityAuto: "AUTO", config.SecurityNone: "PLAINTEXT",
			config.SecurityTLS: "SSL_TLS", config.SecurityStartTLS: "STARTTLS",
		}[p.Security]
	}
	if p.Messages != nil {
		field += " LIMITE:" + strconv.Itoa(*p.Messages)
	}
	if p.WaitSeconds != nil {
		field += " WAIT:" + strconv.FormatFloat(*p.WaitSeconds, 'f', -1, 64)
	}
	return field
}

func TestRoute(t *testing.T) {
	t.Parallel()
	on := func(address string, senders ...string) *config.Profile {
		return &config.Profile{Enabled: true, From: config.Address{Address: address}, Senders: senders}
	}
	off := on("off@off.example", "off.example")
	off.Enabled = false
	f := &config.File{Default: "main", Fallback: "platform", Profiles: map[string]*config.Profile{
		"main": on("info@main.example"), "shop": on("shop@shop.example", "shop.example", "both.example", "vip@main.example"),
		"alpha": on("a@alpha.example", "both.example", "müller.example"), "off": off, "platform": on("x@platform.example"),
	}}
	check := func(address, name string, reason config.RouteReason) {
		t.Helper()
		if gotName, gotReason := config.Route(f, address); gotName != name || gotReason != reason {
			t.Errorf("%s: got %s by %s, want %s by %s", address, gotName, gotReason, name, reason)
		}
	}
	check("vip@main.example", "shop", config.RouteAddress)
	check("VIP@Main.Example", "shop", config.RouteAddress)
	check("shop@shop.example", "shop", config.RouteAddress)
	check("else@shop.example", "shop", config.RouteDomain)
	check("x@both.example", "alpha", config.RouteDomain)
	check("x@xn--mller-kva.example", "alpha", config.RouteDomain)
	check("x@sub.shop.example", "main", config.RouteDefault)
	check("off@off.example", "main", config.RouteDefault)
	check("nonsense", "main", config.RouteDefault)
	check("", "main", config.RouteDefault)
	f.Default = "shop"
	check("x@both.example", "shop", config.RouteDomain)
	f.Profiles["shop"].Enabled = false
	check("x@y.example", "platform", config.RouteFallback)
	check("x@both.example", "alpha", config.RouteDomain)
	f.Fallback = ""
	check("x@y.example", "", config.RouteNone)
}
