package sasl

import (
	"slices"

	"postier/config"
	"postier/internal/secret"
)

// Account is a server of either protocol and who signs in there.
type Account struct {
	// Server's Username is the name to sign in with.
	Server config.Server
	Secret secret.Value
	// SecretType decides between the mechanisms for passwords and those for tokens.
	SecretType config.SecretType
	// Pins are accepted SPKI fingerprints (docs/security.md T4).
	Pins []string
	// AllowCleartext is set only after a technician typed the host name.
	AllowCleartext bool
}

// Same reports whether two accounts sign in to the same server in the same way with the same secret.
func (a Account) Same(b Account) bool {
	return a.Server == b.Server && a.Secret.Equal(b.Secret) && a.SecretType == b.SecretType &&
		slices.Equal(a.Pins, b.Pins) && a.AllowCleartext == b.AllowCleartext
}
