package config

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
)

// digestPrefix names the hash function, so that it can be replaced later.
const digestPrefix = "sha256:"

// Digest returns "sha256:" and 64 hex digits over the settings that a proof covers: from.address, submission, insecure,
// credential, sent_copy and tls. They are written as JSON with sorted keys, no spaces, no HTML escapes and without
// empty members, so that a consumer in any language can compute it. Label, limits, test mode and the secret itself do
// not count.
func (p *Profile) Digest() string {
	credential := p.Credential
	credential.Value = "" // a hash of a secret invites guessing
	proven := map[string]any{
		"from":       map[string]any{"address": p.From.Address},
		"submission": p.Submission,
		"insecure":   p.Insecure,
		"credential": credential,
		"sent_copy":  p.SentCopy,
		"tls":        p.TLS,
	}
	sum := sha256.Sum256(canonical(proven))
	return digestPrefix + hex.EncodeToString(sum[:])
}

// Proven reports whether the settings were proven and not edited since.
func (p *Profile) Proven() bool { return p.Validated != nil && p.Validated.Digest == p.Digest() }

// canonical passes through a map, because encoding/json sorts the keys of maps and not those of structs.
func canonical(value any) []byte {
	data, err := json.Marshal(value)
	if err != nil {
		panic("config: settings are plain values and always marshal: " + err.Error())
	}
	var tree any
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	if err := decoder.Decode(&tree); err != nil {
		panic("config: own JSON is always readable: " + err.Error())
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(withoutEmpty(tree)); err != nil {
		panic("config: own JSON always marshals: " + err.Error())
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n"))
}

func withoutEmpty(tree any) any {
	switch tree := tree.(type) {
	case map[string]any:
		for key, value := range tree {
			value = withoutEmpty(value)
			if isEmpty(value) {
				delete(tree, key)
			} else {
				tree[key] = value
			}
		}
		return tree
	default:
		return tree
	}
}

func isEmpty(value any) bool {
	switch value := value.(type) {
	case nil:
		return true
	case bool:
		return !value
	case string:
		return value == ""
	case json.Number:
		return value == "0"
	case []any:
		return len(value) == 0
	case map[string]any:
		return len(value) == 0
	}
	return false
}
