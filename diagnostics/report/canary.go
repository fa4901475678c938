package report

import (
	"bytes"
	"errors"
	"reflect"
	"slices"
	"strings"

	"postier/diagnostics"
	"postier/internal/safetext"
)

// ErrCanary says that the finished bundle contains the secret in some encoding. Such a bundle is not returned.
var ErrCanary = errors.New("the secret stands in the report")

// inspect searches the finished text for the secret (docs/security.md T22). A secret that is a word of the report's
// own, such as "server", is no leak: the report has that word whatever the secret is.
func (b Bundle) inspect(text string, format Format) error {
	for _, s := range b.secrets {
		if b.common(format) {
			text = strings.ReplaceAll(text, s.Reveal(), "")
		}
		if s.In(text, b.users...) {
			return ErrCanary
		}
	}
	return nil
}

// Common reports whether the secret is a word that the report contains by itself.
func (b Bundle) Common(format Format) bool {
	return b.info.Target.Secret.Reveal() != "" && b.common(format)
}

// Hide replaces the secret in a finished text, the report's own words included.
func (b Bundle) Hide(text []byte, format Format) []byte {
	for _, s := range b.secrets {
		hide := func(part []byte) []byte {
			return bytes.ReplaceAll(part, []byte(s.Reveal()), []byte("***"))
		}
		if format == JSONFile {
			text = jsonString().ReplaceAllFunc(text, hide) // outside the strings are numbers and true
		} else {
			text = hide(text)
		}
	}
	return text
}

// common searches the bundle without anything that a server, a name service or a certificate said.
func (b Bundle) common(format Format) bool {
	own := b
	own.results = rewritten(b.results, func(string) string { return "" })
	own.Report = Build(own.info, own.results)
	text, err := own.write(format)
	if err != nil {
		return false
	}
	for _, s := range b.secrets {
		if s.Reveal() != "" && strings.Contains(string(text), s.Reveal()) {
			return true
		}
	}
	return false
}

// rewritten returns the results with f applied to every text that is not the program's own.
func rewritten(results []diagnostics.Result, f func(string) string) []diagnostics.Result {
	out := slices.Clone(results)
	for i := range out {
		out[i].Evidence = slices.Clone(out[i].Evidence)
		for j, o := range out[i].Evidence {
			value := reflect.New(reflect.TypeOf(o)).Elem()
			value.Set(reflect.ValueOf(o))
			rewrite(value, f)
			out[i].Evidence[j] = value.Interface().(diagnostics.Observation)
		}
		rewrite(reflect.ValueOf(&out[i].Params).Elem(), f)
		rewrite(reflect.ValueOf(&out[i].Fix).Elem(), f)
		rewrite(reflect.ValueOf(&out[i].Transcript).Elem(), f)
	}
	return out
}

var remoteType = reflect.TypeFor[safetext.Remote]()

// rewrite applies f to the strings of a value. It copies what slices, maps and pointers share with the original.
func rewrite(v reflect.Value, f func(string) string) {
	if !v.CanSet() {
		return
	}
	switch {
	case v.Type() == remoteType:
		remote := v.Interface().(safetext.Remote)
		v.Set(reflect.ValueOf(safetext.FromRemote(f(remote.Raw()))))
	case v.Kind() == reflect.String:
		v.SetString(f(v.String()))
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			rewrite(v.Field(i), f)
		}
	case v.Kind() == reflect.Slice && !v.IsNil():
		elements := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		for i := range v.Len() {
			elements.Index(i).Set(v.Index(i))
			rewrite(elements.Index(i), f)
		}
		v.Set(elements)
	case v.Kind() == reflect.Map && !v.IsNil():
		entries := reflect.MakeMap(v.Type())
		for key, value := range v.Seq2() {
			entries.SetMapIndex(copyOf(key, f), copyOf(value, f))
		}
		v.Set(entries)
	case (v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface) && !v.IsNil():
		target := copyOf(v.Elem(), f)
		if v.Kind() == reflect.Pointer {
			pointer := reflect.New(v.Type().Elem())
			pointer.Elem().Set(target)
			target = pointer
		}
		v.Set(target)
	}
}

func copyOf(v reflect.Value, f func(string) string) reflect.Value {
	c := reflect.New(v.Type()).Elem()
	c.Set(v)
	rewrite(c, f)
	return c
}
