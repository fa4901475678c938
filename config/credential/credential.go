// Package credential turns the reference in a profile into the secret, and stores a secret so that a reference can name
// it.
//
// The value lives in its own file (the default), with a command, with systemd, in the key ring, in the environment, in
// a person's head or with an OAuth provider; docs/security.md §2 weighs them. Nothing here prints, logs or caches a
// secret.
package credential

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"time"

	"postier/config"
	"postier/internal/safefile"
	"postier/internal/secret"
)

const (
	// MaxSecret is the longest secret in octets: OAuth tokens reach 2 KiB, passwords stay far below.
	MaxSecret = 4096
	// commandWait bounds a command, which may have to ask a store over the network.
	commandWait = 10 * time.Second
	// keyringWait bounds the key ring, which can hang for ever on a machine without a desktop.
	keyringWait = 3 * time.Second
	// folder holds the secret files next to the configuration.
	folder = "secrets"
)

// Request says for which sign-in a secret is asked (kind ask).
type Request struct {
	Profile  string
	Username string
	Host     string
	Type     config.SecretType
}

// TokenSource gives an access token for a profile of kind oauth.
type TokenSource interface {
	Token(ctx context.Context, profile string, reference config.Credential) (secret.Value, error)
}

// Keyring is the part of the operating system's key ring that is used.
type Keyring interface {
	Get(service, user string) (string, error)
	Set(service, user, value string) error
	Delete(service, user string) error
}

// Store resolves, keeps and removes secrets. Folder must be set; the rest has working defaults.
type Store struct {
	// Folder is the configuration's folder, absolute.
	Folder string
	// Getenv is os.Getenv by default.
	Getenv func(string) string
	// Ask asks the person at the terminal; nil if there is no one to ask.
	Ask func(context.Context, Request) (secret.Value, error)
	// OAuth is nil until a sign-in by OAuth is set up.
	OAuth TokenSource
	// Keyring is the system's by default.
	Keyring Keyring

	commandWait, keyringWait time.Duration
}

// For returns the store of the configuration at path.
func For(path string) *Store { return &Store{Folder: filepath.Dir(path)} }

// Resolve returns the secret of a profile. An error is an *Error with a sentence for people, or the context's own.
func (s *Store) Resolve(ctx context.Context, name string, p *config.Profile) (secret.Value, error) {
	if err := ctx.Err(); err != nil {
		return secret.Value{}, err
	}
	reference := p.Credential
	fail := func(problem Problem, err error) (secret.Value, error) {
		return secret.Value{}, &Error{
			Profile: name, Kind: reference.Kind, Problem: problem, Where: where(reference),
			Err: err,
		}
	}
	var raw string
	var err error
	switch reference.Kind {
	case config.CredentialFile:
		raw, err = s.readFile(s.path(reference.Path), safefile.ReadOptions{})
	case config.CredentialCommand:
		raw, err = s.runCommand(ctx, reference.Command)
	case config.CredentialSystemd:
		raw, err = s.readSystemd(reference.Name)
	case config.CredentialKeyring:
		raw, err = s.readKeyring(ctx, reference.Name)
	case config.CredentialEnv:
		raw, err = s.readEnv(reference.Name)
	case config.CredentialInline:
		raw = reference.Value
	case config.CredentialAsk:
		return s.ask(ctx, name, p, fail)
	case config.CredentialOAuth:
		return s.token(ctx, name, reference, fail)
	default:
		return fail(Unknown, nil)
	}
	if err != nil {
		if ctx.Err() != nil {
			return secret.Value{}, ctx.Err()
		}
		value, failure := fail(problemOf(err), err)
		var said *commandError
		var typed *Error
		if errors.As(err, &said) && errors.As(failure, &typed) {
			typed.Stderr = said.stderr
		}
		return value, failure
	}
	value, problem := parse(raw)
	if problem != "" {
		return fail(problem, nil)
	}
	return value, nil
}

// parse trims one line end, which editors and echo add, and refuses values that no server could have issued.
func parse(raw string) (secret.Value, Problem) {
	value := strings.TrimSuffix(strings.TrimSuffix(raw, "\n"), "\r")
	switch {
	case value == "":
		return secret.Value{}, Empty
	case len(value) > MaxSecret:
		return secret.Value{}, TooLong
	case strings.ContainsAny(value, "\x00\r\n"):
		return secret.Value{}, Malformed
	}
	return secret.New(value), ""
}

func (s *Store) path(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(s.Folder, path)
}

// readLimit leaves room for a line end, and for noticing that a secret is too long.
const readLimit = MaxSecret + 2

