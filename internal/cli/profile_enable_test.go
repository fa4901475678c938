package cli

import (
	"strings"
	"testing"
	"time"

	"postier/config"
	"postier/internal/check"
	"postier/internal/scripted"
)

func (o *office) switchedOff(cause string) {
	o.t.Helper()
	doc, err := config.Load(o.path)
	if err != nil {
		o.t.Fatal(err)
	}
	if err := doc.Disable("durand", check.Cause(cause), time.Now()); err != nil {
		o.t.Fatal(err)
	}
	if err := doc.Save(); err != nil {
		o.t.Fatal(err)
	}
}

func (o *office) enabled() bool {
	o.t.Helper()
	doc, err := config.Load(o.path)
	if err != nil {
		o.t.Fatal(err)
	}
	p := doc.File.Profiles["durand"]
	return p.Enabled && p.Disabled == nil
}

// D-5: a profile that a failure switched off must pass the checks before it is switched on again.
func TestD5EnableChecksFirst(t *testing.T) {
	t.Parallel()
	o := newOffice(t, nil)
	o.switchedOff("wrong-password")
	if stdout, _ := o.want(0, "", "postier", "profile", "enable", "durand"); !o.enabled() ||
		!strings.Contains(stdout, "switched on again") {
		t.Errorf("not switched on: %s", stdout)
	}
	if !o.said("AUTH ") || o.said("DATA") {
		t.Errorf("the check was not a sign-in without a message: %s", o.server.Received())
	}

	refused := newOffice(t, scripted.Script{"AUTH": scripted.Reply("535 5.7.8 Error: authentication failed")})
	refused.switchedOff("wrong-password")
	stdout, stderr := refused.want(77, "", "postier", "profile", "enable", "durand")
	if refused.enabled() || !strings.Contains(stdout, "535 5.7.8") ||
		!strings.Contains(stderr, "config.json setup --edit durand`") {
		t.Errorf("enabled: %t\n%s%s", refused.enabled(), stdout, stderr)
	}
	before := refused.server.Connections()
	refused.want(0, "", "postier", "profile", "enable", "durand", "--force")
	if !refused.enabled() || refused.server.Connections() != before {
		t.Error("--force did not switch it on, or connected")
	}

	// Switched off by a person: on again without a connection.
	refused.switchedOff("")
	refused.want(0, "", "postier", "profile", "enable", "durand")
	if !refused.enabled() || refused.server.Connections() != before {
		t.Error("a person's own switch connected")
	}
}
