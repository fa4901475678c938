package imap

import (
	"encoding/json"
	"strings"

	"postier/diagnostics"
	"postier/internal/safetext"
)

// general are the causes by response code (RFC 5530, RFC 9051 §7.1) for replies that the catalogue does not know.
var general = map[string]string{
	"AUTHENTICATIONFAILED": "wrong-password", "AUTHORIZATIONFAILED": "oauth-scope-missing", "EXPIRED": "password-expired",
	"PRIVACYREQUIRED": "tls-required", "CONTACTADMIN": "account-suspended", "UNAVAILABLE": "server-busy", "INUSE": "server-busy",
	"SERVERBUG": "server-busy", "LIMIT": "too-many-connections", "OVERQUOTA": "mailbox-full", "TOOBIG": "message-too-large",
	"TRYCREATE": "folder-missing", "NONEXISTENT": "folder-missing", "NOPERM": "folder-read-only", "READ-ONLY": "folder-read-only",
	"CLIENTBUG": "protocol-error", "CANNOT": "append-refused",
}

// explain finds the cause of a refusal.
func (r *run) explain(result *diagnostics.Result, refused *ReplyError) {
	result.Cause = general[refused.Code]
	switch {
	case result.Cause != "":
	case refused.Status == "BAD":
		result.Cause = "protocol-error"
	case refused.Command == loginCommand || refused.Command == "AUTHENTICATE":
		result.Cause = "wrong-password"
	default:
		result.Cause = "unknown"
	}
}

// explainChallenge reads the JSON with which OAuth servers refuse (RFC 7628 §3.2.2).
func (r *run) explainChallenge(result *diagnostics.Result, challenge safetext.Remote) {
	var said struct {
		Status string `json:"status"`
	}
	if json.Unmarshal([]byte(challenge.Raw()), &said) != nil {
		return
	}
	switch strings.ToLower(said.Status) {
	case "401", "400", "invalid_token":
		result.Cause = "oauth-token-expired"
	case "insufficient_scope":
		result.Cause = "oauth-scope-missing"
	}
}
