package config

import (
	"net/netip"
	"net/url"
	"strings"
	"time"

	"postier/internal/locale"
	"postier/internal/safetext"
)

// Watch says how often what was proven is checked again, and who is told when it changes.
type Watch struct {
	// EveryHours is the time between two rounds of the service; 0 means that it does not watch.
	EveryHours int `json:"every_hours,omitempty"`
	// Notify lists e-mail addresses and HTTPS URLs; empty means the owner of the profile.
	Notify []string `json:"notify,omitempty"`
	// Command is an argument list, run without a shell, which reads the notice on standard input.
	Command []string `json:"command,omitempty"`
	// AllowNetworks are the private networks that a URL of Notify may lead to.
	AllowNetworks []string `json:"allow_networks,omitempty"`
}

// MaxWatchHours is the longest time between two rounds.
const MaxWatchHours = 24 * 31

const (
	maxNotify        = 50
	maxWatchNetworks = 50
)

// Every is the time between two rounds, 0 when the service does not watch.
func (w Watch) Every() time.Duration { return time.Duration(w.EveryHours) * time.Hour }

// WebhookURL reports whether a member of notify is a URL and not an address.
func WebhookURL(target string) bool { return strings.Contains(target, "://") }

// ValidateNotify accepts an e-mail address or an HTTPS URL.
func ValidateNotify(target string) Text {
	if !WebhookURL(target) {
		return ValidateAddress(target)
	}
	u, err := url.Parse(target)
	switch {
	case hasHarmful(target), len(target) > maxPath, err != nil, u.Scheme != "https", u.User != nil, u.Fragment != "":
		return locale.Msg("config.watch.url")
	}
	if port := u.Port(); port != "" {
		if _, text := ParsePort(port); !text.Empty() {
			return text
		}
	}
	return ValidateHost(strings.Trim(u.Hostname(), "[]"))
}

// ValidateNetwork accepts a range of addresses, such as 10.0.0.0/8, or one address.
func ValidateNetwork(network string) Text {
	if _, ok := ParseNetwork(network); !ok {
		return locale.Msg("config.watch.network", "value", safetext.FromRemote(network))
	}
	return Text{}
}

// ParseNetwork reads a range of addresses, or one address.
func ParseNetwork(network string) (netip.Prefix, bool) {
	if ip, err := netip.ParseAddr(network); err == nil && ip.Zone() == "" {
		return netip.PrefixFrom(ip.Unmap(), ip.Unmap().BitLen()), true
	}
	prefix, err := netip.ParsePrefix(network)
	return prefix, err == nil && prefix.Masked() == prefix
}

// watch checks who is told, and how often.
func (v *validator) watch() {
	w := v.file.Watch
	if w.EveryHours < 0 || w.EveryHours > MaxWatchHours {
		v.add("watch.every_hours", locale.Msg("config.watch.hours", "max", MaxWatchHours))
	}
	v.list("watch.notify", w.Notify, maxNotify, ValidateNotify)
	v.list("watch.allow_networks", w.AllowNetworks, maxWatchNetworks, ValidateNetwork)
	if len(w.Command) > 0 {
		v.check("watch.command", ValidateCommand(w.Command))
	}
}

// MaskNotify is a member of notify as it may be shown: the path of a URL often is a secret.
func MaskNotify(target string) string {
	u, err := url.Parse(target)
	if !WebhookURL(target) || err != nil {
		return target
	}
	shown := u.Scheme + "://" + u.Host
	if (u.Path != "" && u.Path != "/") || u.RawQuery != "" {
		shown += "/" + hidden
	}
	return shown
}
