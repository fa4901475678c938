package config

import (
	"reflect"
	"time"

	"postier/internal/strictjson"
)

// merge returns fresh in the order of old, with the keys of old that t does not know. Empty values (0, "", false, [])
// that old spelled out stay in the file.
func merge(old, fresh *strictjson.Node, t reflect.Type) *strictjson.Node {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if fresh.Kind != strictjson.Object || old.Kind != strictjson.Object || t == reflect.TypeFor[time.Time]() {
		return fresh
	}
	var fields map[string]reflect.StructField
	if t.Kind() == reflect.Struct {
		fields = strictjson.Fields(t)
	}
	out := &strictjson.Node{Kind: strictjson.Object}
	for _, m := range old.Members {
		if value := mergeMember(m, fresh.Get(m.Key), t, fields); value != nil {
			out.Members = append(out.Members, strictjson.Member{Key: m.Key, Value: value})
		}
	}
	for _, m := range fresh.Members {
		if old.Get(m.Key) == nil {
			out.Members = append(out.Members, m)
		}
	}
	return out
}

// mergeMember returns the new value of one key of old, nil when the key goes.
func mergeMember(
	m strictjson.Member, fresh *strictjson.Node, t reflect.Type, fields map[string]reflect.StructField,
) *strictjson.Node {
	if fields == nil { // a map: its keys are data
		if fresh == nil {
			return nil
		}
		return merge(m.Value, fresh, t.Elem())
	}
	field, known := fields[m.Key]
	switch {
	case !known:
		return m.Value
	case fresh != nil:
		return merge(m.Value, fresh, field.Type)
	case field.Type.Kind() == reflect.Struct && m.Value.Kind == strictjson.Object:
		// Left out because it is empty; it may still hold unknown keys or spelled-out empty values.
		kept := merge(m.Value, &strictjson.Node{Kind: strictjson.Object}, field.Type)
		if len(kept.Members) == 0 && len(m.Value.Members) > 0 {
			return nil
		}
		return kept
	case m.Value.Kind != strictjson.Null && len(m.Value.Members)+len(m.Value.Items) == 0 && isEmpty(m.Value.Scalar):
		return m.Value
	}
	return nil
}
