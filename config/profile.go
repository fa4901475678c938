// Package config is the contract between postier and the programs that send mail: the configuration file with its
// profiles, how it is validated, and how it is read and written safely.
//
// It also defines the types that every other package uses: Server, Security, Mechanism. It imports none of those
// packages.
package config

import (
	"cmp"
	"time"
)

// Version is the version of the file format that this program writes.
const Version = 1

// Security says how a connection is protected. Authentication is a separate choice (Mechanism).
type Security string

// The kinds of security. Implicit TLS is RFC 8314 §3.3, STARTTLS RFC 3207 and RFC 9051 §6.2.1.
const (
	SecurityTLS      Security = "tls"
	SecurityStartTLS Security = "starttls"
	SecurityNone     Security = "none"
	// SecurityAuto lets the program find out: implicit TLS first, then STARTTLS required; never cleartext.
	SecurityAuto Security = "auto"
)

// Mechanism is a way of signing in (SASL).
type Mechanism string

// The mechanisms. MechanismAuto picks the strongest that the server offers, MechanismNone does not sign in.
const (
	MechanismAuto        Mechanism = "auto"
	MechanismNone        Mechanism = "none"
	MechanismPlain       Mechanism = "plain"
	MechanismLogin       Mechanism = "login"
	MechanismCRAMMD5     Mechanism = "cram-md5"
	MechanismSCRAMSHA1   Mechanism = "scram-sha-1"
	MechanismSCRAMSHA256 Mechanism = "scram-sha-256"
	MechanismNTLM        Mechanism = "ntlm"
	MechanismXOAuth2     Mechanism = "xoauth2"
	MechanismOAuthBearer Mechanism = "oauthbearer"
)

// TakesToken reports whether the mechanism signs in with an OAuth token in place of a password.
func (m Mechanism) TakesToken() bool { return m == MechanismXOAuth2 || m == MechanismOAuthBearer }

// Server is one server to talk to: the submission server of a profile, or its IMAP server.
type Server struct {
	Host     string    `json:"host"`
	Port     int       `json:"port"`
	Security Security  `json:"security"`
	Auth     Mechanism `json:"auth,omitempty"`
	Username string    `json:"username,omitempty"`
	// Helo is the name for EHLO; empty means that the program chooses (RFC 5321 §4.1.1.1).
	Helo string `json:"helo,omitempty"`
}

// Address is a mailbox with the name that recipients see.
type Address struct {
	Name    string `json:"name,omitempty"`
	Address string `json:"address"`
}

// SentMode says who files the copy of what was sent.
type SentMode string

// The ways a Sent copy comes about.
const (
	SentAppend SentMode = "append" // this program appends it by IMAP
	SentServer SentMode = "server" // the provider files it automatically
	SentNone   SentMode = "none"   // no copy is filed
)

// SentCopy is the profile's rule for the copy in the Sent folder.
type SentCopy struct {
	Mode SentMode `json:"mode"`
	IMAP *Server  `json:"imap,omitempty"`
	// Folder is the name as people read it (UTF-8, not modified UTF-7), with the server's own prefix and separator.
	Folder string `json:"folder,omitempty"`
}

// CredentialKind says where the secret is kept.
type CredentialKind string

// The kinds of credential reference. Inline is read for compatibility and never written.
const (
	CredentialFile    CredentialKind = "file"
	CredentialCommand CredentialKind = "command"
	CredentialSystemd CredentialKind = "systemd"
	CredentialKeyring CredentialKind = "keyring"
	CredentialEnv     CredentialKind = "env"
	CredentialAsk     CredentialKind = "ask"
	CredentialOAuth   CredentialKind = "oauth"
	CredentialInline  CredentialKind = "inline"
)

// SecretType says what the secret is: it decides how the secret is cleaned, and what the program says when the server
// refuses it.
type SecretType string

// The types of secret.
const (
	SecretPassword       SecretType = "password"
	SecretAppPassword    SecretType = "app-password"
	SecretDevicePassword SecretType = "device-password"
	SecretAPIKey         SecretType = "api-key"
	SecretOAuth          SecretType = "oauth"
)

// Credential is a reference to a secret, never the secret itself.
type Credential struct {
	Kind CredentialKind `json:"kind"`
	Type SecretType     `json:"type,omitempty"`
	// Path of the file, relative to the configuration's folder (file), or of the OAuth token file (oauth).
	Path string `json:"path,omitempty"`
	// Command is an argument list, run without a shell (command).
	Command []string `json:"command,omitempty"`
	// Name of the systemd credential, of the key ring entry, or of the environment variable.
	Name string `json:"name,omitempty"`
	// Provider, Tenant and ClientID belong to oauth.
	Provider string `json:"provider,omitempty"`
	Tenant   string `json:"tenant,omitempty"`
	ClientID string `json:"client_id,omitempty"`
	// Value is read and never written (inline).
	Value string `json:"value,omitempty"`
}

// Batch is a number of messages and then a pause (LIMITE and WAIT of the port field).
type Batch struct {
	Messages    int     `json:"messages,omitempty"`
	WaitSeconds float64 `json:"wait_seconds,omitempty"`
}

