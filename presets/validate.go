package presets

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"postier/config"
	"postier/internal/locale"
)

// Validate says with their place in the file what is wrong with a provider's values.
func (p *Provider) Validate() error {
	var faults []error
	fault := func(path, format string, args ...any) {
		faults = append(faults, fmt.Errorf("%s: %s", path, fmt.Sprintf(format, args...)))
	}
	if p.ID == "" || p.ID != strings.ToLower(p.ID) || strings.ContainsAny(p.ID, "/\\ ") {
		fault("id", "%q must be a lower-case word without blanks and slashes", p.ID)
	}
	if p.Name == "" {
		fault("name", "is missing")
	}
	if !slices.Contains([]Kind{KindMailbox, KindTransactional, KindRelay}, p.Kind) {
		fault("kind", "%q must be mailbox, transactional or relay", p.Kind)
	}
	p.checkNames(fault)
	p.checkServers(fault)
	p.checkSecret(fault)
	p.checkTexts(fault)
	p.checkURLs(fault)
	p.checkDates(fault)
	if len(faults) == 0 {
		return nil
	}
	return fmt.Errorf("provider %s: %w", p.ID, errors.Join(faults...))
}

// faultFunc takes the place of a fault in the file and what is wrong there.
type faultFunc func(path, format string, args ...any)

func (p *Provider) checkNames(fault faultFunc) {
	for _, list := range []struct {
		path  string
		names []string
	}{{"domains", p.Domains}, {"mx_suffixes", p.MXSuffixes}} {
		for _, n := range list.names {
			if !hostname(n) && !(list.path == "domains" && hostname(n+".x")) {
				fault(list.path, "%q must be a lower-case domain name in A-labels", n)
			}
		}
	}
}

// hostname reports whether s is a lower-case name of at least two labels with letters, digits and dashes
// (RFC 1123 §2.1, RFC 5890).
func hostname(s string) bool {
	if len(s) > maxName || !strings.Contains(s, ".") {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for _, c := range label {
			if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
				return false
			}
		}
	}
	return true
}

func (p *Provider) checkServers(fault faultFunc) {
	for _, list := range []struct {
		path    string
		servers []Server
	}{{"smtp", p.SMTP}, {"imap", p.IMAP}} {
		for i, s := range list.servers {
			path := fmt.Sprintf("%s[%d]", list.path, i)
			if !p.hostPattern(s.Host) {
				fault(path+".host", "%q must be a host name; placeholders other than {domain} belong in ask", s.Host)
			}
			if s.Port < 1 || s.Port > 65535 {
				fault(path+".port", "%d must be 1 to 65535", s.Port)
			}
			switch s.Security {
			case config.SecurityTLS, config.SecurityStartTLS, config.SecurityNone:
			default:
				fault(path+".security", "%q must be tls, starttls or none", s.Security)
			}
			checkMechanisms(path+".auth", s.Auth, fault)
			p.checkHoles(path+".username", s.Username, fault)
			if s.Restriction != "" && s.Restriction != restrictClientIP {
				fault(path+".restriction", "%q must be client-ip", s.Restriction)
			}
		}
	}
	checkMechanisms("auth", p.Auth, fault)
	p.checkHoles("username.rule", p.UserRule.Rule, fault)
	p.checkHoles("username.imap_rule", p.UserRule.IMAPRule, fault)
	for domain, rule := range p.UserRule.ByDomain {
		p.checkHoles("username.by_domain."+domain, rule, fault)
	}
}

func (p *Provider) hostPattern(host string) bool {
	if loopback(host) {
		return true
	}
	for _, hole := range append([]string{"domain"}, p.askNames()...) {
		host = strings.ReplaceAll(host, "{"+hole+"}", "x.x")
	}
	return hostname(host)
}

func (p *Provider) askNames() []string {
	names := make([]string, 0, len(p.Ask))
	for _, a := range p.Ask {
		names = append(names, a.Name)
	}
	return names
}

// checkHoles finds placeholders in a user-name rule that nothing fills.
func (p *Provider) checkHoles(path, rule string, fault faultFunc) {
	for _, hole := range append([]string{"address", "local", "domain"}, p.askNames()...) {
		rule = strings.ReplaceAll(rule, "{"+hole+"}", "")
	}
	if strings.ContainsAny(rule, "{}%") {
		fault(path, "holds a placeholder that is neither {address}, {local}, {domain} nor described in ask")
	}
}

func checkMechanisms(path string, mechanisms []config.Mechanism, fault faultFunc) {
	for _, m := range mechanisms {
		if m == config.MechanismAuto || m == config.MechanismNone || !slices.Contains(config.Mechanisms(), m) {
			fault(path, "%q is no mechanism", m)
		}
	}
}

