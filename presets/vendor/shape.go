package vendor

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"postier/config"
	"postier/internal/locale"
	"postier/internal/safetext"
)

// Parse reads the content of a file: unknown keys, values of the wrong type and wrong values are faults with their
// place.
func Parse(data []byte) (*File, config.Faults, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var tree any
	if err := d.Decode(&tree); err != nil {
		return nil, nil, &SyntaxError{Err: err}
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, nil, &SyntaxError{Err: errors.New("text after the end of the object")}
	}
	// A newer file may differ in every other rule, so its version comes first.
	if object, ok := tree.(map[string]any); ok {
		if number, ok := object["version"].(json.Number); ok && number.String() != strconv.Itoa(Version) {
			return nil, config.Faults{fault("version", "version", "found", safetext.FromRemote(number.String()), "known",
				Version)}, nil
		}
	}
	if faults := misfits(tree, reflect.TypeFor[File](), ""); len(faults) > 0 {
		return nil, faults, nil
	}
	f := new(File)
	if err := json.Unmarshal(data, f); err != nil {
		return nil, nil, &SyntaxError{Err: err}
	}
	return f, f.Validate(), nil
}

func fault(path, key string, args ...any) config.Fault {
	return config.Fault{Path: path, Text: locale.Msg("vendor.fault."+key, args...)}
}

// misfits compares a tree with the Go type that it is to fill.
func misfits(tree any, t reflect.Type, path string) config.Faults {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	wrong := func(key string) config.Faults { return config.Faults{fault(path, "type."+key)} }
	var out config.Faults
	switch t.Kind() {
	case reflect.Struct:
		if t.PkgPath() == "time" {
			if _, ok := tree.(string); !ok {
				return wrong("string")
			}
			return nil
		}
		object, ok := tree.(map[string]any)
		if !ok {
			return wrong("object")
		}
		fields := keys(t)
		for _, key := range slices.Sorted(maps.Keys(object)) {
			field, known := fields[key]
			if !known {
				out = append(out, fault(join(path, key), "unknown", "key", safetext.FromRemote(key)))
				continue
			}
			out = append(out, misfits(object[key], field, join(path, key))...)
		}
	case reflect.Map:
		object, ok := tree.(map[string]any)
		if !ok {
			return wrong("object")
		}
		for _, key := range slices.Sorted(maps.Keys(object)) {
			if t.Key() == reflect.TypeFor[locale.Lang]() && !slices.Contains(locale.Written(), locale.Lang(key)) {
				out = append(out, fault(join(path, key), "unknown", "key", safetext.FromRemote(key)))
				continue
			}
			out = append(out, misfits(object[key], t.Elem(), join(path, key))...)
		}
	case reflect.Slice:
		list, ok := tree.([]any)
		if !ok {
			return wrong("list")
		}
		for i, item := range list {
			out = append(out, misfits(item, t.Elem(), join(path, strconv.Itoa(i)))...)
		}
	case reflect.Bool:
		if _, ok := tree.(bool); !ok {
			return wrong("bool")
		}
	case reflect.Int, reflect.Float64:
		number, ok := tree.(json.Number)
		if !ok {
			return wrong("number")
		}
		if _, err := number.Int64(); err != nil && t.Kind() == reflect.Int {
			return wrong("integer")
		}
	default:
		if _, ok := tree.(string); !ok {
			return wrong("string")
		}
	}
	return out
}

// keys maps the JSON names of a struct's fields to their types.
func keys(t reflect.Type) map[string]reflect.Type {
	out := map[string]reflect.Type{}
	for i := range t.NumField() {
		if f := t.Field(i); f.IsExported() {
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			out[name] = f.Type
		}
	}
	return out
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}
