package presets

import (
	"slices"
	"strings"

	"postier/config"
)

// Endpoint is a provider's server, with its placeholders filled in for one address.
type Endpoint struct {
	// Server is filled in as far as it is known. Its Auth is auto; Mechanisms lists what the provider offers.
	config.Server
	Mechanisms []config.Mechanism
	// Ask names the placeholders of host and user name that only the person can fill, as in Provider.Ask. If there is a
	// default, the host is already complete and the person only confirms the value.
	Ask []string
	// Cleartext is true when the server is known without encryption and not on this machine, so that mail crosses a
	// network in cleartext. It must never be applied silently.
	Cleartext bool
	// ClientIP is true when the server accepts mail only from the provider's own lines.
	ClientIP bool
}

// Complete reports whether nothing is left open in host and user name.
func (e Endpoint) Complete() bool {
	return !strings.ContainsAny(e.Host, "{}") && !strings.ContainsAny(e.Username, "{}")
}

// Servers returns the submission and IMAP servers for an address, in the order to try, encrypted ones first.
func (p *Provider) Servers(address string) (smtp, imap []Endpoint) {
	return p.ServersWith(address, nil)
}

// ServersWith is Servers with what the person answered to Ask, by placeholder name.
func (p *Provider) ServersWith(address string, answers map[string]string) (smtp, imap []Endpoint) {
	return p.endpoints(p.SMTP, p.userRule(address), address, answers),
		p.endpoints(p.IMAP, p.imapRule(address), address, answers)
}

func (p *Provider) userRule(address string) string {
	_, domain := split(address)
	if rule, ok := p.UserRule.ByDomain[strings.ToLower(domain)]; ok {
		return rule
	}
	return p.UserRule.Rule
}

func (p *Provider) imapRule(address string) string {
	if p.UserRule.IMAPRule != "" {
		return p.UserRule.IMAPRule
	}
	return p.userRule(address)
}

func (p *Provider) endpoints(servers []Server, rule, address string, answers map[string]string) []Endpoint {
	var open, cleartext []Endpoint
	for _, s := range servers {
		e := p.endpoint(s, rule, address, answers)
		if e.Cleartext {
			cleartext = append(cleartext, e)
		} else {
			open = append(open, e)
		}
	}
	return append(open, cleartext...)
}

func (p *Provider) endpoint(s Server, rule, address string, answers map[string]string) Endpoint {
	e := Endpoint{
		Server:     config.Server{Port: s.Port, Security: s.Security, Auth: config.MechanismAuto},
		Mechanisms: p.Auth,
		Cleartext:  s.Security == config.SecurityNone && !loopback(s.Host),
		ClientIP:   s.Restriction == restrictClientIP,
	}
	if len(s.Auth) > 0 {
		e.Mechanisms = s.Auth
	}
	if s.Username != "" {
		rule = s.Username
	}
	var hostAsk, userAsk []string
	e.Host, hostAsk = p.fill(s.Host, address, answers)
	e.Username, userAsk = p.fill(rule, address, answers)
	if rule == "" {
		e.Auth = config.MechanismNone
	}
	e.Ask = append(hostAsk, userAsk...)
	return e
}

// restrictClientIP marks a server that serves only the provider's own lines.
const restrictClientIP = "client-ip"

// Username returns the name to sign in with for submission, and the placeholders that the person must still fill.
func (p *Provider) Username(address string) (username string, ask []string) {
	return p.fill(p.userRule(address), address, nil)
}

// Username applies a rule: {address} is the whole address, {local} the part before the @, {domain} the part after it.
// Placeholders that it does not know stay as they are.
func Username(rule, address string) string {
	return strings.NewReplacer(pairs(address)...).Replace(rule)
}

func pairs(address string) []string {
	local, domain := split(address)
	return []string{"{address}", address, "{local}", local, "{domain}", domain}
}

// split parts an address at its last @, since a quoted local part may hold others (RFC 5321 §4.1.2).
func split(address string) (local, domain string) {
	at := strings.LastIndexByte(address, '@')
	if at < 0 {
		return address, ""
	}
	return address[:at], address[at+1:]
}

// fill resolves the placeholders of a host or a user-name rule, and returns the names of those that only the person can
// fill. It replaces them in one pass, so that text in an address or an answer is never treated as a placeholder.
func (p *Provider) fill(pattern, address string, answers map[string]string) (filled string, ask []string) {
	replace := pairs(address)
	for _, a := range p.Ask {
		hole := "{" + a.Name + "}"
		if !strings.Contains(pattern, hole) {
			continue
		}
		value := answers[a.Name]
		if value == "" {
			ask = append(ask, a.Name)
			value = a.Default
		}
		if value != "" {
			replace = append(replace, hole, value)
		}
	}
	return strings.NewReplacer(replace...).Replace(pattern), ask
}

// Answer is the value of a placeholder out of what a person typed: where it is a part of a host name, the whole name or
// its first label is as good (ex4.mail.ovh.net and ex4 for 4).
func (p *Provider) Answer(name, typed string) string {
	value := strings.TrimSpace(typed)
	for _, s := range slices.Concat(p.SMTP, p.IMAP) {
		prefix, suffix, found := strings.Cut(s.Host, "{"+name+"}")
		if !found || strings.Contains(prefix+suffix, "{") {
			continue
		}
		host := strings.TrimSuffix(strings.ToLower(value), ".")
		host, whole := strings.CutSuffix(host, suffix)
		rest, first := strings.CutPrefix(host, prefix)
		if rest != "" && (whole || first && prefix != "") {
			return rest
		}
	}
	return value
}

// Question is the description of a placeholder, by its name.
func (p *Provider) Question(name string) (Ask, bool) {
	for _, a := range p.Ask {
		if a.Name == name {
			return a, true
		}
	}
	return Ask{}, false
}

// loopback reports whether nothing that is sent to the host leaves this machine.
func loopback(host string) bool { return host == "localhost" || host == "127.0.0.1" || host == "::1" }
