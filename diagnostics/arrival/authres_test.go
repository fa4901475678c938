package arrival

import (
	"encoding/json"
	"strings"
	"testing"
)

func show(a AuthResults) string {
	parts := []string{a.ServiceID}
	for _, r := range a.Results {
		part := r.Method + "=" + r.Result
		if r.Reason != "" {
			part += " reason=" + r.Reason
		}
		for _, p := range r.Properties {
			part += " " + p.Name + "=" + p.Value
		}
		if r.Comment != "" {
			part += " (" + r.Comment + ")"
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, "; ")
}

func TestParseAuthResults(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, in, want string }{
		// The forms of RFC 8601, appendix B.
		{"nothing was tried", "example.org 1; none", "example.org"},
		{"one method", "example.com; spf=pass smtp.mailfrom=example.net", "example.com; spf=pass smtp.mailfrom=example.net"},
		{
			"two methods", "example.com;\r\n\tauth=pass (cram-md5) smtp.auth=sender@example.net;\r\n\tspf=pass " +
				"smtp.mailfrom=example.net",
			"example.com; auth=pass smtp.auth=sender@example.net (cram-md5); spf=pass smtp.mailfrom=example.net",
		},
		{
			"comments everywhere", "foo.example.net (foobar) 1 (baz);\r\n\tdkim (Because I like it) / 1 (One yay) = (wait for " +
				"it) fail\r\n\tpolicy (A dot can go here) . (like that) expired\r\n\t(this surprised me) = (as I wasn't " +
				"expecting it) 1362471462",
			"foo.example.net; dkim=fail policy.expired=1362471462",
		},
		{
			"reason", `example.com; dkim=fail reason="bad \"signature\"" header.i=@example.com`,
			`example.com; dkim=fail reason=bad "signature" header.i=@example.com`,
		},
		{
			"version of the method", "example.com; dkim/1=pass header.d=example.com",
			"example.com; dkim=pass header.d=example.com",
		},
		{
			"equals in a value", "mx.example; dkim=pass header.b=ab=c header.s=s1",
			"mx.example; dkim=pass header.b=ab=c header.s=s1",
		},
		{
			"a verdict in capitals", "mx.example; DMARC=Pass (p=NONE sp=NONE dis=NONE) header.from=example.com",
			"mx.example; dmarc=pass header.from=example.com (p=NONE sp=NONE dis=NONE)",
		},
		{
			"no authserv-id", "spf=pass (sender IP is 192.0.2.1) smtp.mailfrom=example.com; dkim=none (message not signed); " +
				"dmarc=bestguesspass",
			"; spf=pass smtp.mailfrom=example.com (sender IP is 192.0.2.1); dkim=none (message not signed); dmarc=bestguesspass",
		},
		{
			"semicolon in a comment", "a.example; spf=pass (a; dkim=pass) smtp.helo=x",
			"a.example; spf=pass smtp.helo=x (a; dkim=pass)",
		},
		{"open comment", "a.example; spf=fail (never closed; dkim=pass", "a.example; spf=fail (never closed; dkim=pass)"},
		{"quoted id", `"a b"; spf=pass`, "a b; spf=pass"},
	} {
		got, err := ParseAuthResults(c.in)
		if err != nil || show(got) != c.want {
			t.Errorf("%s: %q, %v", c.name, show(got), err)
		}
	}
	for _, in := range []string{"", ";", "(only a comment)", "; spf=pass"} {
		if got, err := ParseAuthResults(in); err == nil {
			t.Errorf("%q is read as %q", in, show(got))
		}
	}
}

