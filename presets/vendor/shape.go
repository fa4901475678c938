package vendor

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"strconv"

	"postier/config"
	"postier/internal/locale"
	"postier/internal/safetext"
	"postier/internal/strictjson"
)

// Parse reads the content of a file: unknown keys, values of the wrong type and wrong values are faults with their
// place.
func Parse(data []byte) (*File, config.Faults, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	if err := d.Decode(new(json.RawMessage)); err != nil {
		return nil, nil, &SyntaxError{Err: err}
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, nil, &SyntaxError{Err: errors.New("text after the end of the object")}
	}
	tree, err := strictjson.Parse(data)
	if err != nil {
		return nil, nil, &SyntaxError{Err: err}
	}
	// A newer file may differ in every other rule, so its version comes first.
	if version := tree.Get("version"); version != nil && version.Kind == strictjson.Number {
		if found := version.Scalar.(json.Number).String(); found != strconv.Itoa(Version) {
			return nil, config.Faults{fault("version", "version", "found", safetext.FromRemote(found), "known", Version)}, nil
		}
	}
	if faults := misfits(tree); len(faults) > 0 {
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

// misfits are the places where a tree does not match the types of this package. Keys that are missing are not: every
// part may be left out.
func misfits(tree *strictjson.Node) config.Faults {
	var languages []string
	for _, lang := range locale.Written() {
		languages = append(languages, string(lang))
	}
	keys := map[reflect.Type][]string{reflect.TypeFor[locale.Lang](): languages}
	_, misfits := strictjson.Fit(tree, reflect.TypeFor[File](), keys)
	var faults config.Faults
	for _, m := range misfits {
		switch {
		case m.Missing:
		case m.Want == "":
			faults = append(faults, fault(m.Path, "unknown", "key", safetext.FromRemote(m.Key)))
		case m.Want == "time":
			faults = append(faults, config.Fault{Path: m.Path, Text: locale.Msg("config.shape.time")})
		case m.Want == string(strictjson.Array):
			faults = append(faults, fault(m.Path, "type.list"))
		default:
			faults = append(faults, fault(m.Path, "type."+m.Want))
		}
	}
	return faults
}
