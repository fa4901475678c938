package discovery

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"postier/config"
	"postier/internal/scripted"
	"postier/internal/wire"
	"postier/presets"
)

const webZone = soa + `durand.example. 300 IN A 192.0.2.1
autoconfig.durand.example. 300 IN A 192.0.2.1
autodiscover.durand.example. 300 IN A 192.0.2.1
ua-auto-config.durand.example. 300 IN A 192.0.2.1
mail.durand.example. 300 IN A 192.0.2.2
mail.elsewhere.example. 300 IN A 192.0.2.3
autoconfig.elsewhere.example. 300 IN A 192.0.2.3
`

func TestAutoconfig(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ host, path string }{
		{"autoconfig.durand.example", "/mail/config-v1.1.xml"},
		{"durand.example", "/.well-known/autoconfig/mail/config-v1.1.xml"},
	} {
		t.Run(tt.host, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, webZone)
			b.web(tt.host, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != tt.path || r.URL.RawQuery != "" {
					http.NotFound(w, r)
					return
				}
				_, _ = w.Write([]byte(clientConfig("mail.%EMAILDOMAIN%", "587", "STARTTLS", "%EMAILADDRESS%")))
			})
			c := b.best()
			if c.Origin != OriginAutoconfig || c.Via != tt.host || c.Confidence != presets.Likely || len(c.Confirm) != 0 {
				t.Errorf("%+v", c)
			}
			if server(c.SMTP) != "mail.durand.example:587 starttls "+address ||
				server(c.IMAP) != "mail.durand.example:993 tls "+address {
				t.Errorf("%+v %+v", c.SMTP, c.IMAP)
			}
			if c.Name != "durand.example" {
				t.Errorf("a stranger's words became the name: %q", c.Name)
			}
		})
	}
}

func TestUserNamesOfAFile(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"%EMAILADDRESS%":                       "{address}",
		"":                                     "{address}",
		"%EMAILLOCALPART%":                     "{local}",
		"%EMAILLOCALPART%@login.%EMAILDOMAIN%": "{local}@login.{domain}",
		`DURAND\%EMAILLOCALPART%`:              `DURAND\{local}`,
	} {
		if got, ok := userRule(text); !ok || got != want {
			t.Errorf("%q: %q %v", text, got, ok)
		}
	}
	for _, text := range []string{
		"admin", "%UNKNOWN%", "%EMAILADDRESS%\r\nX", "%EMAILADDRESS% \u202e",
		"%EMAILLOCALPART%{address}", "%EMAILADDRESS%\x1b[2J",
	} {
		if got, ok := userRule(text); ok {
			t.Errorf("%q was taken as %q", text, got)
		}
	}
}

// TestHostileFiles reads every shape of file in testdata and some too large for it: nothing is found, nothing is spent.
func TestHostileFiles(t *testing.T) {
	t.Parallel()
	files := map[string]string{
		"endless siblings":    "<clientConfig>" + strings.Repeat("<a/>", 200_000) + "</clientConfig>",
		"elements":            "<clientConfig>" + strings.Repeat("<a/>", maxElements+1) + "</clientConfig>",
		"depth":               strings.Repeat("<clientConfig>", maxDepth+2) + strings.Repeat("</clientConfig>", maxDepth+2),
		"attributes":          "<clientConfig " + attributes(500_000) + "/>",
		"attributes in limit": "<clientConfig " + attributes(20_000) + "/>",
		"one endless text": "<clientConfig><emailProvider>" + strings.Repeat("x", 20<<20) +
			"</emailProvider></clientConfig>",
		"no end":     clientConfig("mail.durand.example", "465", "SSL", "%EMAILADDRESS%")[:700],
		"a page":     "<!DOCTYPE html><html><head><title>Welcome</title></head><body><p>It works<br></body></html>",
		"empty":      "",
		"zero bytes": strings.Repeat("\x00", 1000),
	}
	corpus, err := filepath.Glob("testdata/autoconfig/*.xml")
	if err != nil || len(corpus) < 15 {
		t.Fatalf("%d files of the corpus, %v", len(corpus), err)
	}
	for _, name := range corpus {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		files[filepath.Base(name)] = string(data)
	}
	// Here only one value is unusable, and the rest is kept: see TestUnusableValuesCostOnlyThemselves.
	maps.DeleteFunc(files, func(name, _ string) bool {
		for _, kind := range []string{"port-", "socket-", "user-"} {
			if strings.HasPrefix(name, kind) {
				return true
			}
		}
		return false
	})
	f := &finder{address: address, domain: "durand.example", book: presets.Default()}
	for name, text := range files {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		start := time.Now()
		var c Candidate
		if f.clientConfig([]byte(text[:min(len(text), maxBody)]), &c) {
			t.Errorf("%s gave %+v", name, c.SMTP)
		}
		runtime.ReadMemStats(&after)
		if spent := after.TotalAlloc - before.TotalAlloc; spent > 64<<20 {
			t.Errorf("%s cost %d MiB", name, spent>>20)
		}
		if took := time.Since(start); took > 2*time.Second {
			t.Errorf("%s took %s", name, took)
		}
	}
}

