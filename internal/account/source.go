package account

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"postier/config"
	"postier/config/credential"
	"postier/internal/wire"
	"postier/presets"
)

// Source makes Targets of saved profiles.
type Source struct {
	// Network dials the servers. A profile can trust further roots.
	Network *wire.Network
	// Book holds the presets of the providers; nil means the built-in ones.
	Book *presets.Book
	// ConfigPath is the configuration's file: relative names in a profile start at its folder.
	ConfigPath string
	// Credentials resolves the references to secrets.
	Credentials *credential.Store
}

// Profile returns the target of a saved profile with its secret, and a network that also trusts the profile's own
// roots.
func (s *Source) Profile(ctx context.Context, name string, p *config.Profile) (Target, *wire.Network, error) {
	network, err := Trusting(s.Network, s.ConfigPath, p.TLS.CAFile)
	if err != nil {
		return Target{}, nil, &RootsError{err}
	}
	t, err := s.Target(ctx, name, p)
	return t, network, err
}

// Target returns the target of a saved profile with its secret.
func (s *Source) Target(ctx context.Context, name string, p *config.Profile) (Target, error) {
	t := Of(name, p, s.Book)
	if p.Submission.Auth == config.MechanismNone && p.Credential.Kind == "" {
		return t, nil
	}
	var err error
	t.Secret, err = s.Credentials.Resolve(ctx, name, p)
	return t, err
}

// Of returns the target of a profile, without its secret. The settings of a draft, or those found for an address,
// become a profile first, so that the checks dial exactly what deliveries will dial. A nil book means the built-in one.
func Of(name string, p *config.Profile, book *presets.Book) Target {
	t := Target{
		Address: p.From.Address, From: p.From.Address, Profile: name, Provider: p.Provider, Submission: p.Submission,
		IMAP: p.SentCopy.IMAP, SentMode: p.SentCopy.Mode, SentFolder: p.SentCopy.Folder, SecretType: p.Credential.Type,
		Pins: p.TLS.PinSHA256, AllowCleartext: p.Insecure,
	}
	if book == nil {
		book = presets.Default()
	}
	if provider, ok := book.Get(p.Provider); ok {
		t.describe(provider)
	}
	return t
}

// describe fills in the facts about the provider from its preset.
func (t *Target) describe(p *presets.Provider) {
	t.Selectors, t.SentFolders = p.DKIM.Selectors, p.SentFolders
	t.SPFInclude, t.SPFRedirect = p.SPF.Include, p.SPF.Redirect
	if t.SecretType != config.SecretOAuth || p.OAuth == nil || len(p.OAuth.SASL) != 1 {
		return
	}
	// The provider's servers accept tokens by one mechanism only, so no other is tried.
	only := func(server *config.Server) {
		if server.Auth == "" || server.Auth == config.MechanismAuto {
			server.Auth = p.OAuth.SASL[0]
		}
	}
	only(&t.Submission)
	if t.IMAP != nil {
		imap := *t.IMAP // the caller's profile must not change
		only(&imap)
		t.IMAP = &imap
	}
}

// RootsError says that the file with a profile's own roots cannot be used, which says nothing about its secret.
type RootsError struct{ Err error }

func (e *RootsError) Error() string { return "the roots of the profile: " + e.Err.Error() }

// Unwrap gives the cause.
func (e *RootsError) Unwrap() error { return e.Err }

// ErrNoCertificate says that a file of roots holds none.
var ErrNoCertificate = errors.New("no certificate in PEM form")

// Trusting returns a network that also trusts the roots in caFile; a relative path starts at the configuration's
// folder. Without a file it returns network itself.
func Trusting(network *wire.Network, configPath, caFile string) (*wire.Network, error) {
	if caFile == "" {
		return network, nil
	}
	path, data, err := Roots(configPath, caFile)
	if err != nil {
		return nil, err
	}
	trusting, ok := network.Trusting(data)
	if !ok {
		return nil, &fs.PathError{Op: "read", Path: path, Err: ErrNoCertificate}
	}
	return trusting, nil
}

// Roots reads a profile's file of roots, whose path may be relative to the folder of the configuration.
func Roots(configPath, caFile string) (path string, data []byte, err error) {
	path = caFile
	if !filepath.IsAbs(path) {
		path = filepath.Join(filepath.Dir(configPath), path)
	}
	data, err = os.ReadFile(path)
	return path, data, err
}
