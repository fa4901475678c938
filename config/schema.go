package config

import _ "embed"

//go:generate go test . -run TestSchemaIsCurrent -update

//go:embed config.schema.json
var schema []byte

// Schema returns the JSON Schema (draft 2020-12) of the file. It expresses everything that a schema can; Validate
// checks more.
func Schema() []byte { return append([]byte(nil), schema...) }
