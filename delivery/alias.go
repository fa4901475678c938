package delivery

import (
	"strings"

	"postier/internal/addressfield"
)

// maxAliases bounds a chain of aliases, which may be a circle.
const maxAliases = 10

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
		targets := follow(aliases, parsed[0].User(), 0)
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

// follow is where an alias leads in the end.
func follow(aliases map[string][]string, name string, depth int) []string {
	targets := alias(aliases, name)
	if depth > maxAliases {
		return nil
	}
	var out []string
	for _, target := range targets {
		if strings.Contains(target, "@") {
			out = append(out, target)
		} else if !strings.EqualFold(target, name) {
			out = append(out, follow(aliases, target, depth+1)...)
		}
	}
	return unique(out)
}

// alias is an entry of the table, without regard to case, or the one for all other names.
func alias(aliases map[string][]string, name string) []string {
	for known, targets := range aliases {
		if strings.EqualFold(known, name) {
			return targets
		}
	}
	return aliases["*"]
}