// TestUnusableValuesCostOnlyThemselves: a port, a kind of TLS or a user name that cannot be used is replaced by the
// usual one, and one bad host leaves the other servers. Nothing of what was written there gets further.
func TestUnusableValuesCostOnlyThemselves(t *testing.T) {
	t.Parallel()
	f := &finder{address: address, domain: "durand.example", book: presets.Default()}
	one := func(kind, host, port, socket, user string) string {
		return "<" + kind + "><hostname>" + host + "</hostname><port>" + port + "</port><socketType>" + socket +
			"</socketType><username>" + user + "</username></" + strings.Fields(kind)[0] + ">"
	}
	const out, in = `outgoingServer type="smtp"`, `incomingServer type="imap"`
	const host, all = "mail.durand.example", "%EMAILADDRESS%"
	cases := map[string]struct {
		text, smtp, imap string
		note             string
	}{
		"both ports": {
			one(out, host, "x", "SSL", all) + one(in, host, "", "STARTTLS", all),
			host + ":465 tls " + address, host + ":143 starttls " + address, "discovery.note.port",
		},
		"port of STARTTLS": {
			one(out, host, "99999", "starttls", all), host + ":587 starttls " + address, "",
			"discovery.note.port",
		},
		"kind of TLS": {
			one(out, host, "587", "maybe", all), host + ":587 starttls " + address, "",
			"discovery.note.port",
		},
		"fixed name": {
			one(out, host, "465", "SSL", "apikey") + one(in, host, "993", "ssl", all),
			host + ":465 tls " + address, host + ":993 tls " + address, "discovery.note.user",
		},
		"unknown words": {
			one(out, host, "465", "SSL", "%REALNAME%"), host + ":465 tls " + address, "",
			"discovery.note.user",
		},
		"bad mailbox": {
			one(out, host, "465", "SSL", all) + one(in, "192.0.2.1", "993", "SSL", all),
			host + ":465 tls " + address, "", "",
		},
		"one bad host": {
			one(out, "bad host", "465", "SSL", all) + one(out, host, "587", "STARTTLS", all),
			host + ":587 starttls " + address, "", "",
		},
		"international": {
			one(out, "mail.bücher.example", "465", "SSL", all),
			"mail.xn--bcher-kva.example:465 tls " + address, "", "",
		},
	}
	var corpus []string
	for _, kind := range []string{"port", "socket", "user"} {
		found, err := filepath.Glob("testdata/autoconfig/" + kind + "-*.xml")
		if err != nil || len(found) < 2 {
			t.Fatalf("%d files of the corpus, %v", len(found), err)
		}
		corpus = append(corpus, found...)
	}
	for _, name := range corpus {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var c Candidate
		if f.clientConfig(data, &c) && server(c.SMTP) != host+":465 tls "+address {
			t.Errorf("%s gave %s", name, server(c.SMTP))
		}
	}
	for name, row := range cases {
		var c Candidate
		if !f.clientConfig([]byte("<clientConfig><emailProvider>"+row.text+"</emailProvider></clientConfig>"), &c) {
			t.Errorf("%s: nothing is left", name)
			continue
		}
		imap := ""
		if len(c.IMAP) > 0 {
			imap = server(c.IMAP)
		}
		if server(c.SMTP) != row.smtp || imap != row.imap {
			t.Errorf("%s: %s, %s", name, server(c.SMTP), imap)
		}
		if noted := len(c.Notes) > 0 && c.Notes[0].Msg.Key == row.note; noted != (row.note != "") {
			t.Errorf("%s: notes %+v", name, c.Notes)
		}
	}
}

