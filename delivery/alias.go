package delivery

import (
	"maps"
	"slices"
	"strings"

	"postier/internal/addressfield"
)

// resolveLocal replaces the local names among recipients by the addresses that the aliases lead to, or by the owner's
// where there is none. local says what became of each name.
func resolveLocal(aliases map[string][]string, recipients []string, owner string) (list []string,
	local map[string][]string,
) {
	for _, recipient := range recipients {
		parsed, _ := addressfield.List(recipient)
		if len(parsed) != 1 || !parsed[0].Local {
			list = append(list, recipient)
			continue
		}
		targets := follow(aliases, parsed[0].User(), map[string]bool{})
		if len(targets) == 0 {
			targets = []string{owner}
		}
		if local == nil {
			local = map[string][]string{}
		}
		local[recipient] = targets
		list = append(list, targets...)
	}
	return list, local
}

// follow is where an alias leads in the end. Each name is followed once, because aliases may form circles.
func follow(aliases map[string][]string, name string, seen map[string]bool) []string {
	if seen[strings.ToLower(name)] {
		return nil
	}
	seen[strings.ToLower(name)] = true
	var out []string
	for _, target := range alias(aliases, name) {
		if parsed, _ := addressfield.List(target); len(parsed) == 1 && parsed[0].Local {
			out = append(out, follow(aliases, parsed[0].User(), seen)...)
		} else {
			out = append(out, target)
		}
	}
	return unique(out)
}

// alias is an entry of the table, without regard to case, or the one for all other names.
func alias(aliases map[string][]string, name string) []string {
	if targets, ok := aliases[name]; ok {
		return targets
	}
	for _, known := range slices.Sorted(maps.Keys(aliases)) {
		if strings.EqualFold(known, name) {
			return aliases[known]
		}
	}
	return aliases["*"]
}
