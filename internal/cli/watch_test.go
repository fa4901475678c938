package cli

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"postier/config"
	"postier/internal/cli/command"
	"postier/internal/cli/send"
	"postier/internal/scripted"
	"postier/wizard"
)

// durandZone has where mail for the domain goes, and nothing else.
const durandZone = `
durand.example. 300 IN MX 10 mx.durand.example.
mx.durand.example. 300 IN A 192.0.2.1
`

// watched is what a program reads of `watch --json`.
type watched struct {
	Verdict  string `json:"verdict"`
	Profiles []struct {
		Profile string `json:"profile"`
		State   string `json:"state"`
		Cause   string `json:"cause"`
		Code    string `json:"code"`
	} `json:"profiles"`
}

// TestWatch: one line of JSON a round, sentences without it, and the exit code of what was found.
func TestWatch(t *testing.T) {
	t.Parallel()
	o := newOffice(t, nil)
	resolver := scripted.StartDNS(t, durandZone).Addr()
	stdout, _ := o.want(0, "", "postier", "watch", "--once", "--resolver", resolver)
	if !strings.Contains(stdout, "durand") || !strings.Contains(stdout, "works") ||
		!strings.Contains(stdout, "days left") {
		t.Errorf("%s", stdout)
	}
	stdout, _ = o.want(0, "", "postier", "watch", "durand", "--json", "--resolver", resolver)
	var got watched
	if err := json.Unmarshal([]byte(stdout), &got); err != nil || strings.Count(stdout, "\n") != 1 ||
		len(got.Profiles) != 1 || got.Profiles[0].State != "working" {
		t.Errorf("%v: %s", err, stdout)
	}
	if len(o.taken()) > 0 {
		t.Error("the watch sent a message")
	}
	o.want(0, "", "postier", "profile", "disable", "durand")
	if stdout, _ = o.want(0, "", "postier", "watch"); !strings.Contains(stdout, "No profile is switched on") {
		t.Error(stdout)
	}
}

// TestWatchFails has the exit code of the failure, and the list of profiles shows what was found.
func TestWatchFails(t *testing.T) {
	t.Parallel()
	o := newOffice(t, scripted.Script{"auth": scripted.Reply("535 5.7.8 Error: authentication failed")})
	o.prove()
	resolver := scripted.StartDNS(t, durandZone).Addr()
	stdout, _ := o.want(77, "", "postier", "watch", "--json", "--resolver", resolver)
	var got watched
	if err := json.Unmarshal([]byte(stdout), &got); err != nil || got.Verdict != "fail" ||
		got.Profiles[0].State != "doubtful" || got.Profiles[0].Code != "A-14" {
		t.Errorf("%v: %s", err, stdout)
	}
	if row := o.row(); row.State != "working" {
		t.Errorf("after one failure: %+v", row)
	}
	french, _ := o.want(77, "", "postier", "watch", "--lang", "fr", "--resolver", resolver)
	for _, want := range []string{"a échoué une fois", "avant de prévenir qui que ce soit"} {
		if !strings.Contains(french, want) {
			t.Errorf("no %q in %s", want, french)
		}
	}
}

// TestWatchUsage: what cannot be asked for.
func TestWatchUsage(t *testing.T) {
	t.Parallel()
	o := newOffice(t, nil)
	o.want(64, "", "postier", "watch", "--once", "--every", "24h")
	o.want(64, "", "postier", "watch", "--every", "5s")
	o.want(65, "", "postier", "watch", "nobody")
	if files, _ := filepath.Glob(filepath.Join(filepath.Dir(o.path), "*.db")); len(files) > 1 {
		t.Errorf("%v", files)
	}
}

