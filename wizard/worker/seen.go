package worker

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"postier/diagnostics"
	"postier/internal/check"
	"postier/internal/safetext"
)

// mostNames is how many addresses or names fit into the row of a check.
const mostNames = 3

// seen is one line of evidence for the row of a check: what was found, or what the server said instead.
func seen(r diagnostics.Result) safetext.Remote {
	if r.Status == check.Fail {
		if said := firstText(r.Evidence, "reply", "error", "protocol"); !said.Empty() {
			return said
		}
	}
	for _, e := range r.Evidence {
		if line := seenIn(e); line != "" {
			return safetext.FromRemote(line)
		}
	}
	return firstText(r.Evidence, "banner", "sender", "recipient", "reply", "error", "protocol")
}

// firstText is the first line of the first evidence of these kinds.
func firstText(evidence []diagnostics.Evidence, kinds ...string) safetext.Remote {
	for _, kind := range kinds {
		for _, e := range evidence {
			if e.Kind == kind && !e.Text.Empty() {
				line, _, _ := strings.Cut(e.Text.Raw(), "\n")
				return safetext.FromRemote(strings.TrimRight(line, "\r"))
			}
		}
	}
	return safetext.Remote{}
}

// seenIn is the short form of one piece of evidence, raw; empty when its kind has none.
func seenIn(e diagnostics.Evidence) string {
	switch e.Kind {
	case "addresses":
		return some(slices.Concat(texts(e, "addresses"), texts(e, "ipv6"), texts(e, "ipv4")))
	case "connection", "connect":
		if text(e, "outcome") == "connected" || e.Fields["connected"] == true {
			return text(e, "address")
		}
	case "tls":
		return joined(" · ", text(e, "version"), text(e, "cipher"))
	case "certificate":
		until, _, _ := strings.Cut(text(e, "not_after"), "T")
		return joined(" · ", some(texts(e, "names")), until)
	case "extensions":
		return text(e, "domain")
	case "mechanisms":
		return strings.Join(texts(e, "after_tls"), ", ")
	case "auth":
		return joined(", ", text(e, "mechanism"), text(e, "username"))
	case "message":
		return octets(e, "octets")
	case "queue":
		return e.Text.Raw()
	case "folder":
		return text(e, "name")
	case "append":
		return joined(" · ", text(e, "folder"), octets(e, "octets"))
	case "readback":
		return octets(e, "read_octets")
	case "cleanup":
		return text(e, "method")
	case "quota":
		if limit := text(e, "limit"); limit != "" {
			return text(e, "resource") + " " + text(e, "used") + "/" + limit
		}
	case "arrival":
		return joined(" · ", text(e, "folder"), text(e, "seconds")+" s")
	case "placement":
		return text(e, "folder")
	case "mx":
		return some(texts(e, "hosts"))
	case "spf", "dkim", "dmarc":
		if record := text(e, "record"); record != "" && e.Kind != "dkim" { // a key says more than its base64
			return record
		}
		return joined(" · ", text(e, "result"), text(e, "domain"), text(e, "selector"), text(e, "key"))
	}
	return ""
}

func octets(e diagnostics.Evidence, field string) string {
	if n := text(e, field); n != "" && n != "0" {
		return n + " B"
	}
	return ""
}

func text(e diagnostics.Evidence, field string) string {
	switch v := e.Fields[field].(type) {
	case nil:
		return ""
	case string:
		return v
	case safetext.Remote:
		return v.Raw()
	default:
		return fmt.Sprint(v)
	}
}

func texts(e diagnostics.Evidence, field string) []string {
	switch v := e.Fields[field].(type) {
	case []string:
		return v
	case []netip.Addr:
		out := make([]string, 0, len(v))
		for _, address := range v {
			out = append(out, address.String())
		}
		return out
	case []map[string]any: // the hosts of dns.mx
		var out []string
		for _, host := range v {
			out = append(out, text(diagnostics.Evidence{Fields: host}, "host"))
		}
		return out
	case []safetext.Remote:
		out := make([]string, 0, len(v))
		for _, r := range v {
			out = append(out, r.Raw())
		}
		return out
	}
	return nil
}

func some(list []string) string {
	if len(list) <= mostNames {
		return strings.Join(list, ", ")
	}
	return fmt.Sprintf("%s +%d", strings.Join(list[:mostNames], ", "), len(list)-mostNames)
}

func joined(between string, parts ...string) string {
	var out []string
	for _, part := range parts {
		if part != "" {
			out = append(out, part)
		}
	}
	return strings.Join(out, between)
}
