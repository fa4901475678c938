package imap

import (
	"cmp"
	"slices"
	"strings"

	"github.com/emersion/go-imap/v2"
	"golang.org/x/text/unicode/norm"

	"postier/internal/utf7"
)

// Choice is the folder chosen for a use, with how it was found and the other candidates.
type Choice struct {
	Folder Folder
	Found  bool
	// By is setting, special-use or name.
	By string
	// Candidates are all folders that could be meant, the chosen one included.
	Candidates []Folder
}

// Sent finds the folder for sent mail: the wanted one when it is named, else the one marked \Sent, else one with a
// known name. preferred are whole names that come before the usual ones, as the provider's preset gives them; usual are
// names of the last level, the more common first.
func (l Listing) Sent(wanted string, preferred, usual []string) Choice {
	return l.find(wanted, imap.MailboxAttrSent, preferred, usual)
}

// Junk finds the folder for unwanted mail.
func (l Listing) Junk(usual []string) Choice { return l.find("", imap.MailboxAttrJunk, nil, usual) }

func (l Listing) find(wanted string, use imap.MailboxAttr, first, names []string) Choice {
	choice := Choice{Candidates: l.candidates(use, first, names)}
	if wanted != "" {
		// Mail programs write a slash between levels, whatever the server has there.
		levels := strings.ReplaceAll(wanted, "/", cmp.Or(l.Separator, "/"))
		for _, name := range []string{wanted, l.Prefix + wanted, levels, l.Prefix + levels} {
			same := func(f Folder) bool { return !f.closed && canonicalName(f.Name.Raw()) == canonicalName(name) }
			if i := slices.IndexFunc(l.Folders, same); i >= 0 {
				choice.Folder, choice.Found, choice.By = l.Folders[i], true, "setting"
				return choice
			}
		}
		return choice
	}
	if len(choice.Candidates) == 0 {
		return choice
	}
	choice.Folder, choice.Found, choice.By = choice.Candidates[0], true, "name"
	if choice.Folder.SpecialUse == use {
		choice.By = "special-use"
	}
	return choice
}

// canonicalName makes folder names comparable. Only INBOX at the front is compared without regard to case.
func canonicalName(name string) string {
	const inbox = "INBOX"
	if len(name) >= len(inbox) && strings.EqualFold(name[:len(inbox)], inbox) {
		return inbox + name[len(inbox):]
	}
	return name
}

// candidates lists the folders that may be meant, best first: marked ones, then those that are preferred by their whole
// name, then known names, the shorter path first.
func (l Listing) candidates(use imap.MailboxAttr, first, names []string) []Folder {
	known := positions(names)
	whole := positions(first)
	type scored struct {
		Folder
		tier, position int
	}
	var found []scored
	for _, f := range l.Folders {
		if f.closed {
			continue
		}
		byPreset, isPreset := whole[fold(f.Name.Raw())]
		byName, isKnown := known[fold(f.leaf())]
		switch {
		case f.SpecialUse == use:
			found = append(found, scored{f, 0, 0})
		case f.SpecialUse != "": // marked for another use
		case isPreset:
			found = append(found, scored{f, 1, byPreset})
		case isKnown:
			found = append(found, scored{f, 2, byName})
		}
	}
	slices.SortStableFunc(found, func(a, b scored) int {
		return cmp.Or(cmp.Compare(a.tier, b.tier), cmp.Compare(l.depth(a.Folder), l.depth(b.Folder)),
			cmp.Compare(a.position, b.position))
	})
	out := make([]Folder, len(found))
	for i, f := range found {
		out[i] = f.Folder
	}
	return out
}

// positions maps each folded name to its first position in the list.
func positions(names []string) map[string]int {
	places := make(map[string]int, len(names))
	for i, name := range slices.Backward(names) {
		places[fold(name)] = i
	}
	return places
}

// depth counts the levels below the personal namespace.
func (l Listing) depth(f Folder) int {
	if f.Separator == "" {
		return 0
	}
	return strings.Count(strings.TrimPrefix(f.Name.Raw(), l.Prefix), f.Separator)
}

// Leaves lists the last parts of the folders' names.
func (l Listing) Leaves() []string {
	var names []string
	for _, f := range l.Folders {
		names = append(names, f.leaf())
	}
	return names
}

// Suggest returns a name for a new folder, with the server's prefix.
func (l Listing) Suggest(name string) string {
	if l.Prefix != "" && !strings.HasPrefix(canonicalName(name), canonicalName(l.Prefix)) {
		return l.Prefix + name
	}
	return name
}

// leaf returns the last level of the name.
func (f Folder) leaf() string {
	name := f.Name.Raw()
	if f.Separator == "" {
		return name
	}
	return name[strings.LastIndex(name, f.Separator)+1:]
}

// Selectable lists the folders that can hold messages.
func (l Listing) Selectable() []Folder {
	return slices.DeleteFunc(slices.Clone(l.Folders), func(f Folder) bool { return f.closed })
}

// ForSent lists the folders that can hold messages, those with another purpose last: the inbox, those with another
// special use, and those with one of these names.
func (l Listing) ForSent(others []string) []Folder {
	other := func(f Folder) bool {
		name := f.raw
		if f.Separator != "" {
			name = name[strings.LastIndex(name, f.Separator)+1:]
		}
		last := fold(utf7.Readable(name))
		return f.SpecialUse != "" && f.SpecialUse != imap.MailboxAttrSent || last == "inbox" ||
			slices.ContainsFunc(others, func(known string) bool { return fold(known) == last })
	}
	list := l.Selectable()
	slices.SortStableFunc(list, func(a, b Folder) int {
		switch {
		case other(a) == other(b):
			return 0
		case other(a):
			return 1
		}
		return -1
	})
	return list
}

// fold makes names comparable: composed, without case and with single spaces for the separators that programs put in.
func fold(name string) string {
	name = strings.ToLower(norm.NFC.String(name))
	name = strings.NewReplacer("_", " ", "-", " ").Replace(name)
	return strings.Join(strings.Fields(name), " ")
}