func attributes(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `a%d="" `, i)
	}
	return b.String()
}

func TestCapsOverTheWire(t *testing.T) {
	t.Parallel()
	good := clientConfig("mail.durand.example", "465", "SSL", "%EMAILADDRESS%")
	for name, handler := range map[string]http.HandlerFunc{
		"gzip bomb": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			for range 1024 { // 64 MiB unpacked: the reader stops long before
				if _, err := z.Write(bytes.Repeat([]byte(" "), 64<<10)); err != nil {
					return
				}
			}
			_, _ = z.Write([]byte(good))
			_ = z.Close()
		},
		"one octet too many": answer(good + strings.Repeat(" ", maxBody+1-len(good))),
		"not found": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(404)
			_,
				_ = w.Write([]byte(good))
		},
		"sign-in wanted": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("WWW-Authenticate", "Basic realm=x")
			w.WriteHeader(401)
			_, _ = w.Write([]byte(good))
		},
		"endless header": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Long", strings.Repeat("x", wire.MaxHeader+1<<16))
			_, _ = w.Write([]byte(good))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, webZone)
			b.web("autoconfig.durand.example", handler)
			if list := b.find(); len(list) != 0 {
				t.Errorf("%+v", list[0])
			}
		})
	}
	t.Run("exactly the limit, packed", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, webZone)
		b.web("autoconfig.durand.example", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			_, _ = z.Write([]byte(good + strings.Repeat(" ", maxBody-len(good))))
			_ = z.Close()
		})
		if c := b.best(); c.Origin != OriginAutoconfig {
			t.Errorf("%+v", c)
		}
	})
	t.Run("a bad certificate", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, webZone)
		b.web("autoconfig.other.example", answer(good))
		b.mu.Lock()
		b.routes["autoconfig.durand.example:443"] = b.routes["autoconfig.other.example:443"]
		b.mu.Unlock()
		if list := b.find(); len(list) != 0 {
			t.Errorf("%+v", list)
		}
	})
	t.Run("plain HTTP is never asked", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, webZone)
		b.find()
		if b.asked("autoconfig.durand.example", 80) || b.asked("durand.example", 80) ||
			!b.asked("autoconfig.durand.example", 443) {
			t.Errorf("dialled %v", b.dialled)
		}
	})
}

func TestRedirects(t *testing.T) {
	t.Parallel()
	good := answer(clientConfig("mail.durand.example", "465", "SSL", "%EMAILADDRESS%"))
	to := func(url string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, url, http.StatusFound) }
	}
	t.Run("within the domain", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, webZone)
		b.web("autoconfig.durand.example", to("https://mail.durand.example/config.xml"))
		b.web("mail.durand.example", good)
		if c := b.best(); len(c.Confirm) != 0 || c.Via != "mail.durand.example" {
			t.Errorf("%+v", c)
		}
	})
	t.Run("to another domain is confirmed", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, webZone)
		b.web("autoconfig.durand.example", to("https://autoconfig.elsewhere.example/c.xml"))
		b.web("autoconfig.elsewhere.example", good)
		c := b.best()
		if reasons(c) != "redirected" || c.Confidence != presets.Guess || c.Via != "autoconfig.elsewhere.example" {
			t.Errorf("%+v", c)
		}
	})
	for name, url := range map[string]string{
		"to http":                "http://mail.durand.example/c.xml",
		"to an address":          "https://192.0.2.2/c.xml",
		"to the metadata":        "https://169.254.169.254/c.xml",
		"to another port":        "https://mail.durand.example:8443/c.xml",
		"with a user name":       "https://me:secret@mail.durand.example/c.xml",
		"to a file":              "file:///etc/passwd",
		"in a circle":            "https://autoconfig.durand.example/mail/config-v1.1.xml",
		"to a name without dots": "https://localhost/c.xml",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, webZone)
			b.web("autoconfig.durand.example", to(url))
			b.web("mail.durand.example", good)
			for _, host := range []string{
				"mail.durand.example:80", "mail.durand.example:8443", "192.0.2.2:443",
				"localhost:443",
			} {
				b.mu.Lock()
				b.routes[host] = b.routes["mail.durand.example:443"]
				b.mu.Unlock()
			}
			if list := b.find(); len(list) != 0 {
				t.Errorf("%+v", list[0])
			}
		})
	}
	t.Run("three and no more", func(t *testing.T) {
		t.Parallel()
		for hops, want := range map[int]int{maxRedirects: 1, maxRedirects + 1: 0} {
			b := newBench(t, webZone)
			left := hops
			b.web("autoconfig.durand.example", func(w http.ResponseWriter, r *http.Request) {
				if left == 0 {
					good(w, r)
					return
				}
				left--
				http.Redirect(w, r, fmt.Sprintf("/hop%d", left), http.StatusFound)
			})
			if list := b.find(); len(list) != want {
				t.Errorf("%d hops: %+v", hops, list)
			}
		}
	})
}

