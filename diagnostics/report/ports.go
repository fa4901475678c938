package report

import (
	"fmt"
	"strings"

	"postier/diagnostics/portprobe"
	"postier/internal/locale"
	"postier/internal/typeset"
)

// PortLines are the verdicts of --probe-elsewhere as text: what was tried, what it means, and a paragraph to send on.
func PortLines(info Info) []string {
	var lines []string
	for _, f := range info.Ports {
		c := locale.For(info.Lang)
		lines = append(lines, "", c.T("diagnose.ports.title", "host", f.Host, "port", f.Port))
		for _, a := range f.Attempts {
			lines = append(lines, indent(attemptLine(info.Lang, a)))
		}
		lines = append(lines, indent(portMeaning(info.Lang, f)))
		if text := letter(info.Lang, f); text != "" {
			lines = append(lines, "", c.T("diagnose.ports.letter"), "")
			lines = append(lines, typeset.Fill("", "", text, letterWidth)...)
		}
	}
	return lines
}

// letterWidth leaves room for the quote marks of a reply (RFC 5322 §2.1.1 recommends at most 78 columns).
const letterWidth = 72

func attemptLine(lang locale.Lang, a portprobe.Attempt) string {
	c := locale.For(lang)
	outcome := c.T("diagnose.ports.outcome.connected")
	if !a.Connected() {
		key := "diagnose.ports.outcome." + a.Outcome
		if !c.Has(key) {
			key = "diagnose.ports.outcome.other"
		}
		outcome = c.T(key)
	}
	return fmt.Sprintf("%s  %5d  %s  %s", typeset.Pad(a.Host.Escaped(), 32), a.Port, familyName(a.Family), outcome)
}

func familyName(family string) string {
	if family == "ipv6" {
		return "IPv6"
	}
	return "IPv4"
}

func portMeaning(lang locale.Lang, f portprobe.Finding) string {
	c := locale.For(lang)
	other := "IPv4"
	if f.Family == "ipv4" {
		other = "IPv6"
	}
	text := c.T("diagnose.ports.verdict."+string(f.Verdict), "host", f.Host, "port", f.Port, "family",
		familyName(f.Family), "other", other)
	if f.Alternative != 0 && f.Verdict != portprobe.Open {
		text += " " + c.T("diagnose.ports.alternative", "host", f.Host, "port", f.Alternative)
	}
	return text
}

// letter is a paragraph to send to the hoster of this computer or to the operator of the server.
func letter(lang locale.Lang, f portprobe.Finding) string {
	key := "diagnose.ports.letter." + string(f.Verdict)
	c := locale.For(lang)
	if !c.Has(key) {
		return ""
	}
	var tried []string
	for _, a := range f.Attempts {
		tried = append(tried, fmt.Sprintf("%s:%d (%s): %s", a.Host.Escaped(), a.Port, familyName(a.Family), a.Outcome))
	}
	return c.T(key, "host", f.Host, "port", f.Port, "family", familyName(f.Family), "tried", strings.Join(tried, "; "))
}
