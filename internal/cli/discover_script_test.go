package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestDiscoverScripts runs testdata/script/{discover,guide,vendor}-*.txtar with the commands of TestScripts.
func TestDiscoverScripts(t *testing.T) {
	t.Parallel()
	var files []string
	for _, area := range []string{"discover", "guide", "vendor"} {
		found, err := filepath.Glob("testdata/script/" + area + "-*.txtar")
		if err != nil || len(found) == 0 {
			t.Fatal("no scripts on", area, err)
		}
		files = append(files, found...)
	}
	testscript.Run(t, testscript.Params{
		Files: files, UpdateScripts: os.Getenv("UPDATE_SCRIPTS") != "",
		Setup: func(env *testscript.Env) error {
			keepsValues(env)
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("XDG_CONFIG_HOME", filepath.Join(env.WorkDir, "config"))
			env.Setenv("LANG", "C")
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"postier": scriptPostier, "code": scriptCode, "demo": scriptDemo, "zone": scriptZone, "table": scriptTable,
		},
	})
}

// scriptTable turns the JSON lines of `discover -` into one line an address: provider, origin, confidence, first
// server, user name, IMAP host, and the reasons to confirm. Products that share an MX stand after the first, with a
// plus.
func scriptTable(ts *testscript.TestScript, _ bool, args []string) {
	var out strings.Builder
	for line := range strings.Lines(ts.ReadFile(args[0])) {
		var d struct {
			Address    string
			Error      *struct{ Code int }
			Candidates []struct {
				Provider, Origin, Via, Confidence string
				Confirm                           []string
				SMTP, IMAP                        []struct {
					Host, Security, Username string
					Port                     int
				}
			}
		}
		ts.Check(json.Unmarshal([]byte(line), &d))
		fields := []string{d.Address}
		for i, c := range d.Candidates {
			if i > 0 {
				if c.Via == d.Candidates[0].Via && c.Origin == d.Candidates[0].Origin {
					fields = append(fields, "+"+c.Provider)
				}
				continue
			}
			fields = append(fields, c.Provider, c.Origin, c.Confidence)
			if len(c.SMTP) > 0 {
				s := c.SMTP[0]
				fields = append(fields, s.Host+":"+strconv.Itoa(s.Port), s.Security, s.Username)
			} else {
				fields = append(fields, "no-server")
			}
			if len(c.IMAP) > 0 {
				fields = append(fields, c.IMAP[0].Host)
			}
			for _, r := range c.Confirm {
				fields = append(fields, "!"+r)
			}
		}
		if d.Error != nil {
			fields = append(fields, "error", strconv.Itoa(d.Error.Code))
		}
		_, _ = out.WriteString(strings.Join(fields, " ") + "\n")
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(out.String()), 0o600))
}
