package rehearsal

import (
	"bytes"
	"io"
	"maps"
	"slices"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"
	"github.com/emersion/go-sasl"
)

// imapServer builds the server of one port. The library does not support QUOTA (RFC 9208), so the provider does not
// offer it; a full mailbox shows at APPEND.
func (p *Provider) imapServer() *imapserver.Server {
	caps := imap.CapSet{
		imap.CapIMAP4rev1:  {},
		imap.CapNamespace:  {},
		imap.CapUIDPlus:    {},
		imap.CapMove:       {},
		imap.CapESearch:    {},
		imap.CapListStatus: {},
		// LIST … RETURN is LIST-EXTENDED; SPECIAL-USE names the folder for sent mail.
		imap.CapListExtended: {},
		imap.CapSpecialUse:   {},
		imap.CapLiteralPlus:  {},
	}
	if p.behaviour.noSpecialUse {
		delete(caps, imap.CapSpecialUse)
		delete(caps, imap.CapListExtended)
		delete(caps, imap.CapListStatus)
	}
	return imapserver.New(&imapserver.Options{
		Caps: caps, TLSConfig: p.tls, Logger: silent{},
		NewSession: func(*imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
			return &imapSession{provider: p}, nil, nil
		},
	})
}

// imapSession is one IMAP session: the library's memory server, with sign-in, special-use and the faults.
type imapSession struct {
	*imapmemserver.UserSession // nil until signed in
	provider                   *Provider
}

var (
	_ imapserver.SessionIMAP4rev2 = (*imapSession)(nil)
	_ imapserver.SessionSASL      = (*imapSession)(nil)
)

// Login implements imapserver.Session.
func (s *imapSession) Login(username, password string) error {
	judged := s.provider.judge(username, password)
	switch {
	case s.provider.behaviour.login != nil:
		return s.provider.behaviour.login
	case judged == accepted:
		s.enter()
		return nil
	case judged == needsAppPassword:
		return imapNo(imap.ResponseCodeAlert,
			"Application-specific password required: https://aide."+ProviderDomain+"/mots-de-passe (Failure)")
	default:
		return imapNo(imap.ResponseCodeAuthenticationFailed, "Authentication failed.")
	}
}

// enter opens the mailbox.
func (s *imapSession) enter() { s.UserSession = imapmemserver.NewUserSession(s.provider.store.user) }

// AuthenticateMechanisms implements imapserver.SessionSASL.
func (s *imapSession) AuthenticateMechanisms() []string {
	if s.provider.oauth != nil {
		return bearerMechanisms
	}
	return []string{"PLAIN", "LOGIN"}
}

// Authenticate implements imapserver.SessionSASL.
func (s *imapSession) Authenticate(mechanism string) (sasl.Server, error) {
	if server := s.authenticateBearer(mechanism); server != nil {
		return server, nil
	}
	switch mechanism {
	case "PLAIN":
		return sasl.NewPlainServer(func(_, username, password string) error { return s.Login(username, password) }), nil
	case "LOGIN":
		return &loginServer{judge: s.Login}, nil
	default:
		return nil, imapNo("", "mechanism not supported")
	}
}

// List implements imapserver.Session, with the attributes that the library cannot give.
func (s *imapSession) List(w *imapserver.ListWriter, ref string, patterns []string, options *imap.ListOptions) error {
	plain := s.provider.behaviour.noSpecialUse
	if plain && (options.ReturnSpecialUse || options.SelectSpecialUse) {
		return &imap.Error{Type: imap.StatusResponseTypeBad, Text: "Unknown argument: SPECIAL-USE"}
	}
	if len(patterns) == 0 {
		return s.UserSession.List(w, ref, patterns, options)
	}
	folders := s.provider.store.list()
	for _, name := range slices.Sorted(maps.Keys(folders)) {
		matches := func(pattern string) bool { return imapserver.MatchList(name, '/', ref, pattern) }
		if !slices.ContainsFunc(patterns, matches) || options.SelectSpecialUse && folders[name] == folderInbox {
			continue
		}
		data := &imap.ListData{Mailbox: name, Delim: '/', Attrs: []imap.MailboxAttr{imap.MailboxAttrHasNoChildren}}
		if use := folders[name]; use != folderInbox && !plain {
			data.Attrs = append(data.Attrs, use)
		}
		if options.ReturnStatus != nil {
			status, err := s.Status(name, options.ReturnStatus)
			if err != nil {
				return err
			}
			data.Status = status
		}
		if err := w.WriteList(data); err != nil {
			return err
		}
	}
	return nil
}

// Create implements imapserver.Session.
func (s *imapSession) Create(name string, options *imap.CreateOptions) error {
	if err := s.UserSession.Create(name, options); err != nil {
		return err
	}
	use := folderInbox
	if options != nil && len(options.SpecialUse) > 0 {
		use = options.SpecialUse[0]
	}
	s.provider.store.set(name, use)
	return nil
}

// Delete implements imapserver.Session.
func (s *imapSession) Delete(name string) error {
	if err := s.UserSession.Delete(name); err != nil {
		return err
	}
	s.provider.store.forget(name)
	return nil
}

// Rename implements imapserver.Session.
func (s *imapSession) Rename(name, newName string, options *imap.RenameOptions) error {
	if err := s.UserSession.Rename(name, newName, options); err != nil {
		return err
	}
	s.provider.store.set(newName, s.provider.store.forget(name))
	return nil
}

// Append implements imapserver.Session.
func (s *imapSession) Append(name string, r imap.LiteralReader, options *imap.AppendOptions) (*imap.AppendData, error) {
	if s.provider.behaviour.appending != nil {
		return nil, s.provider.behaviour.appending
	}
	if s.provider.behaviour.corrupts {
		message, err := io.ReadAll(r)
		if err != nil {
			return nil, err
		}
		// Some gateways add a header to every message that passes through them, including copies of sent mail.
		r = bytes.NewReader(append([]byte("X-Gateway-Checked: clean\r\n"), message...))
	}
	return s.UserSession.Append(name, r, options)
}