// Limits bound what is sent; 0 means no limit.
type Limits struct {
	PerHour              int   `json:"per_hour,omitempty"`
	PerDay               int   `json:"per_day,omitempty"`
	PerWeek              int   `json:"per_week,omitempty"`
	RecipientsPerMessage int   `json:"recipients_per_message,omitempty"`
	Batch                Batch `json:"batch,omitzero"`
}

// TestMode sends every message to one address instead of its recipients.
type TestMode struct {
	Enabled bool   `json:"enabled"`
	Address string `json:"address,omitempty"`
}

// TLS holds the exceptions that a technician made for one profile.
type TLS struct {
	// PinSHA256 are SHA-256 fingerprints of the leaf's SubjectPublicKeyInfo, in lower-case hex.
	PinSHA256 []string `json:"pin_sha256,omitempty"`
	CAFile    string   `json:"ca_file,omitempty"`
}

// Validated records which checks passed, and for which settings.
type Validated struct {
	At time.Time `json:"at"`
	// Digest covers the settings that were proven; see Profile.Digest.
	Digest string `json:"digest"`
	// Checks maps checks to their verdicts.
	Checks map[CheckID]CheckStatus `json:"checks,omitempty"`
}

// Profile is one way to send mail.
type Profile struct {
	Label    string   `json:"label,omitempty"`
	Enabled  bool     `json:"enabled"`
	Provider string   `json:"provider,omitempty"`
	From     Address  `json:"from"`
	ReplyTo  string   `json:"reply_to,omitempty"`
	BCC      []string `json:"bcc,omitempty"`
	// Senders are the domains and addresses whose messages this profile sends (P-3).
	Senders []string `json:"senders,omitempty"`
	// Kinds switches message kinds on or off by name; a kind that is not listed is on (D-4).
	Kinds      map[string]bool `json:"kinds,omitempty"`
	Submission Server          `json:"submission"`
	// Insecure is true when a technician accepted cleartext; consumers warn on every send.
	Insecure   bool       `json:"insecure,omitempty"`
	Credential Credential `json:"credential,omitzero"`
	SentCopy   SentCopy   `json:"sent_copy"`
	Limits     Limits     `json:"limits,omitzero"`
	TestMode   TestMode   `json:"test_mode,omitzero"`
	TLS        TLS        `json:"tls,omitzero"`
	// Disabled says why the profile was switched off by the program (D-5).
	Disabled  *Disabled  `json:"disabled,omitempty"`
	Validated *Validated `json:"validated,omitempty"`
}

// Disabled is the reason for an automatic deactivation.
type Disabled struct {
	At    time.Time `json:"at"`
	Cause Cause     `json:"cause"`
}

// File is the whole configuration.
type File struct {
	Schema   string              `json:"$schema,omitempty"`
	Version  int                 `json:"version"`
	Default  string              `json:"default,omitempty"`
	Fallback string              `json:"fallback,omitempty"`
	Profiles map[string]*Profile `json:"profiles"`
	// Aliases are where mail to local names goes, such as root or www-data: addresses or other local names. "*" stands for
	// every name that is not listed.
	Aliases map[string][]string `json:"aliases,omitempty"`
	// Queue says where accepted messages, counters and the suppression list are kept.
	Queue Queue `json:"queue,omitzero"`
	// Submit says who may hand messages to the machine's service.
	Submit Submit `json:"submit,omitzero"`
	// Log says how long messages stay in the log.
	Log Log `json:"log,omitzero"`
	// Watch says how often what was proven is checked again, and who is told.
	Watch Watch `json:"watch,omitzero"`
}

// Log says how long messages stay in the log, and what of them.
type Log struct {
	// Days and Messages are how old messages may be, and how many; 0 means the default.
	Days     int `json:"days,omitempty"`
	Messages int `json:"messages,omitempty"`
	// Text keeps the text as well, so that a message can be sent again.
	Text bool `json:"text,omitempty"`
}

const (
	defaultLogDays     = 90
	defaultLogMessages = 100_000
)

// Age is how long a message stays in the log after it was finished.
func (l Log) Age() time.Duration {
	return time.Duration(cmp.Or(l.Days, defaultLogDays)) * 24 * time.Hour
}

// Most is how many finished messages stay in the log.
func (l Log) Most() int { return cmp.Or(l.Messages, defaultLogMessages) }

// QueueMode says how messages are delivered (P-13).
type QueueMode string

// The modes. ModeQueue keeps what did not leave and tries again; ModeDirect tries once and tells the caller. An empty
// mode is ModeQueue.
const (
	ModeQueue  QueueMode = "queue"
	ModeDirect QueueMode = "direct"
)

// QueueModes lists the modes.
func QueueModes() []QueueMode { return []QueueMode{ModeQueue, ModeDirect} }

// Queue says how messages are delivered, and where the state of sending is stored.
type Queue struct {
	Mode QueueMode `json:"mode,omitempty"`
	// Database is a file, relative to the configuration's folder or absolute, or a PostgreSQL URL without a password when
	// several machines share the work and the limits. Empty means the file that postier chooses.
	Database string `json:"database,omitempty"`
}

// Submit is the rule for the socket of the machine's service.
type Submit struct {
	// Allow lists the local users, and groups as @NAME, whose messages are taken; without it all are.
	Allow []string `json:"allow,omitempty"`
}
