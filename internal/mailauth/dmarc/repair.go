package dmarc

import (
	"slices"
	"strings"
)

// known are the tags of a record (RFC 9989 §4.7), historic ones included.
var known = []string{"v", "p", "sp", "np", "adkim", "aspf", "fo", "psd", "rua", "ruf", "t", "pct", "rf", "ri"}

// Repair writes a record again with its faulty parts corrected where it is plain what was meant: a colon in place of
// the equals sign, a policy with a letter missing. A part that has no meaning is left out, so that its default applies.
// It returns "" when nothing changes or the result would not be a record.
func Repair(r Record) string {
	var fields, seen []string
	for field := range strings.SplitSeq(r.Raw, ";") {
		field = strings.Trim(field, wsp)
		name, value, found := cutTag(field)
		if !found || slices.Contains(seen, name) {
			continue
		}
		if fixed, keep := repairTag(name, value); keep {
			fields, seen = append(fields, fixed), append(seen, name)
		}
	}
	repaired := strings.Join(fields, "; ")
	again, ok := Parse(repaired)
	if !ok || again.BadPolicy || repaired == strings.Trim(r.Raw, wsp+";") {
		return ""
	}
	return repaired
}

// cutTag splits a field at the equals sign, or at a colon after the name of a tag.
func cutTag(field string) (name, value string, found bool) {
	name, value, found = strings.Cut(field, "=")
	if !found {
		name, value, found = strings.Cut(field, ":")
	}
	name = strings.ToLower(strings.Trim(name, wsp))
	return name, strings.Trim(value, wsp), found && slices.Contains(known, name)
}

// repairTag is one tag with a value that it has, spelt as before where that is valid.
func repairTag(name, value string) (text string, keep bool) {
	var values []string
	switch name {
	case "p", "sp", "np":
		values = []string{string(None), string(Quarantine), string(Reject)}
	case "adkim", "aspf":
		values = []string{"r", "s"}
	case "t":
		values = []string{"y", "n"}
	case "psd":
		values = []string{"y", "n", "u"}
	case "fo":
		test := Record{}
		test.failureOptions(strings.ToLower(value), 0)
		return "fo=" + value, len(test.Faults) == 0
	case "rua", "ruf":
		test := Record{}
		return name + "=" + value, len(test.uris(name, value, 0)) > 0 && len(test.Faults) == 0
	default:
		return name + "=" + value, value != ""
	}
	lower := strings.ToLower(value)
	if slices.Contains(values, lower) {
		return name + "=" + value, true
	}
	// Words like "relaxed" and "strict" for adkim and aspf begin with the letter that is meant.
	for _, v := range values {
		const slips = 2
		if len(v) == 1 && strings.HasPrefix(lower, v) || len(v) > 1 && distance(lower, v) <= slips {
			return name + "=" + v, true
		}
	}
	return "", false
}

// distance is how many letters two words differ by (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
