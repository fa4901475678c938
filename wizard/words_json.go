package wizard

import (
	"encoding/json"
	"fmt"

	"postier/internal/locale"
	"postier/internal/safetext"
	"postier/presets"
)

// wordsJSON is how Words travel to a program that says them in another language: the key and the arguments of a
// message, not the sentence.
type wordsJSON struct {
	Key     string          `json:"key,omitempty"`
	Args    []argumentJSON  `json:"args,omitempty"`
	Text    presets.Text    `json:"text,omitempty"`
	Literal string          `json:"literal,omitempty"`
	Remote  safetext.Remote `json:"remote,omitzero"`
}

// argumentJSON is one argument of a message. Text of someone else stays marked as such.
type argumentJSON struct {
	Name   string          `json:"name"`
	Value  string          `json:"value,omitempty"`
	Remote safetext.Remote `json:"remote,omitzero"`
}

// MarshalJSON implements json.Marshaler.
func (w Words) MarshalJSON() ([]byte, error) {
	out := wordsJSON{Key: w.Msg.Key, Text: w.Text, Literal: w.Literal, Remote: w.Remote}
	for i := 0; i+1 < len(w.Msg.Args); i += 2 {
		arg := argumentJSON{Name: fmt.Sprint(w.Msg.Args[i])}
		switch value := w.Msg.Args[i+1].(type) {
		case safetext.Remote:
			arg.Remote = value
		default:
			arg.Value = fmt.Sprint(value)
		}
		out.Args = append(out.Args, arg)
	}
	return json.Marshal(out)
}

// UnmarshalJSON implements json.Unmarshaler.
func (w *Words) UnmarshalJSON(data []byte) error {
	var in wordsJSON
	if err := json.Unmarshal(data, &in); err != nil {
		return err
	}
	*w = Words{Msg: locale.Text{Key: in.Key}, Text: in.Text, Literal: in.Literal, Remote: in.Remote}
	for _, arg := range in.Args {
		var value any = arg.Value
		if !arg.Remote.Empty() {
			value = arg.Remote
		}
		w.Msg.Args = append(w.Msg.Args, arg.Name, value)
	}
	return nil
}
