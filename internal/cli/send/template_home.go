package send

import (
	"context"
	"strings"

	"postier/delivery"
	"postier/internal/cli/command"
	"postier/wizard"
	"postier/wizard/home"
)

// mostShown is how many characters of a template's text its page shows.
const mostShown = 300

// TemplatesPage is the home screen's page of the templates. say puts an error into words.
func TemplatesPage(f *command.Factory, say func(error) wizard.Words) (*home.Page, error) {
	store := templates(f)
	names, err := store.List()
	if err != nil {
		return nil, err
	}
	var list []home.Template
	for _, name := range names {
		t, err := store.Get(name)
		if err != nil {
			return nil, templateFault(f, err, name)
		}
		text := []rune(strings.Join(strings.Fields(t.Body), " "))
		list = append(list, home.Template{
			Name: name, Text: string(text[:min(len(text), mostShown)]), Values: headerValues(&t),
		})
	}
	// Here a template is only changed: writing one is a matter for whoever set up the program that sends.
	empty := wizard.Msg("home.templates.empty", "command", f.Program()+" template edit NAME --file FILE")
	if f.Served != nil {
		empty = wizard.Msg("home.templates.empty-served")
	}
	return home.NewTemplates(list, empty, func(name string, values map[wizard.FieldID]string) wizard.Words {
		if err := setTemplateHeader(store, name, values); err != nil {
			return say(templateFault(f, err, name))
		}
		return wizard.Words{}
	}), nil
}

// headerPlaces are the header lines of a template by field.
func headerPlaces(t *delivery.Template) map[wizard.FieldID]*string {
	return map[wizard.FieldID]*string{
		home.FieldTemplateFrom: &t.From, home.FieldTemplateReplyTo: &t.ReplyTo, home.FieldTemplateSubject: &t.Subject,
		home.FieldTemplateProfile: &t.Profile, home.FieldTemplateKind: &t.Kind,
	}
}

func headerValues(t *delivery.Template) map[wizard.FieldID]string {
	values := map[wizard.FieldID]string{}
	for id, place := range headerPlaces(t) {
		values[id] = *place
	}
	return values
}

// setTemplateHeader changes header lines of a template; its text stays.
func setTemplateHeader(store delivery.Templates, name string, values map[wizard.FieldID]string) error {
	t, err := store.Get(name)
	if err != nil {
		return err
	}
	for id, place := range headerPlaces(&t) {
		if value, given := values[id]; given {
			*place = strings.TrimSpace(value)
		}
	}
	return store.Put(name, t.Text())
}

// TryTemplate sends a test with a template to the test address, or else to the profile's own. A value that is missing
// stands in the message as its name.
func TryTemplate(ctx context.Context, f *command.Factory, profile, name string) error {
	t, err := templateNamed(f, name)
	if err != nil {
		return err
	}
	_, p, err := f.Profile(profile)
	if err != nil {
		return err
	}
	o := &SendOptions{Factory: f, Template: name, To: []string{p.From.Address}, Test: true}
	for _, field := range t.Fields {
		o.Set = append(o.Set, field+"=["+field+"]")
	}
	if t.From == "" && t.Profile == "" {
		o.Profile = profile
	}
	return runSend(ctx, o)
}
