package worker

import (
	"postier/config"
	"postier/config/credential"
	"postier/internal/oauth"
	"postier/wizard"
)

// tokenMove moves tokens from the conversation's file to the profile's, and back when the save failed.
type tokenMove struct {
	from, to oauth.Store
	backup   oauth.Store // what was stored there before; its path is empty when nothing was
}

// keepSignIn moves the tokens of a sign-in to the profile's file and returns the reference to them. The configuration
// itself never holds a token.
func (k *keeper) keepSignIn(d wizard.Draft) (config.Credential, error) {
	s := d.SignIn
	if s == nil {
		return config.Credential{}, &oauth.Error{Problem: oauth.NotSignedIn}
	}
	saved := d.Editing && d.Credential.Kind == config.CredentialOAuth
	if saved && !s.Pending {
		reference := d.Credential
		reference.Provider, reference.Tenant, reference.ClientID = s.Provider, s.Tenant, s.ClientID
		return reference, nil
	}
	reference := credential.OAuthReference(k.name, s.Provider, s.Tenant, s.ClientID)
	m := tokenMove{from: k.worker.tokens(*s, d), to: oauth.Store{Path: k.store.OAuthFile(k.name, reference)}}
	if m.from == m.to {
		return reference, nil
	}
	backup := oauth.Store{Path: k.store.OAuthFile("", config.Credential{Path: credential.OAuthPath(k.name + ".before")})}
	if err := m.to.CopyTo(backup.Path); err == nil {
		m.backup = backup
	}
	k.tokens = m
	if err := m.from.CopyTo(m.to.Path); err != nil {
		k.tokens.undo()
		k.tokens = tokenMove{}
		return config.Credential{}, err
	}
	return reference, nil
}

func (m tokenMove) undo() {
	switch {
	case m.to.Path == "":
		return
	case m.backup.Path == "":
		_ = m.to.Remove()
	default:
		_ = m.backup.CopyTo(m.to.Path)
		_ = m.backup.Remove()
	}
}

// tidy removes the conversation's files once the configuration is written.
func (k *keeper) tidy(d wizard.Draft) {
	if k.tokens.backup.Path != "" {
		_ = k.tokens.backup.Remove()
	}
	if d.SignIn != nil {
		_ = k.worker.signOut(*d.SignIn, d)
	}
}
