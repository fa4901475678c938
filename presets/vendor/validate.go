package vendor

import (
	"maps"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"postier/config"
	"postier/internal/locale"
	"postier/internal/pattern"
	"postier/internal/safetext"
	"postier/presets"
)

const (
	maxName = 60  // fits a provider's field for the name of an app password
	maxLine = 200 // as labels in the configuration
)

// Validate names what is wrong with the values, in the order of the file.
func (f *File) Validate() config.Faults {
	var out config.Faults
	add := func(path, key string, args ...any) { out = append(out, fault(path, key, args...)) }
	if f.Version != Version {
		add("version", "version", "found", f.Version, "known", Version)
	}
	line := func(path, value string, limit int) {
		switch {
		case utf8.RuneCountInString(value) > limit:
			add(path, "long", "limit", limit)
		case value != strings.TrimSpace(value) || strings.ContainsFunc(value, safetext.Harmful):
			add(path, "line")
		}
	}
	line("product.name", f.Product.Name, maxName)
	line("product.label", f.Product.Label, maxName)
	line("support.name", f.Support.Name, maxLine)
	line("support.phone", f.Support.Phone, maxLine)
	for _, lang := range locale.Written() {
		text := f.Support.Note[lang]
		line("support.note", text, maxLine)
		if text == "" && !f.Support.Note.Empty() {
			add("support.note", "languages")
			break
		}
	}
	if f.Support.Email != "" {
		if text := config.ValidateAddress(f.Support.Email); !text.Empty() {
			out = append(out, config.Fault{Path: "support.email", Text: text})
		}
	}
	if f.Support.URL != "" && !secureURL(f.Support.URL) {
		add("support.url", "url")
	}
	out = append(out, f.checkRelay()...)
	out = append(out, f.checkProviders()...)
	for _, name := range slices.Sorted(maps.Keys(f.OAuth)) {
		client := f.OAuth[name]
		if !slices.Contains(oauthNames(f), name) {
			out = append(out, config.Fault{
				Path:    "oauth." + name,
				Text:    fault("", "oauth-name", "name", safetext.FromRemote(name), "list", strings.Join(oauthNames(f), ", ")).Text,
				Warning: true,
			})
		}
		if client.ClientID == "" || strings.ContainsFunc(client.ClientID, notPrintable) {
			add("oauth."+name+".client_id", "client-id")
		}
		if strings.ContainsFunc(client.Tenant, notPrintable) || strings.ContainsAny(client.Tenant, "/?#") {
			add("oauth."+name+".tenant", "tenant")
		}
		if client.SecretFile != "" && !filepath.IsAbs(client.SecretFile) {
			add("oauth."+name+".client_secret_file", "absolute")
		}
	}
	out = append(out, f.checkFallback()...)
	out = append(out, f.checkDefaults()...)
	if !slices.Contains([]string{"", "1.2", "1.3"}, f.TLS.Minimum) {
		add("tls.minimum", "tls-minimum")
	}
	if f.TLS.CAFile != "" && !filepath.IsAbs(f.TLS.CAFile) {
		add("tls.ca_file", "absolute")
	}
	return out
}

func notPrintable(r rune) bool { return r <= ' ' || r > '~' }

func secureURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Scheme == "https" && u.Host != "" && u.User == nil && !strings.ContainsFunc(s, notPrintable)
}

func (f *File) checkProviders() config.Faults {
	var out config.Faults
	ids := map[string]int{}
	for i, p := range f.Providers {
		path := "providers." + strconv.Itoa(i)
		if p == nil {
			out = append(out, fault(path, "type.object"))
			continue
		}
		if first, ok := ids[p.ID]; ok {
			out = append(out, fault(path+".id", "twice", "id", safetext.FromRemote(p.ID), "first", first))
		}
		ids[p.ID] = i
		if err := p.Validate(); err != nil {
			for text := range strings.Lines(err.Error()) {
				text = strings.TrimPrefix(strings.TrimSpace(text), "provider "+p.ID+": ")
				where, what, _ := strings.Cut(text, ": ")
				out = append(out, fault(path+"."+dotted(where), "provider", "error", safetext.FromRemote(what)))
			}
		}
	}
	book := presets.Default().With(f.Providers...)
	for i, id := range f.Hidden {
		if _, ok := book.Get(id); !ok {
			out = append(out, config.Fault{
				Path: "hidden." + strconv.Itoa(i),
				Text: fault("", "hidden", "id", safetext.FromRemote(id)).Text, Warning: true,
			})
		}
	}
	return out
}