func (s *Store) readFile(path string, options safefile.ReadOptions) (string, error) {
	options.Limit = readLimit
	data, err := safefile.ReadWith(path, options)
	return string(data), err
}

// readSystemd reads what LoadCredential= or LoadCredentialEncrypted= put there; see systemd.exec(5).
func (s *Store) readSystemd(name string) (string, error) {
	dir := s.getenv("CREDENTIALS_DIRECTORY")
	if !filepath.IsAbs(dir) {
		return "", errNoSystemd
	}
	return s.readFile(filepath.Join(dir, name), safefile.ReadOptions{GroupRead: true})
}

// readEnv prefers NAME_FILE: a path in the environment leaks nothing.
func (s *Store) readEnv(name string) (string, error) {
	if path := s.getenv(name + "_FILE"); path != "" {
		return s.readFile(s.path(path), safefile.ReadOptions{})
	}
	value := s.getenv(name)
	if value == "" {
		return "", errUnset
	}
	return value, nil
}

func (s *Store) getenv(name string) string {
	if s.Getenv != nil {
		return s.Getenv(name)
	}
	return os.Getenv(name)
}

type failer func(Problem, error) (secret.Value, error)

func (s *Store) ask(ctx context.Context, name string, p *config.Profile, fail failer) (secret.Value, error) {
	if s.Ask == nil {
		return fail(NobodyToAsk, nil)
	}
	value, err := s.Ask(ctx, Request{name, p.Submission.Username, p.Submission.Host, p.Credential.Type})
	if err != nil {
		return secret.Value{}, err
	}
	return checked(value, fail)
}

func (s *Store) token(ctx context.Context, name string, reference config.Credential, fail failer) (secret.Value,
	error,
) {
	if s.OAuth == nil {
		return fail(NotSignedIn, nil)
	}
	value, err := s.OAuth.Token(ctx, name, reference)
	if err != nil {
		return secret.Value{}, err
	}
	return checked(value, fail)
}

// checked applies the rules to a value that came as a secret, without cutting anything.
func checked(value secret.Value, fail failer) (secret.Value, error) {
	if _, problem := parse(value.Reveal() + "\n"); problem != "" {
		return fail(problem, nil)
	}
	return value, nil
}

// Put keeps a secret for a profile and returns the reference to write into it. Kinds are file and keyring; secrets of
// other kinds are stored by someone else.
func (s *Store) Put(ctx context.Context, name string, kind config.CredentialKind, secretType config.SecretType,
	value secret.Value,
) (config.Credential, error) {
	reference := config.Credential{Kind: kind, Type: secretType}
	fail := func(problem Problem, err error) (config.Credential, error) {
		return config.Credential{}, &Error{Profile: name, Kind: kind, Problem: problem, Where: where(reference), Err: err}
	}
	if text := config.ValidateName(name); !text.Empty() {
		return fail(BadName, nil)
	}
	if _, problem := parse(value.Reveal() + "\n"); problem != "" {
		return fail(problem, nil)
	}
	switch kind {
	case config.CredentialFile:
		reference.Path = folder + "/" + name
		// The line end makes the file readable in a terminal; readers trim it.
		err := safefile.Write(s.path(reference.Path), []byte(value.Reveal()+"\n"), safefile.Options{})
		if err != nil {
			return fail(problemOf(err), err)
		}
	case config.CredentialKeyring:
		reference.Name = name
		if err := s.writeKeyring(ctx, name, value); err != nil {
			return fail(problemOf(err), err)
		}
	default:
		return fail(NotOurs, nil)
	}
	return reference, nil
}

// Remove deletes a secret that Put has kept. Secrets of other kinds, and files outside the folder secrets, are left
// alone, because they belong to someone else. It is no error if the secret no longer exists.
func (s *Store) Remove(ctx context.Context, name string, reference config.Credential) error {
	var err error
	switch reference.Kind {
	case config.CredentialFile, config.CredentialOAuth:
		path := filepath.Clean(s.path(reference.Path))
		if reference.Kind == config.CredentialOAuth {
			path = filepath.Clean(s.OAuthFile(name, reference))
		}
		if filepath.Dir(path) != filepath.Join(s.Folder, folder) {
			return nil
		}
		err = safefile.Remove(path)
	case config.CredentialKeyring:
		err = s.deleteKeyring(ctx, reference.Name)
	}
	if err != nil {
		return &Error{Profile: name, Kind: reference.Kind, Problem: problemOf(err), Where: where(reference), Err: err}
	}
	return nil
}