func (p *Provider) checkSecret(fault faultFunc) {
	if !slices.Contains(config.SecretTypes(), p.Credential.Type) {
		fault("credential.type", "%q must be password, app-password, device-password, api-key or oauth", p.Credential.Type)
	}
	switch p.NeedsAppPassword {
	case NeedYes, NeedNo, NeedTwoStep, NeedMaybe:
	default:
		fault("needs_app_password", "%q must be yes, no, two-step or maybe", p.NeedsAppPassword)
	}
	switch p.SentCopy.Mode {
	case config.SentAppend, config.SentServer, config.SentNone:
	default:
		fault("sent_copy.mode", "%q must be append, server or none", p.SentCopy.Mode)
	}
	if l := p.Lockout; l != nil && (l.FromMinutes < 1 || l.ToMinutes < l.FromMinutes || len(l.Sources) == 0) {
		fault("lockout", "%d to %d minutes must be a range, with a source", l.FromMinutes, l.ToMinutes)
	}
	if s := p.Shape; s != nil {
		for rest := s.Alphabet; rest != ""; rest = rest[3:] {
			if len(rest) < 3 || !slices.Contains([]string{"a-z", "A-Z", "0-9"}, rest[:3]) {
				fault("app_password_shape.alphabet", "%q must be made of a-z, A-Z and 0-9", s.Alphabet)
				break
			}
		}
		if s.Groups > 1 && s.Length%s.Groups != 0 {
			fault("app_password_shape.groups", "%d characters do not part into %d equal groups", s.Length, s.Groups)
		}
	}
}

// languages reports whether every key of a text is a language that postier speaks.
func languages[T ~map[locale.Lang]E, E any](texts T) bool {
	for lang := range texts {
		if !slices.Contains(locale.All(), lang) {
			return false
		}
	}
	return true
}

// checkTexts requires every text in every language, or in none.
func (p *Provider) checkTexts(fault faultFunc) {
	one := func(path string, t Text) {
		missing := func(lang locale.Lang) bool { return t[lang] == "" }
		if !t.Empty() && (!languages(t) || slices.ContainsFunc(locale.Written(), missing)) {
			fault(path, "must be written in en, fr and de")
		}
	}
	many := func(path string, texts []Text) {
		for i, t := range texts {
			one(fmt.Sprintf("%s[%d]", path, i), t)
		}
	}
	one("names", p.Names)
	one("username.note", p.UserRule.Note)
	one("credential.label", p.Credential.Label)
	one("password_auth_status.fact", p.PasswordAuth.Fact)
	one("way_out", p.WayOut)
	one("without_two_step", p.WithoutTwoStep)
	one("security_alert", p.Alert)
	one("sent_copy.note", p.SentCopy.Note)
	one("spf.note", p.SPF.Note)
	one("dkim_selectors.note", p.DKIM.Note)
	many("traps", p.Traps)
	many("notes", p.Notes)
	if p.OAuth != nil {
		one("oauth.note", p.OAuth.Note)
	}
	if p.Plans != nil {
		one("plans.fact", p.Plans.Fact)
	}
	if p.EnableFirst != nil {
		one("enable_first.fact", p.EnableFirst.Fact)
	}
	if p.Shape != nil {
		one("app_password_shape.description", p.Shape.Description)
	}
	for i, a := range p.Ask {
		one(fmt.Sprintf("ask[%d].label", i), a.Label)
	}
	for i, l := range p.Limits {
		one(fmt.Sprintf("limits[%d].plan", i), l.Plan)
	}
	for i, k := range p.KnownErrors {
		one(fmt.Sprintf("known_errors[%d].cause", i), k.Cause)
	}
	for i, d := range p.Dated {
		one(fmt.Sprintf("dated[%d].before", i), d.Before)
		one(fmt.Sprintf("dated[%d].after", i), d.After)
	}
	for _, list := range []struct {
		path  string
		steps StepList
	}{{"app_password_steps", p.AppPasswordSteps}, {"unblock", p.Unblock}} {
		fewer := func(lang locale.Lang) bool { return len(list.steps[lang]) != len(list.steps[locale.English]) }
		if !languages(list.steps) || slices.ContainsFunc(locale.Written(), fewer) {
			fault(list.path, "must have the same number of steps in en, fr and de")
		}
	}
}

func (p *Provider) checkURLs(fault faultFunc) {
	one := func(path, s string) {
		if s == "" {
			return
		}
		if u, err := url.Parse(s); err != nil || u.Scheme != "https" || u.Host == "" {
			fault(path, "%q must be an https URL", s)
		}
	}
	one("docs_url", p.DocsURL)
	one("app_password_url", p.AppPasswordURL)
	if p.EnableFirst != nil {
		one("enable_first.url", p.EnableFirst.URL)
	}
	if p.OAuth != nil {
		one("oauth.auth_url", p.OAuth.AuthURL)
		one("oauth.token_url", p.OAuth.TokenURL)
		one("oauth.device_url", p.OAuth.DeviceURL)
	}
}

func (p *Provider) checkDates(fault faultFunc) {
	if _, err := time.Parse(time.DateOnly, p.Checked); err != nil && p.Checked != "" {
		fault("checked", "%q must be a day as YYYY-MM-DD", p.Checked)
	}
	for part, trust := range p.Trust {
		if _, err := time.Parse(time.DateOnly, trust.Checked); err != nil && trust.Checked != "" {
			fault("confidence."+part+".checked", "%q must be a day as YYYY-MM-DD", trust.Checked)
		}
	}
	for i, d := range p.Dated {
		if _, err := time.Parse(time.DateOnly, d.Date); err != nil {
			fault(fmt.Sprintf("dated[%d].date", i), "%q must be a day as YYYY-MM-DD", d.Date)
		}
	}
}