// dotted writes smtp[0].host as smtp.0.host, as in every other path.
func dotted(path string) string {
	return strings.NewReplacer("[", ".", "]", "").Replace(path)
}

// oauthNames are the names under which providers sign in with OAuth.
func oauthNames(f *File) []string {
	names := map[string]bool{}
	for _, p := range f.Providers {
		if p != nil && p.OAuth != nil {
			names[p.OAuth.Provider] = true
		}
	}
	for _, e := range presets.Default().All() {
		if e.Source != presets.SourceFlagship {
			continue
		}
		if p, ok := presets.Default().Get(e.ID); ok && p.OAuth != nil {
			names[p.OAuth.Provider] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// checkFallback applies the configuration's own rules to the profile, so that a profile accepted here can be saved.
func (f *File) checkFallback() config.Faults {
	if f.Fallback == nil {
		return nil
	}
	if f.Fallback.Profile == nil {
		return config.Faults{fault("fallback.profile", "missing")}
	}
	var out config.Faults
	if f.Fallback.Profile.Credential.Kind == config.CredentialInline || f.Fallback.Profile.Credential.Value != "" {
		out = append(out, fault("fallback.profile.credential", "secret"))
	}
	doc := config.New(SystemPath)
	doc.File.Profiles[f.Fallback.Name] = f.Fallback.Profile
	prefix := "profiles." + f.Fallback.Name
	for _, found := range doc.Validate().Errors() {
		rest, inside := strings.CutPrefix(found.Path, prefix)
		switch {
		case inside && rest == "":
			found.Path = "fallback.name"
		case inside:
			found.Path = "fallback.profile" + rest
		default:
			continue
		}
		out = append(out, found)
	}
	return out
}

// checkDefaults validates the defaults as parts of an otherwise valid profile.
func (f *File) checkDefaults() config.Faults {
	const name = "defaults"
	d := f.Defaults
	doc := config.New(SystemPath)
	doc.File.Profiles[name] = &config.Profile{
		From: config.Address{Address: "someone@example.com"},
		Submission: config.Server{
			Host: "smtp.example.com", Port: config.PortSubmissions, Security: config.SecurityTLS,
			Auth: config.MechanismAuto, Username: "someone",
		},
		Credential: config.Credential{Kind: config.CredentialAsk}, SentCopy: config.SentCopy{Mode: config.SentNone},
		ReplyTo: d.ReplyTo, BCC: d.BCC, Kinds: d.Kinds, Limits: d.Limits, TestMode: d.TestMode,
	}
	var out config.Faults
	if d.SentCopy != "" && !slices.Contains(config.SentModes(), d.SentCopy) {
		out = append(out, fault("defaults.sent_copy", "one-of", "words", "append, server, none"))
	}
	if d.Keep != "" && d.Keep != KeepFile && d.Keep != KeepAsk {
		out = append(out, fault("defaults.keep", "one-of", "words", KeepFile+", "+KeepAsk))
	}
	for _, found := range doc.Validate().Errors() {
		if rest, inside := strings.CutPrefix(found.Path, "profiles."+name+"."); inside {
			found.Path = "defaults." + rest
			out = append(out, found)
		}
	}
	return out
}

// hostKey is a fingerprint as ssh prints it: 256 bits in base64.
var hostKey = pattern.Of(`^SHA256:[A-Za-z0-9+/]{43}$`)

// checkRelay names what is wrong with the relay: without its key anyone could pretend to be it.
func (f *File) checkRelay() config.Faults {
	s := f.Support
	var out config.Faults
	if s.Relay == "" && s.HostKey == "" && s.KeyFile == "" {
		return nil
	}
	if host, _ := s.RelayAddress(); host == "" || strings.ContainsFunc(host, notPrintable) {
		out = append(out, fault("support.relay", "relay"))
	}
	if !hostKey().MatchString(s.HostKey) {
		out = append(out, fault("support.host_key", "host-key"))
	}
	if !filepath.IsAbs(s.KeyFile) {
		out = append(out, fault("support.key_file", "absolute"))
	}
	return out
}