// TestWatchSettings: config validate names what is wrong, and nothing shows the path of a URL, which often is a secret.
func TestWatchSettings(t *testing.T) {
	t.Parallel()
	o := newOffice(t, nil)
	edit := func(watch config.Watch) {
		t.Helper()
		doc, err := config.Load(o.path)
		if err != nil {
			t.Fatal(err)
		}
		doc.File.Watch = watch
		if err := os.WriteFile(o.path, doc.Encode(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for path, wrong := range map[string]config.Watch{
		"watch.every_hours":      {EveryHours: -1},
		"watch.notify.0":         {Notify: []string{"http://hooks.example/x"}},
		"watch.notify.1":         {Notify: []string{"owner@durand.example", "https://user:pass@hooks.example/x"}},
		"watch.command":          {Command: []string{"logger"}},
		"watch.allow_networks.0": {AllowNetworks: []string{"10.0.0.1/8"}},
	} {
		edit(wrong)
		if stdout, _ := o.want(78, "", "postier", "config", "validate"); !strings.Contains(stdout, path) {
			t.Errorf("no %s in %s", path, stdout)
		}
	}
	edit(config.Watch{
		EveryHours: 24, Notify: []string{"owner@durand.example", "https://hooks.example:8443/T0/S3cret?key=S3cret"},
		Command: []string{"/usr/bin/logger", "-t", "mail"}, AllowNetworks: []string{"10.0.0.0/8", "fd00::1"},
	})
	o.want(0, "", "postier", "config", "validate")
	shown, _ := o.want(0, "", "postier", "config", "show")
	one, _ := o.want(0, "", "postier", "config", "get", "watch.notify.1")
	if strings.Contains(shown+one, "S3cret") || !strings.Contains(one, "https://hooks.example:8443/***") {
		t.Errorf("%s%s", shown, one)
	}
}

// TestWatchSet: settings by command; a URL only by standard input, and never shown whole.
func TestWatchSet(t *testing.T) {
	t.Parallel()
	o := newOffice(t, nil)
	if stdout, _ := o.want(0, "", "postier", "watch", "set"); !strings.Contains(stdout, "does not watch") ||
		!strings.Contains(stdout, "owner of the profile") {
		t.Error(stdout)
	}
	stdout, stderr := o.want(0, "", "postier", "watch", "set", "--every-hours", "24", "--notify", "owner@durand.example")
	if !strings.Contains(stdout, "every 24 hours") || !strings.Contains(stdout, "owner@durand.example") ||
		!strings.Contains(stderr, "service install") {
		t.Errorf("%s%s", stdout, stderr)
	}
	o.want(64, "", "postier", "watch", "set", "--notify", "https://hooks.example/S3cret")
	stdout, _ = o.want(0, "owner@durand.example\nhttps://hooks.example/S3cret\n", "postier", "--json", "watch", "set",
		"--notify", "-", "--allow-network", "10.0.0.0/8", "--command", "/usr/bin/logger", "--command", "-t")
	want := watchJSON{24, []string{"owner@durand.example", "https://hooks.example/***"}, []string{"/usr/bin/logger", "-t"}}
	var got watchJSON
	if err := json.Unmarshal([]byte(stdout), &got); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
	doc, err := config.Load(o.path)
	if err != nil || doc.File.Watch.Notify[1] != "https://hooks.example/S3cret" || len(doc.File.Watch.AllowNetworks) != 1 {
		t.Errorf("%+v, %v", doc.File.Watch, err)
	}
	o.want(78, "", "postier", "watch", "set", "--every-hours", "-3")
	o.want(0, "", "postier", "watch", "set", "--notify", "", "--command", "")
	if doc, err = config.Load(o.path); err != nil || len(doc.File.Watch.Notify)+len(doc.File.Watch.Command) > 0 {
		t.Errorf("%+v, %v", doc.File.Watch, err)
	}
}

// watchJSON is what a program reads of the settings.
type watchJSON struct {
	EveryHours int      `json:"every_hours"`
	Notify     []string `json:"notify"`
	Command    []string `json:"command"`
}

// watchedNow is what a program reads of `watch status --json`.
type watchedNow struct {
	EveryHours int  `json:"every_hours"`
	Service    bool `json:"service"`
	Profiles   []struct {
		Profile string     `json:"profile"`
		State   string     `json:"state"`
		Checked *time.Time `json:"checked"`
		Next    *time.Time `json:"next"`
		Stopped []struct {
			Check     string `json:"check"`
			Code      string `json:"code"`
			Confirmed bool   `json:"confirmed"`
		} `json:"stopped"`
		Untold []any `json:"untold"`
	} `json:"profiles"`
}

// TestWatchStatus: what the watch found last, what stopped and when it looks again, without connecting to anything; and
// the same on the page of the home screen, where a served person names no program.
func TestWatchStatus(t *testing.T) {
	t.Parallel()
	o := newOffice(t, scripted.Script{"auth": scripted.Reply("535 5.7.8 Error: authentication failed")})
	o.prove()
	status := func() (got watchedNow) {
		t.Helper()
		stdout, _ := o.want(0, "", "postier", "watch", "status", "durand", "--json")
		if err := json.Unmarshal([]byte(stdout), &got); err != nil || len(got.Profiles) != 1 {
			t.Fatal(err, stdout)
		}
		return got
	}
	if p := status().Profiles[0]; p.State != "unchecked" || p.Checked != nil || p.Next != nil || p.Stopped == nil ||
		p.Untold == nil {
		t.Errorf("before the first round: %+v", p)
	}
	resolver := scripted.StartDNS(t, durandZone).Addr()
	o.want(77, "", "postier", "watch", "--resolver", resolver)
	connected := len(o.server.Records())
	o.want(0, "", "postier", "watch", "set", "--every-hours", "24")
	got := status()
	if p := got.Profiles[0]; p.State != "doubtful" || p.Checked == nil || len(p.Stopped) != 1 || p.Next != nil ||
		p.Stopped[0].Check != "smtp.auth" || p.Stopped[0].Code != "A-14" || p.Stopped[0].Confirmed || got.Service {
		t.Errorf("%+v", got)
	}
	stdout, stderr := o.want(0, "", "postier", "watch", "status", "--lang", "fr")
	for _, want := range []string{"a échoué une fois", "dernière vérification le ", "(A-14), depuis le "} {
		if !strings.Contains(stdout, want) {
			t.Errorf("no %q in %s", want, stdout)
		}
	}
	if !strings.Contains(stderr, "service install") {
		t.Errorf("%s", stderr)
	}
	o.want(0, "", "postier", "queue", "run")
	if got := status(); !got.Service || got.Profiles[0].Next == nil {
		t.Errorf("while something runs the queue: %+v", got)
	}
	o.want(0, "", "postier", "profile", "disable", "durand")
	if got := status(); got.Profiles[0].Next != nil {
		t.Errorf("a profile that is off: %+v", got)
	}
	if n := len(o.server.Records()); n != connected {
		t.Errorf("%d connections", n-connected)
	}
	o.want(65, "", "postier", "watch", "status", "nobody")

	f := o.factory()
	for _, served := range []*command.Served{nil, {}} {
		f.Served = served
		page, err := send.WatchPage(t.Context(), f, "durand", sentenceOf(f))
		if err != nil {
			t.Fatal(err)
		}
		shown := fmt.Sprintf("%+v", page.Screen().Fields)
		if programs := strings.Contains(shown, "watch-command"); programs != (served == nil) {
			t.Errorf("served %v: the field of a program is there: %v", served != nil, programs)
		}
		values := map[wizard.FieldID]string{
			"watch-on": wizard.Yes, "watch-hours": "6", "watch-notify": "owner@durand.example", "watch-command": "/bin/true",
		}
		page.Answer(wizard.Answer{Action: wizard.ActNext, Values: values})
		doc, err := config.Load(o.path)
		if err != nil || !page.Saved() || doc.File.Watch.EveryHours != 6 || len(doc.File.Watch.Notify) != 1 ||
			len(doc.File.Watch.Command) != 1 {
			t.Errorf("served %v: %+v, %v", served != nil, doc.File.Watch, err)
		}
		values["watch-command"] = "" // which a served person has no field for
		page, _ = send.WatchPage(t.Context(), f, "durand", sentenceOf(f))
		page.Answer(wizard.Answer{Action: wizard.ActNext, Values: values})
		if doc, err = config.Load(o.path); err != nil || (len(doc.File.Watch.Command) == 0) != (served == nil) {
			t.Errorf("served %v: %+v, %v", served != nil, doc.File.Watch, err)
		}
		doc.File.Watch.Command = []string{"/bin/true"}
		if err := doc.Save(); err != nil {
			t.Fatal(err)
		}
	}
}
