package share

import (
	"time"

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

// drawable is a view that came over a stream, made such that every front end can draw it: a field of a kind that is not
// known, or with nothing to choose from, is shown as text.
func (v View) drawable() View {
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
