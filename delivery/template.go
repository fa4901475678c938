package delivery

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"postier/config"
	"postier/internal/safefile"
)

// Templates are the message templates of a configuration (P-8): plain text files NAME.txt in the folder templates next
// to it. The first line may be "Subject: …", followed by a blank line; {{name}} is replaced by a value.
type Templates struct{ Folder string }

// TemplatesOf are the templates of the configuration at path.
func TemplatesOf(path string) Templates {
	return Templates{Folder: filepath.Join(filepath.Dir(path), "templates")}
}

// Template is one of them.
type Template struct {
	Name    string   `json:"name"`
	Subject string   `json:"subject,omitempty"`
	Body    string   `json:"body"`
	Fields  []string `json:"fields"`
}

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
	return parseTemplate(name, string(data)), nil
}

// Put writes one.
func (t Templates) Put(name, text string) error {
	path, err := t.path(name)
	if err != nil {
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

var fieldPattern = regexp.MustCompile(`\{\{\s*([A-Za-z0-9_.-]+)\s*\}\}`)

func parseTemplate(name, text string) Template {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	t := Template{Name: name, Body: text, Fields: []string{}}
	first, rest, _ := strings.Cut(text, "\n")
	if label, subject, ok := strings.Cut(first, ":"); ok && strings.EqualFold(strings.TrimSpace(label), "subject") {
		t.Subject, t.Body = strings.TrimSpace(subject), strings.TrimPrefix(rest, "\n")
	}
	for _, m := range fieldPattern.FindAllStringSubmatch(t.Subject+"\n"+t.Body, -1) {
		if !slices.Contains(t.Fields, m[1]) {
			t.Fields = append(t.Fields, m[1])
		}
	}
	return t
}

// Fill replaces the fields by values. missing names the fields without a value, which stay as they are.
func (t Template) Fill(values map[string]string) (subject, body string, missing []string) {
	fill := func(text string) string {
		return fieldPattern.ReplaceAllStringFunc(text, func(found string) string {
			name := fieldPattern.FindStringSubmatch(found)[1]
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
