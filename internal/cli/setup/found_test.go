package setup

import (
	"os"
	"path/filepath"
	"testing"

	"postier/internal/cli/command"
	"postier/wizard"
)

// TestFoundPrograms (C-9): an account of a mail program is offered to the person at this computer, that of the address
// where one was given, and to no one else.
func TestFoundPrograms(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	write := func(path, text string) {
		t.Helper()
		path = filepath.Join(home, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	options := func() *Options {
		f := command.NewFactory(command.Streams{Getenv: func(name string) string {
			if name == "HOME" {
				return home
			}
			return ""
		}}, "test")
		return &Options{Factory: f}
	}
	if found := options().found(); found.Address != "" {
		t.Errorf("out of nothing: %+v", found)
	}
	write(".thunderbird/abc.default/prefs.js", "damaged")
	write(".claws-mail/accountrc", "[Account: 1]\naddress=a@durand.example\nsmtp_server=smtp.durand.example\nssl_smtp=1\n"+
		"[Account: 2]\nis_default=1\naddress=b@durand.example\nsmtp_server=smtp.durand.example\nssl_smtp=1\n")
	found := options().found()
	if found.Program != "Claws Mail" || found.Address != "b@durand.example" ||
		found.Values[wizard.FieldSMTPHost] != "smtp.durand.example" || found.Values[wizard.FieldSMTPPort] != "465" {
		t.Errorf("%+v", found)
	}
	one := options()
	one.Address = "A@durand.example"
	if found := one.found(); found.Address != "a@durand.example" {
		t.Errorf("%+v", found)
	}
	for name, change := range map[string]func(*Options){
		"another address": func(o *Options) { o.Address = "c@durand.example" },
		"a served person": func(o *Options) { o.Served = &command.Served{} },
		"an edit":         func(o *Options) { o.Edit = "durand" },
		"no questions":    func(o *Options) { o.Yes = true },
	} {
		o := options()
		change(o)
		if found := o.found(); found.Address != "" {
			t.Errorf("%s is offered %+v", name, found)
		}
	}
}
