package cli

import (
	"context"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"postier/internal/cli/command"
	"postier/internal/cli/diagnose"
	"postier/internal/cli/lookup"
	"postier/internal/cli/profile"
	"postier/internal/cli/send"
	"postier/internal/cli/setup"
)

// bound is a command whose run is not its work but a note of its options.
type bound struct {
	cmd     *cobra.Command
	options any
}

// bind makes a command with one run in place of its work.
func bind[O any](f *command.Factory, make func(*command.Factory, command.Run[O]) *cobra.Command) *bound {
	b := &bound{}
	b.cmd = make(f, func(_ context.Context, o O) error {
		b.options = o
		return nil
	})
	return b
}

// Each command's flags and arguments end in the field of the options that its name says, without any work being done:
// there is no configuration, no network and no file here.
func TestFlagsBecomeOptions(t *testing.T) {
	t.Parallel()
	server := func(area string) func(*command.Factory, command.Run[*diagnose.ServerOptions]) *cobra.Command {
		return func(f *command.Factory, run command.Run[*diagnose.ServerOptions]) *cobra.Command {
			return diagnose.NewServer(f, area, run)
		}
	}
	for _, row := range []struct {
		bind func(*command.Factory) *bound
		args string
		want map[string]any
	}{
		{
			func(f *command.Factory) *bound { return bind(f, setup.New) },
			"anna@example.org --profile work --yes --smtp-port 587 --oauth-client-id x",
			map[string]any{
				"Address": "anna@example.org", "Profile": "work", "Yes": true, "Resume": false,
				"Values": map[string]any{"smtp-port": "587"}, "Client": map[string]any{"ID": "x", "Tenant": ""},
			},
		},
		{
			func(f *command.Factory) *bound { return bind(f, setup.NewDemo) }, "--fault greylisting --keep dir --oauth",
			map[string]any{"Fault": "greylisting", "Keep": "dir", "OAuth": true, "List": false},
		},
		{
			func(f *command.Factory) *bound { return bind(f, setup.NewImport) }, "auto file --dry-run --account a --auth plain",
			map[string]any{
				"Format": "auto", "File": "file", "DryRun": true, "RunCommand": false, "Account": "a",
				"Values": map[string]any{"auth": "plain"},
			},
		},
		{
			func(f *command.Factory) *bound { return bind(f, diagnose.New) },
			"work --only dns,smtp.auth --arrival --send-to b@example.org --probe-host h",
			map[string]any{
				"About": []any{"work"}, "Only": []any{"dns", "smtp.auth"}, "Arrival": true, "SendTo": "b@example.org",
				"ProbeHosts": []any{"h"}, "Matrix": false,
			},
		},
		{
			func(f *command.Factory) *bound { return bind(f, server("imap")) }, "imap.example.org:143 --transcript",
			map[string]any{"Area": "imap", "Server": "imap.example.org:143", "Transcript": true},
		},
		{
			func(f *command.Factory) *bound { return bind(f, server("smtp")) }, "smtp.example.org --matrix --helo h.example",
			map[string]any{"Area": "smtp", "Matrix": true, "Values": map[string]any{"helo": "h.example"}},
		},
		{
			func(f *command.Factory) *bound { return bind(f, diagnose.NewDNS) },
			"--list - --selector a --selector b --ip 192.0.2.1",
			map[string]any{"List": "-", "Domain": "", "Selectors": []any{"a", "b"}, "IP": "192.0.2.1"},
		},
		{
			func(f *command.Factory) *bound { return bind(f, diagnose.NewSPF) }, "--ip 192.0.2.1 --helo h.example",
			map[string]any{"IP": "192.0.2.1", "HELO": "h.example", "Sender": ""},
		},
		{
			func(f *command.Factory) *bound { return bind(f, diagnose.NewMessage) }, "--sender a@example.org",
			map[string]any{"Sender": "a@example.org", "IP": ""},
		},
		{
			func(f *command.Factory) *bound { return bind(f, newReport) }, "--out r.md --mask=false --yes",
			map[string]any{"Out": "r.md", "Mask": false, "Yes": true, "Format": "md"},
		},
		{
			func(f *command.Factory) *bound { return bind(f, lookup.NewDiscover) }, "a@example.org --offline",
			map[string]any{"Address": "a@example.org", "Offline": true},
		},
		{
			func(f *command.Factory) *bound { return bind(f, lookup.NewExplain) }, "--reply 535 --protocol imap --provider gmx",
			map[string]any{"Reply": "535", "Protocol": "imap", "Provider": "gmx", "Code": ""},
		},
		{
			func(f *command.Factory) *bound { return bind(f, lookup.NewGuide) }, "gmail --format html --product P",
			map[string]any{"Provider": "gmail", "Format": "html", "Product": "P"},
		},
		{
			func(f *command.Factory) *bound { return bind(f, profile.NewEnable) }, "work --force",
			map[string]any{"Name": "work", "Force": true},
		},
		{
			func(f *command.Factory) *bound { return bind(f, profile.NewSecretGet) }, "work --show",
			map[string]any{"Name": "work", "Show": true},
		},
		{
			func(f *command.Factory) *bound { return bind(f, profile.NewSecretSet) }, "work --password-stdin",
			map[string]any{"Name": "work"},
		},
		{
			func(f *command.Factory) *bound { return bind(f, profile.NewToken) }, "work --check --client-id c --tenant t",
			map[string]any{"Name": "work", "Check": true, "SignIn": false, "ClientID": "c", "Tenant": "t"},
		},
		{
			func(f *command.Factory) *bound { return bind(f, profile.NewExport) }, "msmtp work --out f --inline-secret",
			map[string]any{"Format": "msmtp", "Name": []any{"work"}, "Out": "f", "Inline": true, "List": false},
		},
		{
			func(f *command.Factory) *bound { return bind(f, send.NewSend) },
			"--to a@example.org --to b@example.org --cc c@example.org --subject s --queue --for-real --set n=v",
			map[string]any{
				"To": []any{"a@example.org", "b@example.org"}, "CC": []any{"c@example.org"}, "Subject": "s", "Later": true,
				"Real": true, "Set": []any{"n=v"}, "Direct": false, "Test": false,
			},
		},
		{
			func(f *command.Factory) *bound { return bind(f, send.NewQueueList) }, "--all", map[string]any{"All": true},
		},
		{
			func(f *command.Factory) *bound { return bind(f, send.NewQueueRun) }, "--daemon", map[string]any{"Daemon": true},
		},
		{
			func(f *command.Factory) *bound { return bind(f, send.NewSuppressList) }, "--proposed",
			map[string]any{"Proposed": true},
		},
		{
			func(f *command.Factory) *bound { return bind(f, send.NewTemplateShow) }, "letter --set a=b",
			map[string]any{"Name": "letter", "Set": []any{"a=b"}},
		},
		{
			func(f *command.Factory) *bound { return bind(f, send.NewTemplateEdit) }, "letter --file f",
			map[string]any{"Name": "letter", "File": "f"},
		},
	} {
		b := row.bind(english())
		if err := runAlone(b.cmd, row.args); err != nil || b.options == nil {
			t.Errorf("%s %s: %v, options %v", b.cmd.Name(), row.args, err, b.options)
			continue
		}
		got := fields(b.options)
		for _, name := range slices.Sorted(maps.Keys(row.want)) {
			if want, have := asJSON(t, row.want[name]), asJSON(t, got[name]); want != have {
				t.Errorf("%s %s: %s is %s, want %s", b.cmd.Name(), row.args, name, have, want)
			}
		}
	}
}

