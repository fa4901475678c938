package check

//go:generate go run ./internal/causelist -data ../../diagnostics/explain/data/causes -out causes.go

// Cause says why a check did not pass. It is the slug of an entry in the catalogue of diagnostics/explain, from whose
// data the constants are generated. It is empty where a check passed.
type Cause string