func TestPACC(t *testing.T) {
	t.Parallel()
	const body = `{"protocols":{"imap":{"host":"mail.durand.example"},"smtp":{"host":"mail.durand.example"}},"authentication":{"password":true}}`
	sum := sha256.Sum256([]byte(body))
	vouched := `_ua-auto-config.durand.example. 300 IN TXT "v=UAAC1; a=sha256; d=` +
		base64.StdEncoding.EncodeToString(sum[:]) + `"` + "\n"
	t.Run("vouched for", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, webZone+vouched)
		b.web("ua-auto-config.durand.example", answer(body))
		c := b.best()
		if server(c.SMTP) != "mail.durand.example:465 tls "+address ||
			server(c.IMAP) != "mail.durand.example:993 tls "+address || c.SMTP[0].Source != SourcePACC {
			t.Errorf("%+v", c)
		}
	})
	t.Run("one value of another type", func(t *testing.T) {
		t.Parallel()
		odd := strings.Replace(body, `"imap":{"host":"mail.durand.example"}`, `"imap":{"host":7}`, 1)
		sum := sha256.Sum256([]byte(odd))
		b := newBench(t, webZone+`_ua-auto-config.durand.example. 300 IN TXT "v=UAAC1; a=sha256; d=`+
			base64.StdEncoding.EncodeToString(sum[:])+`"`+"\n")
		b.web("ua-auto-config.durand.example", answer(odd))
		if c := b.best(); server(c.SMTP) != "mail.durand.example:465 tls "+address || len(c.IMAP) != 0 {
			t.Errorf("%+v", c)
		}
	})
	for name, tt := range map[string]struct{ zone, body string }{
		"no digest":      {webZone, body},
		"another digest": {webZone + vouched, body + " "},
		"another scheme": {webZone + strings.Replace(vouched, "sha256", "md5", 1), body},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, tt.zone)
			b.web("ua-auto-config.durand.example", answer(tt.body))
			if list := b.find(); len(list) != 0 {
				t.Errorf("%+v", list)
			}
		})
	}
	if !deep([]byte(strings.Repeat("[", maxDepth+1))) || !deep([]byte("["+strings.Repeat("1,", 5*maxElements))) ||
		deep([]byte(body)) {
		t.Error("depth or length is misjudged")
	}
}

