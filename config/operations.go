package config

import (
	"fmt"
	"time"

	"postier/internal/locale"
	"postier/internal/safetext"
)

// OperationError says why an operation on a profile was not carried out.
type OperationError struct {
	Op, Name string
	Reason   Text
}

// Error has the English sentence.
func (e *OperationError) Error() string {
	return fmt.Sprintf("%s profile %q: %s", e.Op, e.Name, locale.For(locale.English).Say(e.Reason))
}

// Text is the sentence.
func (e *OperationError) Text() Text { return e.Reason }

// Profile returns a profile by name, "" meaning the default.
func (d *Document) Profile(name string) (*Profile, error) {
	if name == "" {
		name = d.File.Default
	}
	p := d.File.Profiles[name]
	if p == nil {
		return nil, d.unknownProfile("find", name)
	}
	return p, nil
}

func (d *Document) unknownProfile(op, name string) error {
	return &OperationError{op, name, locale.Msg("config.profile.unknown", "name", safetext.FromRemote(name))}
}

// Put adds or replaces a profile; the first one becomes the default.
func (d *Document) Put(name string, p *Profile) error {
	if text := ValidateName(name); !text.Empty() {
		return &OperationError{"put", name, text}
	}
	if d.File.Profiles == nil {
		d.File.Profiles = map[string]*Profile{}
	}
	d.File.Profiles[name] = p
	if d.File.Default == "" {
		d.File.Default = name
	}
	return nil
}

// Rename gives a profile another name and keeps its unknown keys. Default and fallback follow.
func (d *Document) Rename(name, to string) error {
	p := d.File.Profiles[name]
	if p == nil {
		return d.unknownProfile("rename", name)
	}
	if text := ValidateName(to); !text.Empty() {
		return &OperationError{"rename", name, text}
	}
	if to == name {
		return nil
	}
	if d.File.Profiles[to] != nil {
		return &OperationError{"rename", name, locale.Msg("config.profile.taken", "name", to)}
	}
	delete(d.File.Profiles, name)
	d.File.Profiles[to] = p
	if d.File.Default == name {
		d.File.Default = to
	}
	if d.File.Fallback == name {
		d.File.Fallback = to
	}
	d.renameInTree(name, to)
	return nil
}

func (d *Document) renameInTree(name, to string) {
	if d.tree == nil {
		return
	}
	profiles := d.tree.Get("profiles")
	if profiles == nil {
		return
	}
	for i, m := range profiles.Members {
		if m.Key == name {
			profiles.Members[i].Key = to
		}
	}
}

// Remove deletes a profile. If other profiles are left, another one must become the default first. A fallback is
// cleared. The caller removes the secret (credential.Store.Remove).
func (d *Document) Remove(name string) error {
	if d.File.Profiles[name] == nil {
		return d.unknownProfile("remove", name)
	}
	if d.File.Default == name {
		if len(d.File.Profiles) > 1 {
			return &OperationError{"remove", name, locale.Msg("config.profile.is_default", "name", name)}
		}
		d.File.Default = ""
	}
	if d.File.Fallback == name {
		d.File.Fallback = ""
	}
	delete(d.File.Profiles, name)
	return nil
}

// SetDefault marks the profile that sends when no other matches. It must be switched on.
func (d *Document) SetDefault(name string) error {
	p := d.File.Profiles[name]
	switch {
	case p == nil:
		return d.unknownProfile("default", name)
	case !p.Enabled:
		return &OperationError{"default", name, locale.Msg("config.profile.off", "name", name)}
	}
	d.File.Default = name
	return nil
}

// SetFallback names the profile that takes over when another one cannot send (D-5), "" for none. It must be able to
// send by itself: switched on, without a person who is asked for the password, and not the only profile. As the file
// has one fallback, two profiles cannot pass a message to each other.
func (d *Document) SetFallback(name string) error {
	p := d.File.Profiles[name]
	refused := func(text Text) error { return &OperationError{"fallback", name, text} }
	switch {
	case name == "":
	case p == nil:
		return d.unknownProfile("fallback", name)
	case !p.Enabled:
		return refused(locale.Msg("config.profile.off", "name", name))
	case len(d.File.Profiles) == 1:
		return refused(locale.Msg("config.fallback.only", "name", name))
	case p.Credential.Kind == CredentialAsk:
		return refused(locale.Msg("config.fallback.ask", "name", name))
	}
	d.File.Fallback = name
	return nil
}

// Enable switches a profile on and clears the reason for which it was switched off (D-1, D-5).
func (d *Document) Enable(name string) error {
	p := d.File.Profiles[name]
	if p == nil {
		return d.unknownProfile("enable", name)
	}
	p.Enabled, p.Disabled = true, nil
	return nil
}

// Disable switches a profile off and keeps its settings (D-1). cause is "" when a person switched it off, otherwise the
// name of a cause (D-5).
func (d *Document) Disable(name string, cause Cause, at time.Time) error {
	p := d.File.Profiles[name]
	if p == nil {
		return d.unknownProfile("disable", name)
	}
	p.Enabled, p.Disabled = false, nil
	if cause != "" {
		p.Disabled = &Disabled{At: at.UTC().Truncate(time.Second), Cause: cause}
	}
	return nil
}
