package arrival

import (
	"strings"

	"postier/internal/organisation"
)

// Anyone can write an Authentication-Results field into a message before sending it (RFC 8601 §5, §7.1), so only fields
// that the receiver itself added count. Servers add fields at the top, and each server that accepts a message adds a
// Received field (RFC 5321 §4.4). From the top down, the Received fields "by" hosts of one organisation are therefore
// the receiver's own, and the first one by another organisation starts the part that came from outside. In the
// receiver's part a field counts
//
//   - when it stands above one of the receiver's Received fields: no one else could put it there; or
//   - when it stands right below the lowest one, where most servers write it, and its authserv-id belongs to the same
//     organisation (Microsoft writes none and is known by its hosts).
//
// Of these, all fields with the authserv-id of the topmost count. A sender may write the receiver's own name into a
// field. The receiver must remove such fields (RFC 8601 §5); where it does not, the forged field counts.

// anonymousJudges are organisations that write Authentication-Results without an authserv-id.
var anonymousJudges = map[string]bool{"outlook.com": true, "office365.com": true, "microsoft.com": true}

// received is one Received field, as far as it can be read.
type received struct {
	By   string // host name in lower case, empty when there is none
	From string
}

// trustedResults returns the fields that the receiver added, topmost first.
func trustedResults(fields []field) []AuthResults {
	receiver, boundary, lowest := receiverPart(fields)
	out := []AuthResults{}
	id := ""
	for i, f := range fields[:boundary] {
		if f.name != "authentication-results" {
			continue
		}
		results, err := ParseAuthResults(f.value)
		if err != nil {
			continue
		}
		theirs := organisation.Of(results.ServiceID) == receiver && receiver != ""
		if results.ServiceID == "" {
			theirs = anonymousJudges[receiver]
		}
		if i > lowest && !theirs {
			continue
		}
		if len(out) == 0 {
			id = results.ServiceID
		}
		if strings.EqualFold(results.ServiceID, id) {
			out = append(out, results)
		}
	}
	return out
}

// receiverPart finds the receiver's organisation, the index at which its part of the header ends, and the index of its
// lowest Received field (-1 when there is none).
func receiverPart(fields []field) (receiver string, boundary, lowest int) {
	lowest = -1
	for i, f := range fields {
		if f.name != "received" {
			continue
		}
		by := organisation.Of(parseReceived(f.value).By)
		switch {
		case by == "": // an address or a bare name: an internal hop
		case receiver == "":
			receiver = by
		case by != receiver:
			return receiver, i, lowest
		}
		lowest = i
	}
	return receiver, len(fields), lowest
}

// parseReceived reads the hosts after "from" and "by" (RFC 5321 §4.4) and skips comments.
func parseReceived(value string) received {
	var r received
	var words []string
	for _, t := range segments(value)[0] { // the date follows the semicolon
		if t.kind == word {
			words = append(words, t.text)
		}
	}
	for i := 0; i+1 < len(words); i++ {
		switch strings.ToLower(words[i]) {
		case "from":
			if r.From == "" && i == 0 {
				r.From = strings.ToLower(words[i+1])
			}
		case "by":
			if r.By == "" {
				r.By = strings.ToLower(words[i+1])
			}
		}
	}
	return r
}