// What a constructor can see to be wrong never reaches the run.
func TestUsageNeverRuns(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		bind func(*command.Factory) *bound
		args string
	}{
		{func(f *command.Factory) *bound { return bind(f, lookup.NewExplain) }, ""},
		{func(f *command.Factory) *bound { return bind(f, lookup.NewExplain) }, "wrong-password --reply 535"},
		{func(f *command.Factory) *bound { return bind(f, lookup.NewExplain) }, "wrong-password --list"},
		{func(f *command.Factory) *bound { return bind(f, lookup.NewGuide) }, ""},
		{func(f *command.Factory) *bound { return bind(f, profile.NewExport) }, ""},
		{func(f *command.Factory) *bound { return bind(f, profile.NewToken) }, ""},
		{func(f *command.Factory) *bound { return bind(f, diagnose.NewDNS) }, ""},
		{func(f *command.Factory) *bound { return bind(f, diagnose.NewDNS) }, "example.org --list -"},
		{func(f *command.Factory) *bound { return bind(f, diagnose.NewSPF) }, "--ip 192.0.2.1"},
		{func(f *command.Factory) *bound { return bind(f, newReport) }, "--format pdf"},
		{func(f *command.Factory) *bound { return bind(f, send.NewSend) }, "--direct --queue"},
		{func(f *command.Factory) *bound { return bind(f, send.NewSendmail) }, "-Z"},
		{func(f *command.Factory) *bound { return bind(f, setup.NewImport) }, "auto"},
	} {
		b := row.bind(english())
		if err := runAlone(b.cmd, row.args); err == nil || b.options != nil {
			t.Errorf("%s %s: %v, options %v", b.cmd.Name(), row.args, err, b.options)
		}
	}
}

// runAlone runs a command as if it were the program.
func runAlone(cmd *cobra.Command, args string) error {
	cmd.SetArgs(strings.Fields(args))
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	return cmd.Execute()
}

// fields are the exported fields of an options struct, with those of embedded ones; the factory is left out.
func fields(options any) map[string]any {
	out := map[string]any{}
	var walk func(reflect.Value)
	walk = func(v reflect.Value) {
		for i := range v.NumField() {
			switch field := v.Type().Field(i); {
			case field.Anonymous && field.Type.Kind() == reflect.Struct:
				walk(v.Field(i))
			case field.IsExported() && !field.Anonymous:
				out[field.Name] = v.Field(i).Interface()
			}
		}
	}
	walk(reflect.ValueOf(options).Elem())
	return out
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// newReport is the command without a way to send.
func newReport(f *command.Factory, run command.Run[*diagnose.ReportOptions]) *cobra.Command {
	return diagnose.NewReport(f, nil, run)
}