func TestTrustedResults(t *testing.T) {
	t.Parallel()
	const (
		here = "Received: from mail.sender.example (mail.sender.example [192.0.2.1])\n\tby mx.receiver.example " +
			"(Postfix) with ESMTPS id 1;\n\tSat, 21 Nov 2026 20:00:00 +0000\n"
		inside  = "Received: by store.receiver.example with LMTP id 2; Sat, 21 Nov 2026 20:00:01 +0000\n"
		outside = "Received: from laptop by mail.sender.example with ESMTPSA id 3; Sat, 21 Nov 2026 19:59:59 +0000\n"
		ours    = "Authentication-Results: mx.receiver.example; spf=pass\n"
		forged  = "Authentication-Results: mx.receiver.example; dkim=pass\n"
		other   = "Authentication-Results: filter.elsewhere.example; spf=fail\n"
	)
	for name, c := range map[string]struct{ in, want string }{
		"above the receiver's line": {ours + here + outside, "mx.receiver.example; spf=pass"},
		"below it":                  {here + ours + outside, "mx.receiver.example; spf=pass"},
		"two lines of the receiver": {
			inside + ours + here + ours + outside,
			"mx.receiver.example; spf=pass | mx.receiver.example; spf=pass",
		},
		"beyond the boundary":             {here + outside + forged, ""},
		"somebody else's below":           {here + other + outside, ""},
		"a filter of another name, above": {other + here + outside, "filter.elsewhere.example; spf=fail"},
		"topmost name wins":               {other + ours + here, "filter.elsewhere.example; spf=fail"},
		"no Received at all":              {ours, ""},
		"Google's inner hop": {
			"Received: by 2002:a05:6a10:1234 with SMTP id x;\n" + here + ours + outside,
			"mx.receiver.example; spf=pass",
		},
		"Microsoft writes no name": {"Received: from x by AM1.eurprd01.prod.outlook.com with HTTPS; " +
			"now\nAuthentication-Results: spf=pass smtp.mailfrom=a.example\n" + outside, "; spf=pass smtp.mailfrom=a.example"},
		"somebody else writes no name": {
			here + "Authentication-Results: spf=pass smtp.mailfrom=a.example\n" + outside,
			"",
		},
		"rubbish between": {
			here + "Authentication-Results: \n" + ours + outside,
			"mx.receiver.example; spf=pass",
		},
		"a folded line joined to rubbish": {here +
			"no colon here\n Authentication-Results: mx.receiver.example; dkim=pass\n" + outside, ""},
		"in the body":                       {here + outside + "\n" + ours, ""},
		"spelt in another case":             {here + strings.ToUpper(ours), "MX.RECEIVER.EXAMPLE; spf=pass"},
		"an address as the receiver's name": {"Received: from x by [192.0.2.9] with SMTP; now\n" + ours, ""},
	} {
		var got []string
		for _, a := range trustedResults(splitHeader([]byte(c.in))) {
			got = append(got, show(a))
		}
		if strings.Join(got, " | ") != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestJSONIsEscaped(t *testing.T) {
	t.Parallel()
	a, err := ParseAuthResults("mx.example; spf=fail (\x1b[31m\u202ered) reason=\"\u0085\" smtp.mailfrom=x")
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"authserv_id":"mx.example","results":[{"method":"spf","result":"fail","reason":"\u0085",` +
		`"comment":"\u001b[31m\u202ered","properties":[{"name":"smtp.mailfrom","value":"x"}]}]}`
	if string(data) != want {
		t.Errorf("%s", data)
	}
}

func FuzzAuthResults(f *testing.F) {
	for _, seed := range []string{
		"example.org 1; none", "example.com; spf=pass smtp.mailfrom=example.net", "spf=pass (a) smtp.mailfrom=b; dkim=none",
		`x; dkim=fail reason="\"" header.b=a=b`, "x (((; y)", "a/1; b/2 = c d.e = f", "\"", "(((((", ";;;;", "=", "a=b=c",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		a, err := ParseAuthResults(value)
		if err != nil {
			return
		}
		if len(a.Results) > maxResults {
			t.Errorf("%d results", len(a.Results))
		}
		for _, r := range a.Results {
			if r.Method == "" || len(r.Properties) > maxProperties || strings.ToLower(r.Result) != r.Result {
				t.Errorf("%q: %+v", value, r)
			}
		}
		if _, err := json.Marshal(a); err != nil {
			t.Error(err)
		}
		trustedResults(splitHeader([]byte("Received: by a.example; x\r\nAuthentication-Results: " + value + "\r\n\r\n")))
		parseReceived(value)
	})
}
