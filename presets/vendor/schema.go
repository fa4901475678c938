package vendor

import _ "embed"

//go:generate go test . -run TestSchemaIsCurrent -update

//go:embed vendor.schema.json
var schema []byte

// Schema returns the JSON Schema (draft 2020-12) of the file. Validate checks more.
func Schema() []byte { return append([]byte(nil), schema...) }
