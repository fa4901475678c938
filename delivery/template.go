package delivery

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"postier/config"
	"postier/internal/addressfield"
	"postier/internal/pattern"
	"postier/internal/safefile"
)

// Templates are the message templates of a configuration (P-8): plain text files NAME.txt in the folder templates next
// to it. They begin with the header lines From, Reply-To, Subject, Profile and Kind, as far as there are any, and a
// blank line (P-12); {{name}} is replaced by a value.
type Templates struct{ Folder string }

// TemplatesOf are the templates of the configuration at path.
func TemplatesOf(path string) Templates {
	return Templates{Folder: filepath.Join(filepath.Dir(path), "templates")}
}

// Template is one of them.
type Template struct {
	Name    string `json:"name"`
	From    string `json:"from,omitempty"`
	ReplyTo string `json:"reply_to,omitempty"`
	Subject string `json:"subject,omitempty"`
	// Profile sends the message, and Kind is what kind of message it is.
	Profile string   `json:"profile,omitempty"`
	Kind    string   `json:"kind,omitempty"`
	Body    string   `json:"body"`
	Fields  []string `json:"fields"`
}

// ErrTemplateField says that a line of a template's header is none that a template may have, or has a malformed value.
// Sent as text, it would reach the customer.
var ErrTemplateField = errors.New("not a header line of a template")

const templateSuffix = ".txt"

// ErrTemplateName says that a template's name is malformed.
var ErrTemplateName = errors.New("a template's name has lower-case letters, digits, - and _")

func (t Templates) path(name string) (string, error) {
	if !config.ValidateName(name).Empty() {
		return "", ErrTemplateName
	}
	return filepath.Join(t.Folder, name+templateSuffix), nil
}

// List names the templates.
func (t Templates) List() ([]string, error) {
	entries, err := os.ReadDir(t.Folder)
	if errors.Is(err, fs.ErrNotExist) {
		return []string{}, nil
	}
	names := []string{}
	for _, e := range entries {
		name, isText := strings.CutSuffix(e.Name(), templateSuffix)
		if isText && config.ValidateName(name).Empty() {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, err
}

// Get reads one; a missing one is fs.ErrNotExist.
func (t Templates) Get(name string) (Template, error) {
	path, err := t.path(name)
	if err != nil {
		return Template{}, err
	}
	data, err := safefile.Read(path)
	if err != nil {
		return Template{}, err
	}
	return parseTemplate(name, string(data))
}

// Put writes one.
func (t Templates) Put(name, text string) error {
	path, err := t.path(name)
	if err != nil {
		return err
	}
	if _, err := parseTemplate(name, text); err != nil {
		return err
	}
	return safefile.Write(path, []byte(text), safefile.Options{Backups: 1})
}

// Remove deletes one.
func (t Templates) Remove(name string) error {
	path, err := t.path(name)
	if err != nil {
		return err
	}
	if _, err := os.Lstat(path); err != nil {
		return err
	}
	return safefile.Remove(path)
}

var fieldPattern = pattern.Of(`\{\{\s*([A-Za-z0-9_.-]+)\s*\}\}`)

// headerLine is what looks like a header line.
var headerLine = pattern.Of(`^([A-Za-z][A-Za-z-]*)[ \t]*:(.*)$`)

// parseTemplate reads a template. Its header ends with a blank line, or with the first line that looks like none; a
// text that begins with a word and a colon has no header.
func parseTemplate(name, text string) (Template, error) {
	text = strings.TrimPrefix(strings.ReplaceAll(text, "\r\n", "\n"), "\ufeff")
	t := Template{Name: name, Body: text, Fields: []string{}}
	for first := true; ; first = false {
		line, rest, _ := strings.Cut(t.Body, "\n")
		m := headerLine().FindStringSubmatch(line)
		if m == nil || first && t.place(m[1]) == nil {
			if !first && strings.TrimSpace(line) == "" {
				t.Body = rest
			}
			break
		}
		if !t.take(m[1], strings.TrimSpace(m[2])) {
			return t, fmt.Errorf("%w: %s", ErrTemplateField, line)
		}
		t.Body = rest
	}
	for _, m := range fieldPattern().FindAllStringSubmatch(t.Subject+"\n"+t.Body, -1) {
		if !slices.Contains(t.Fields, m[1]) {
			t.Fields = append(t.Fields, m[1])
		}
	}
	return t, nil
}

// place is where the value of a header line belongs, nil for none.
func (t *Template) place(label string) *string {
	return map[string]*string{
		"from": &t.From, "reply-to": &t.ReplyTo, "subject": &t.Subject, "profile": &t.Profile, "kind": &t.Kind,
	}[strings.ToLower(label)]
}

// take puts a header line into the template, and reports whether it may stand there.
func (t *Template) take(label, value string) bool {
	place := t.place(label)
	if place == nil || *place != "" {
		return false
	}
	*place = value
	switch place {
	case &t.From, &t.ReplyTo:
		list, bad := addressfield.List(value)
		return len(list) == 1 && len(bad) == 0 && !list[0].Local
	case &t.Profile, &t.Kind:
		return config.ValidateName(value).Empty()
	}
	return true
}

// Text is the file of a template: its header lines, a blank line, its text.
func (t Template) Text() string {
	var b strings.Builder
	for _, line := range []struct{ name, value string }{
		{"From", t.From}, {"Reply-To", t.ReplyTo}, {"Subject", t.Subject}, {"Profile", t.Profile}, {"Kind", t.Kind},
	} {
		if value := strings.Join(strings.Fields(line.value), " "); value != "" {
			b.WriteString(line.name + ": " + value + "\n")
		}
	}
	return b.String() + "\n" + t.Body
}

// Fill replaces the fields by values. missing names the fields without a value, which stay as they are.
func (t Template) Fill(values map[string]string) (subject, body string, missing []string) {
	fill := func(text string) string {
		return fieldPattern().ReplaceAllStringFunc(text, func(found string) string {
			name := fieldPattern().FindStringSubmatch(found)[1]
			value, ok := values[name]
			if !ok {
				if !slices.Contains(missing, name) {
					missing = append(missing, name)
				}
				return found
			}
			return value
		})
	}
	// A line end in a value must not start a second header field.
	lineEnd := func(r rune) bool { return r == '\r' || r == '\n' }
	subject = strings.Join(strings.FieldsFunc(fill(t.Subject), lineEnd), " ")
	return subject, fill(t.Body), missing
}
