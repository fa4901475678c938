package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"postier/internal/cli/command"
	"postier/internal/exitcode"
	"postier/internal/rehearsal/certificates"
	"postier/internal/scripted"
)

// program runs the program without a terminal.
func program(args ...string) (stdout, stderr string, code int) {
	var out, errors bytes.Buffer
	code = run(append([]string{"postier"}, args...),
		command.Streams{In: strings.NewReader(""), Out: &out, Err: &errors, Getenv: func(string) string { return "" }})
	return out.String(), errors.String(), code
}

// keysInOrder lists the members of a JSON object as they stand.
func keysInOrder(t *testing.T, object json.RawMessage) []string {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(object))
	if _, err := decoder.Token(); err != nil {
		t.Fatal(err)
	}
	var keys []string
	for decoder.More() {
		key, err := decoder.Token()
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, fmt.Sprint(key))
		var skip json.RawMessage
		if err := decoder.Decode(&skip); err != nil {
			t.Fatal(err)
		}
	}
	return keys
}

// TestReportShape holds the JSON of docs/reference.md §3: names, kinds of value and order.
func TestReportShape(t *testing.T) {
	t.Parallel()
	args := demoArgs(t, "wrong-password", "diagnose", "--json", "--transcript")
	out, _, code := program(args...)
	if code != 77 {
		t.Fatalf("exit code %d\n%s", code, out)
	}
	if got := keysInOrder(t, json.RawMessage(out)); !slices.Equal(got,
		[]string{"schema", "tool", "started", "took_ms", "target", "verdict", "root", "checks"}) {
		t.Errorf("top: %v", got)
	}
	var r struct {
		Schema int
		Tool   struct{ Name, Version string }
		Took   *float64 `json:"took_ms"`
		Target map[string]json.RawMessage
		Checks []json.RawMessage
	}
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatal(err)
	}
	if r.Schema != 1 || r.Tool.Name != "postier" || r.Tool.Version == "" || r.Took == nil {
		t.Errorf("%+v", r)
	}
	if got := keysInOrder(t, r.Target["smtp"]); !slices.Equal(got, []string{"host", "port", "security", "auth"}) {
		t.Errorf("target.smtp: %v", got)
	}
	contract := []string{
		"id", "status", "cause", "title", "meaning", "remedy", "needs", "took_ms", "evidence", "code",
		"transcript",
	}
	ours := []string{"cause_code", "matched", "name", "fix"} // added
	for _, raw := range r.Checks {
		keys := keysInOrder(t, raw)
		var c struct{ ID, Status, Cause string }
		if err := json.Unmarshal(raw, &c); err != nil {
			t.Fatal(err)
		}
		if (c.Cause == "") != (c.Status == "pass") && c.Status != "skip" {
			t.Errorf("%s: status %s, cause %q", c.ID, c.Status, c.Cause)
		}
		common := slices.DeleteFunc(slices.Clone(keys), func(k string) bool { return slices.Contains(ours, k) })
		if !slices.IsSortedFunc(common,
			func(a, b string) int { return slices.Index(contract, a) - slices.Index(contract, b) }) {
			t.Errorf("%s: %v", c.ID, common)
		}
		for _, k := range common {
			if !slices.Contains(contract, k) {
				t.Errorf("%s: member %q", c.ID, k)
			}
		}
		if c.ID == "smtp.auth" {
			for _, k := range contract {
				if !slices.Contains(keys, k) {
					t.Errorf("smtp.auth has no %q", k)
				}
			}
		}
	}
	out, _, _ = program(append(args[:2:2], args[3:]...)...)
	if strings.Contains(out, `"transcript"`) {
		t.Error("a transcript without --transcript")
	}
}

// TestNoOutputHoldsTheSecret: servers that send the secret back, in each encoding and wherever they may speak, and
// every form in which the program shows what they said.
func TestNoOutputHoldsTheSecret(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ca := scripted.StartCA(t)
	caFile, err := ca.WriteFile(dir)
	if err != nil {
		t.Fatal(err)
	}
	password := filepath.Join(dir, "password")
	if err := os.WriteFile(password, []byte(hostileSecret.Reveal()), 0o600); err != nil {
		t.Fatal(err)
	}
	cert := scripted.Leaf(t, ca, certificates.Good, hostileHost)
	forms := hostileSecret.Forms(hostileUser)
	for i, form := range forms {
		t.Run(strconv.Itoa(i), func(t *testing.T) {
			t.Parallel()
			smtp := scripted.StartSMTP(t,
				scripted.Options{Certificate: cert, ImplicitTLS: true, Domain: hostileHost, Script: scripted.Script{
					"greeting": scripted.Reply("220 " + form), "auth": scripted.Reply("235 welcome " + form),
					"MAIL": scripted.Reply("550 5.7.1 " + form + " no"),
				}})
			imap := scripted.StartIMAP(t, scripted.Options{Certificate: cert, ImplicitTLS: true, Script: scripted.Script{
				"greeting": scripted.Reply("* OK " + form), "auth": scripted.Reply("{tag} NO [ALERT] " + form),
			}})
			resolver := scripted.StartDNS(t, hostileHost+". 300 IN A 127.0.0.1\n").Addr()
			settings := []string{
				"--resolver=" + resolver, "--ca-file=" + caFile, "--timeout=20s", "--user=" + hostileUser, "--from=" + hostileUser,
				"--password-file=" + password,
				"--smtp-host=" + hostileHost, "--smtp-port=" + strconv.Itoa(smtp.Port()), "--smtp-security=tls",
				"--imap-host=" + hostileHost, "--imap-port=" + strconv.Itoa(imap.Port()), "--imap-security=tls", "--only=smtp",
				"--only=imap",
			}
			for _, command := range [][]string{
				{"diagnose", "--json", "--transcript"},
				{"diagnose", "-v", "--transcript"},
				{"report", "--format=md"},
				{"report", "--format=html", "--mask=false"},
				{"report", "--format=json"},
			} {
				out, errors, code := program(append(command, settings...)...)
				if code == exitcode.Usage || code == exitcode.Config || out == "" {
					t.Errorf("%v: exit code %d, %s", command, code, errors)
				}
				for _, f := range forms {
					if strings.Contains(out+errors, f) {
						t.Errorf("%v: the secret stands in the output", command)
						break
					}
				}
			}
		})
	}
}
