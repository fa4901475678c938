package explain

import (
	"slices"
	"strings"

	"postier/internal/pattern"
)

// maxWords bounds what the patterns of single words are searched in.
const maxWords = 1 << 10

var (
	urls = pattern.Of(`(?:https?|ftp)://[^\s"'<>]*|\bwww\.[^\s"'<>]*`)
	// addresses are mail addresses, with the angle brackets around them.
	addresses = pattern.Of(`<?[^\s<>"'(),:;\[\]]+@[^\s<>"'(),:;\[\]]+>?`)
	hostNames = pattern.Of(`\b[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.[a-z]{2,24}\b`)
	// framing is what programs put around a server's reply, with words of its own.
	framing = pattern.Of(`\(?in reply to (?:the )?(?:end of )?[a-z ]{2,20} command\)?` +
		`|smtp error from remote (?:mail )?server after [a-z ]+(?::<?@?>?)?(?: size=\d+)?:` +
		`|diagnostic-code: ?|^(?:x-)?smtp; ?|remote-mta: ?[^ ]*`)
)

// topDomains end names of two labels. Other words with a dot between them are a sentence without a blank.
var topDomains = []string{
	"at", "be", "biz", "br", "ca", "ch", "cn", "com", "cz", "de", "dk", "edu", "es", "eu", "example", "fr", "gov", "hu",
	"info", "io", "it", "jp", "kr", "lan", "local", "localdomain", "mx", "net", "nl", "no", "org", "pl", "pt", "ru", "se",
	"test", "tw", "ua", "uk", "us",
}

// bare leaves the words of a reply: an address becomes "@", a host name "~", and URLs and the words of the program that
// reports the reply are left out. Otherwise the "mail" and "policy" in them would count. text is in lower case.
func bare(text string) string {
	text = urls().ReplaceAllString(cut(text, maxWords), "")
	text = addresses().ReplaceAllString(text, "@")
	text = hostNames().ReplaceAllStringFunc(text, func(name string) string {
		if isHostName(name) {
			return "~"
		}
		return name
	})
	return strings.TrimSpace(framing().ReplaceAllString(text, ""))
}

// isHostName tells a host name from words such as "rejected.please", "e.g." and "resolver.adr.recipnotfound".
func isHostName(name string) bool {
	labels := strings.Split(name, ".")
	if len(labels) > 2 {
		return !slices.Contains([]string{"resolver", "smtpsend", "storedrv"}, labels[0])
	}
	return slices.Contains(topDomains, labels[1])
}
