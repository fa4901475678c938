package diagnose

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"postier/config"
	"postier/internal/account"
	"postier/internal/discovery"
	"postier/internal/exitcode"
	"postier/internal/safetext"
	"postier/internal/wire"
	"postier/wizard"
	"postier/wizard/worker"
)

// target finds what to check: a profile by name, an address by its preset or its domain's MX, or the flags
// alone.
func (o *Options) target(ctx context.Context) (account.Target, error) {
	var target account.Target
	var err error
	switch {
	case len(o.About) == 1 && strings.Contains(o.About[0], "@"):
		target, err = o.targetOfAddress(ctx, o.About[0])
	case len(o.About) == 0 && o.Values[wizard.FieldSMTPHost] != "":
		target.Provider, target.Address = "custom", givenAddress(o.Values)
	default:
		target, err = o.targetOfProfile(ctx)
	}
	if err != nil {
		return target, err
	}
	// A profile's permission for cleartext holds for its own hosts alone (docs/security.md T1).
	target.AllowCleartext = target.AllowCleartext && o.Values[wizard.FieldSMTPHost] == "" &&
		o.Values[wizard.FieldIMAPHost] == ""
	applySettings(&target, o.Values)
	if target.Submission.Host == "" {
		return target, o.Fault(exitcode.Data, "cli.error.no-servers", "address", safetext.FromRemote(target.Address))
	}
	return target, nil
}

func (o *Options) targetOfProfile(ctx context.Context) (account.Target, error) {
	doc, name, p, err := o.ProfileNamed(o.About)
	if err != nil {
		return account.Target{}, err
	}
	if !p.Enabled {
		o.off = name
	}
	if p.Credential.Kind == config.CredentialAsk {
		return account.Of(name, p, o.Book()), nil // asked for once it is known that a sign-in is wanted
	}
	source := account.Source{Book: o.Book(), ConfigPath: doc.Path, Credentials: o.Credentials(doc.Path)}
	return source.Target(ctx, name, p)
}

// targetOfAddress takes the servers from the preset of the domain, or from what the domain publishes.
func (o *Options) targetOfAddress(ctx context.Context, address string) (account.Target, error) {
	if err := o.CheckAddress(address); err != nil {
		return account.Target{}, err
	}
	target := account.Target{Address: address, Provider: "custom"}
	if o.Values[wizard.FieldSMTPHost] != "" {
		return target, nil
	}
	network, err := o.Network()
	if err != nil {
		return target, err
	}
	w := &worker.Worker{Network: network, Book: o.Book()}
	candidates, err := w.Candidates(ctx, address)
	if err != nil {
		return target, o.Sentence(err, "domain", safetext.FromRemote(config.AddressDomain(address)))
	}
	sure := slices.IndexFunc(candidates, func(c wizard.Candidate) bool { return !c.Confirm })
	if sure < 0 {
		return target, o.unconfirmed(address, candidates)
	}
	best := candidates[sure]
	o.local(ctx, network, best.Submission.Host)
	if best.IMAP != nil && best.IMAP.Host != best.Submission.Host {
		o.local(ctx, network, best.IMAP.Host)
	}
	target = account.Of("", &config.Profile{
		Provider: best.Provider, From: config.Address{Address: address}, Submission: best.Submission,
		Credential: config.Credential{Type: best.Credential},
		SentCopy:   config.SentCopy{Mode: best.SentMode, IMAP: best.IMAP},
	}, o.Book())
	return target, nil
}

// unconfirmed names the server that was found where no one vouches for it, and why: what was not confirmed is not
// contacted with a password (docs/security.md T5). It is nil if nothing was found.
func (o *Options) unconfirmed(address string, candidates []wizard.Candidate) error {
	if len(candidates) == 0 || candidates[0].Submission.Host == "" {
		return nil
	}
	best := candidates[0]
	var why []string
	for _, reason := range best.Reasons {
		why = append(why, o.Say(discovery.Reason(reason).Text()))
	}
	return o.Fault(exitcode.Data, "cli.error.servers-unconfirmed", "address", safetext.FromRemote(address),
		"host", safetext.FromRemote(best.Submission.Host), "port", best.Submission.Port, "why", strings.Join(why, " "))
}

// local says that a server which the domain names is on this machine or in its network: whoever runs the domain chose
// that address (docs/security.md T15).
func (o *Options) local(ctx context.Context, network *wire.Network, host string) {
	addresses, err := network.Addresses(ctx, host)
	if err != nil {
		return
	}
	for _, ip := range addresses {
		if !wire.Public(ip) {
			o.Note(o.T("diagnose.local-address", "host", safetext.FromRemote(host), "ip", ip))
		}
	}
}

// givenAddress is the address that the flags name: the author's, or the user name where it is one.
func givenAddress(values map[wizard.FieldID]string) string {
	address := values[wizard.FieldFrom]
	if address == "" && strings.Contains(values[wizard.FieldUser], "@") {
		address = values[wizard.FieldUser]
	}
	return address
}

// applySettings overrides what was found with the values of flags.
func applySettings(t *account.Target, values map[wizard.FieldID]string) {
	s := &t.Submission
	set(values, wizard.FieldSMTPHost, &s.Host)
	if text, ok := values[wizard.FieldSMTPPort]; ok {
		port, _ := config.ParsePortField(text)
		before := *s
		set(values, wizard.FieldSMTPSecurity, &s.Security)
		if port.Apply(s, new(config.Batch)); port.Security == "" {
			*s = s.FollowPort(before)
		}
	}
	set(values, wizard.FieldSMTPSecurity, &s.Security)
	set(values, wizard.FieldAuth, &s.Auth)
	s.Security = cmp.Or(s.Security, config.SecurityAuto)
	s.Auth = cmp.Or(s.Auth, config.MechanismAuto)
	s.Username = cmp.Or(s.Username, t.Address)
	set(values, wizard.FieldUser, &s.Username)
	set(values, wizard.FieldHelo, &s.Helo)
	set(values, wizard.FieldFrom, &t.From)
	if host, ok := values[wizard.FieldIMAPHost]; ok && host != "" {
		t.IMAP = &config.Server{
			Host: host, Port: config.PortIMAPS, Security: config.SecurityAuto, Auth: config.MechanismAuto,
			Username: s.Username,
		}
	} else if ok {
		t.IMAP = nil
	}
	if t.IMAP != nil {
		server := *t.IMAP
		if text, ok := values[wizard.FieldIMAPPort]; ok {
			set(values, wizard.FieldIMAPSecurity, &server.Security)
			server.Port, _ = server.IMAPPort(text)
			server = server.FollowPort(*t.IMAP)
		}
		set(values, wizard.FieldIMAPSecurity, &server.Security)
		set(values, wizard.FieldIMAPUser, &server.Username)
		t.IMAP = &server
	}
	set(values, wizard.FieldSentFolder, &t.SentFolder)
	set(values, wizard.FieldSentCopy, &t.SentMode)
}

// set overrides a value where one was given.
func set[T ~string](values map[wizard.FieldID]string, id wizard.FieldID, to *T) {
	if v, ok := values[id]; ok {
		*to = T(v)
	}
}
