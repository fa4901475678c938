// Package presets holds what is known about mail providers: their servers, how to sign in, what must be prepared first,
// and when each fact was checked. It looks an address up by its domain or by its MX, and touches no network.
//
// Each provider is one JSON file under data: data/flagships holds the project's own facts, data/ispdb a second source
// of lower trust (Mozilla's ISPDB and Delta Chat's provider-db, MPL-2.0; see the notice there). A flagship wins
// wherever the two disagree. Nothing is parsed at start: the look-up runs on a generated table (index_data.go), and a
// provider's file is read when it is asked for.
package presets

//go:generate go run ./internal/indexgen -data data -out index_data.go
