package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"postier/internal/locale"
	"postier/internal/safetext"
	"postier/internal/strictjson"
)

// ErrNoKey says that the document has no such key.
var ErrNoKey = errors.New("no such key")

// KeyError names the key that Get did not find.
type KeyError struct{ Key string }

// Error names the key.
func (e *KeyError) Error() string { return fmt.Sprintf("get %q: %s", e.Key, ErrNoKey) }

// Unwrap makes errors.Is(err, ErrNoKey) work.
func (e *KeyError) Unwrap() error { return ErrNoKey }

// Text is the sentence.
func (e *KeyError) Text() Text {
	return locale.Msg("config.error.no_key", "key", safetext.FromRemote(e.Key))
}

// Get returns one value by its path, for instance profiles.durand.submission.host, profiles.durand.senders.0 or
// profiles.durand.validated.checks.smtp.auth. A string comes without quotes, everything else as JSON on one line. A key
// that the format knows and the file leaves out has its zero value. An inline secret is never returned.
func Get(d *Document, key string) (string, error) {
	tree, err := strictjson.Parse(d.Encode())
	if err != nil {
		panic("config: own JSON is always readable: " + err.Error())
	}
	hideSecrets(tree)
	found := find(tree, strings.Split(key, "."))
	switch {
	case found == nil:
		return zeroOf(d, key)
	case found.Kind == strictjson.String:
		return found.Scalar.(string), nil
	}
	return found.Compact(), nil
}

// hidden stands for a secret wherever a document is shown.
const hidden = "***"

func hideSecrets(tree *strictjson.Node) {
	if profiles := tree.Get("profiles"); profiles != nil {
		for _, m := range profiles.Members {
			hide(m.Value.Get("credential"), "value", func(any) any { return hidden })
		}
	}
	hide(tree.Get("queue"), "database", func(value any) any {
		text, _ := value.(string)
		return MaskDatabase(text)
	})
	if watch := tree.Get("watch"); watch != nil {
		if notify := watch.Get("notify"); notify != nil {
			for _, target := range notify.Items {
				text, _ := target.Scalar.(string)
				target.Scalar = MaskNotify(text)
			}
		}
	}
}

// hide replaces a value of an object by what may be shown of it.
func hide(object *strictjson.Node, key string, shown func(any) any) {
	if object == nil {
		return
	}
	if value := object.Get(key); value != nil {
		*value = strictjson.Node{Kind: strictjson.String, Scalar: shown(value.Scalar)}
	}
}

// find follows words; a key may itself contain dots (check ids do), so that longer keys are tried first.
func find(n *strictjson.Node, words []string) *strictjson.Node {
	if len(words) == 0 {
		return n
	}
	if n.Kind == strictjson.Array {
		at, err := strconv.Atoi(words[0])
		if err != nil || at < 0 || at >= len(n.Items) {
			return nil
		}
		return find(n.Items[at], words[1:])
	}
	for length := len(words); length > 0; length-- {
		if value := n.Get(strings.Join(words[:length], ".")); value != nil {
			if found := find(value, words[length:]); found != nil {
				return found
			}
		}
	}
	return nil
}

// zeroOf answers for a key that the file leaves out because it has its zero value.
func zeroOf(d *Document, key string) (string, error) {
	value := reflect.ValueOf(d.File)
	for word := range strings.SplitSeq(key, ".") {
		for value.Kind() == reflect.Pointer {
			if value.IsNil() {
				return "", &KeyError{key}
			}
			value = value.Elem()
		}
		switch value.Kind() {
		case reflect.Struct:
			field, ok := strictjson.Fields(value.Type())[word]
			if !ok {
				return "", &KeyError{key}
			}
			value = value.FieldByIndex(field.Index)
		case reflect.Map:
			value = value.MapIndex(reflect.ValueOf(word))
			if !value.IsValid() {
				return "", &KeyError{key}
			}
		default:
			return "", &KeyError{key}
		}
	}
	switch value.Kind() {
	case reflect.String:
		return value.String(), nil
	case reflect.Slice:
		return "[]", nil
	case reflect.Map, reflect.Struct:
		return "{}", nil
	case reflect.Pointer:
		return "", &KeyError{key}
	}
	data, err := json.Marshal(value.Interface())
	return string(data), err
}
