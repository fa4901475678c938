package config

import (
	"encoding/json"
	"reflect"
)

// merge returns fresh in the order of old, with the keys of old that t does not know. Empty values (0, "", false, [])
// that old spelled out stay in the file.
func merge(old, fresh *node, t reflect.Type) *node {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if fresh.kind != kindObject || old.kind != kindObject || t == timeType {
		return fresh
	}
	var fields map[string]reflect.StructField
	if t.Kind() == reflect.Struct {
		fields = jsonFields(t)
	}
	out := &node{kind: kindObject}
	for _, m := range old.members {
		if value := mergeMember(m, fresh.get(m.key), t, fields); value != nil {
			out.members = append(out.members, member{m.key, value})
		}
	}
	for _, m := range fresh.members {
		if old.get(m.key) == nil {
			out.members = append(out.members, m)
		}
	}
	return out
}

// mergeMember returns the new value of one key of old, nil when the key goes.
func mergeMember(m member, fresh *node, t reflect.Type, fields map[string]reflect.StructField) *node {
	if fields == nil { // a map: its keys are data
		if fresh == nil {
			return nil
		}
		return merge(m.value, fresh, t.Elem())
	}
	field, known := fields[m.key]
	switch {
	case !known:
		return m.value
	case fresh != nil:
		return merge(m.value, fresh, field.Type)
	case field.Type.Kind() == reflect.Struct && m.value.kind == kindObject:
		// Left out because it is empty; it may still hold unknown keys or spelled-out empty values.
		kept := merge(m.value, &node{kind: kindObject}, field.Type)
		if len(kept.members) == 0 && len(m.value.members) > 0 {
			return nil
		}
		return kept
	case m.value.empty():
		return m.value
	}
	return nil
}

func (n *node) empty() bool {
	switch n.kind {
	case kindObject:
		return len(n.members) == 0
	case kindArray:
		return len(n.items) == 0
	case kindString:
		return n.scalar == ""
	case kindBool:
		return n.scalar == false
	case kindNumber:
		return n.scalar == json.Number("0")
	}
	return false
}