func TestAutodiscover(t *testing.T) {
	t.Parallel()
	const outlook = `<?xml version="1.0" encoding="utf-8"?>
<Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006">
<Response xmlns="http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a"><Account><AccountType>email</AccountType><Action>settings</Action>
<Protocol><Type>IMAP</Type><Server>mail.durand.example</Server><Port>993</Port><LoginName>postmaster</LoginName><SSL>on</SSL></Protocol>
<Protocol><Type>SMTP</Type><Server>mail.durand.example</Server><Port>587</Port><LoginName>postmaster</LoginName><SSL>on</SSL></Protocol>
</Account></Response></Autodiscover>`
	t.Run("without a sign-in", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, webZone)
		b.web("autodiscover.durand.example", answer(outlook))
		c := b.best()
		if server(c.SMTP) != "mail.durand.example:587 starttls "+canary ||
			server(c.IMAP) != "mail.durand.example:993 tls "+canary || c.SMTP[0].Source != SourceAutodiscover {
			t.Errorf("%+v", c)
		}
	})
	t.Run("a sign-in is not given", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, webZone+
			"example. 300 IN SOA ns.example. h.example. 1 2 3 4 5\nautodiscover.example. 300 IN A 192.0.2.66\n")
		b.web("autodiscover.durand.example", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("WWW-Authenticate", "Basic realm=x")
			w.WriteHeader(401)
		})
		b.web("autodiscover.example", answer(outlook))
		if list := b.find(); len(list) != 0 || b.asked("autodiscover.example", 443) {
			t.Errorf("%+v, dialled %v", list, b.dialled)
		}
	})
	t.Run("not asked where the domain answers", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, webZone)
		b.web("autoconfig.durand.example", answer(clientConfig("mail.durand.example", "465", "SSL", "%EMAILADDRESS%")))
		b.web("autodiscover.durand.example", answer(outlook))
		b.best()
		if b.asked("autodiscover.durand.example", 443) {
			t.Error("an address was sent for nothing")
		}
	})
}

func TestUnencryptedIsNeverFirst(t *testing.T) {
	t.Parallel()
	text := clientConfig("mail.durand.example", "465", "SSL", "%EMAILADDRESS%")
	plain := strings.Replace(text, "<outgoingServer",
		`<outgoingServer type="smtp"><hostname>mail.durand.example</hostname><port>25</port><socketType>plain</socketType></outgoingServer><outgoingServer`, 1)
	b := newBench(t, webZone)
	b.web("autoconfig.durand.example", answer(plain))
	if c := b.best(); server(c.SMTP) != "mail.durand.example:465 tls "+address || !c.SMTP[1].Cleartext ||
		len(c.Confirm) != 0 {
		t.Errorf("%+v", c)
	}
	only := newBench(t, webZone)
	only.web("autoconfig.durand.example", answer(strings.ReplaceAll(text, "SSL", "plain")))
	if c := only.best(); reasons(c) != "cleartext" || c.Confidence != presets.Guess ||
		c.SMTP[0].Security != config.SecurityNone {
		t.Errorf("%+v", c)
	}
}

// TestEndsInTime: hosts that swallow everything do not keep a person waiting longer than Limit.
func TestEndsInTime(t *testing.T) {
	t.Parallel()
	b := newBench(t, webZone+"smtp.durand.example. 300 IN A 192.0.2.1\nimap.durand.example. 300 IN A 192.0.2.1\n")
	hole := scripted.StartBlackhole(t)
	for _, host := range []string{"smtp", "mail", "imap", "mx", "autoconfig", "autodiscover", "ua-auto-config"} {
		for _, port := range []int{465, 587, 993, 143, 443} {
			b.route(host+".durand.example", port, hole.Addr())
		}
	}
	b.route("durand.example", 443, hole.Addr())
	b.network.Timeout = 300 * time.Millisecond // each step; the order of things is what is tested
	within(t, Limit, func(ctx context.Context) {
		if list, err := Find(ctx, b.network, presets.Default(), address, Options{}); err != nil || len(list) != 0 {
			t.Errorf("%v %v", list, err)
		}
	})
}

func FuzzClientConfig(f *testing.F) {
	f.Add([]byte(clientConfig("mail.durand.example", "465", "SSL", "%EMAILADDRESS%")))
	f.Add([]byte(`<!DOCTYPE a [<!ENTITY x "y">]><clientConfig>&x;</clientConfig>`))
	f.Fuzz(func(t *testing.T, data []byte) {
		finder := &finder{address: address, domain: "durand.example", book: presets.Default()}
		var c Candidate
		finder.clientConfig(data, &c)
		for _, s := range append(c.SMTP, c.IMAP...) {
			if hostOf(s.Host) != s.Host || s.Port < 1 || s.Port > 65535 ||
				strings.ContainsFunc(s.Username, func(r rune) bool { return r < ' ' || r > '~' }) {
				t.Errorf("%+v", s)
			}
		}
	})
}
