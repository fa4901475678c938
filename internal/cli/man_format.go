package cli

import (
	"strings"

	"postier/internal/cli/command"
)

// formatName is the name of the page about the configuration file, in section 5.
const formatName = "postier"

// formatKeys are the keys that the page explains, as catalogue keys; a dot goes before those of a profile.
var formatKeys = []string{
	"version", "default", "fallback", "profiles", ".enabled", ".from", ".senders", ".submission", ".credential",
	".sent_copy", ".limits", ".test_mode", ".validated", "aliases", "queue", "submit", "watch", "log",
}

const formatExample = `{
  "version": 1,
  "default": "office",
  "profiles": {
    "office": {
      "enabled": true,
      "from": {"name": "Office", "address": "office@example.org"},
      "submission": {"host": "smtp.example.org", "port": 465, "security": "tls",
                     "auth": "auto", "username": "office@example.org"},
      "credential": {"kind": "file", "path": "secrets/office"},
      "sent_copy": {"mode": "none"}
    }
  }
}`

// formatPage is the page about the configuration file. Every key has its rule in the schema, which is not repeated.
func formatPage(f *command.Factory) string {
	p := &manPage{f: f}
	p.head(formatName, "5", f.T("man.format.title"))
	p.section("description")
	p.paragraphs(f.T("man.format.about"))
	p.section("keys")
	for _, key := range formatKeys {
		name, ofProfile := strings.CutPrefix(key, ".")
		term := name
		if ofProfile {
			term = "profiles.NAME." + name
		}
		p.item(term, f.T("man.key."+name))
	}
	p.section("example")
	p.line(".PP\n.nf")
	for line := range strings.Lines(formatExample) {
		p.line("%s", roff(strings.TrimSuffix(line, "\n")))
	}
	p.line(".fi")
	p.files()
	p.section("see-also")
	p.line(`\fBpostier\-config\fR(1), \fBpostier\-profile\fR(1)`)
	return p.text.String()
}
