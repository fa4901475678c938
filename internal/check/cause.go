package check

//go:generate go run ./internal/causelist -data ../../diagnostics/explain/data/causes -out causes.go

// Cause is why a check did not pass: a slug of the catalogue in diagnostics/explain, from whose data the constants are
// made. It is empty where a check passed.
type Cause string
