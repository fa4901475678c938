package share

import (
	"reflect"
	"strings"
	"time"
	"unicode"

	"postier/internal/safetext"
	"postier/wizard"
)

// View is what the helper sees.
type View struct {
	Screen wizard.Screen `json:"screen"`
	// Focus is where the person is.
	Focus Target `json:"focus"`
	// Waited is how long the work that the screen shows has been under way.
	Waited time.Duration `json:"waited,omitempty"`

	// Mask hides the secrets that the person's program holds in foreign text. It stays on the person's side.
	Mask func(string) string `json:"-"`
}

// Target is a field or an action of a screen; the zero Target is none.
type Target struct {
	Field  wizard.FieldID  `json:"field,omitempty"`
	Action wizard.ActionID `json:"action,omitempty"`
}

// On reports whether the screen has the target.
func (t Target) On(v wizard.Screen) bool {
	for _, f := range v.Fields {
		if t.Field != "" && t.Field == f.ID {
			return true
		}
	}
	for _, a := range v.Actions {
		if t.Field == "" && t.Action != "" && t.Action == a.ID {
			return true
		}
	}
	return false
}

// shared is the view as it crosses.
func (v View) shared() View {
	mask := v.Mask
	if mask == nil {
		mask = func(text string) string { return text }
	}
	v.Screen = v.Screen.Shared(mask)
	return v
}

// drawable is a view that came over a stream, made such that every front end can draw it: no text acts on a terminal or
// breaks a line, a step or a key that does not exist is none, and a field of a kind that is not known, or with nothing
// to choose from, is shown as text.
func (v View) drawable() View {
	escapeAll(reflect.ValueOf(&v).Elem())
	if v.Screen.Number = v.Screen.Step.Number(); v.Screen.Number == 0 {
		v.Screen.Step = ""
	}
	for i, a := range v.Screen.Actions {
		if a.Key < 'a' || a.Key > 'z' {
			v.Screen.Actions[i].Key = 0
		}
	}
	for i, f := range v.Screen.Fields {
		switch {
		case f.Kind == wizard.KindConfirm, f.Kind == wizard.KindSecret:
		case (f.Kind == wizard.KindChoice || f.Kind == wizard.KindSearch) && len(f.Choices) > 0:
		default:
			v.Screen.Fields[i].Kind = wizard.KindText
		}
	}
	v.Waited = max(0, v.Waited)
	return v
}

// escapeAll escapes every text that holds a control character. What a server said is escaped where it is shown.
func escapeAll(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(escaped(v.String()))
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				escapeAll(v.Field(i))
			}
		}
	case reflect.Pointer:
		if !v.IsNil() {
			escapeAll(v.Elem())
		}
	case reflect.Slice:
		for i := range v.Len() {
			escapeAll(v.Index(i))
		}
	case reflect.Interface: // the arguments of a message
		if text, ok := v.Interface().(string); ok {
			v.Set(reflect.ValueOf(escaped(text)))
		}
	case reflect.Map: // a text in every language
		for _, key := range v.MapKeys() {
			if text := v.MapIndex(key); text.Kind() == reflect.String {
				v.SetMapIndex(key, reflect.ValueOf(escaped(text.String())).Convert(text.Type()))
			}
		}
	}
}

func escaped(text string) string {
	if strings.ContainsFunc(text, unicode.IsControl) {
		return safetext.Escape(text)
	}
	return text
}
