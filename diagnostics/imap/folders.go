package imap

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"postier/internal/safetext"
	"postier/internal/wire"
	"postier/presets"
)

// Folder is one mailbox of the account.
type Folder struct {
	// Name is what people read, with the server's own prefix and separator.
	Name safetext.Remote
	// Separator parts the levels of Name; empty when the server is flat.
	Separator string
	// SpecialUse is the attribute of RFC 6154, \Sent or \Junk for instance, or empty.
	SpecialUse string
	raw        string // as it goes over the wire
	closed     bool   // \Noselect or \NonExistent
}

// open lists the folders that can hold messages.
func (l Listing) open() []Folder {
	return slices.DeleteFunc(slices.Clone(l.Folders), func(f Folder) bool { return f.closed })
}

// Same reports whether both are the same mailbox; INBOX is the one name without regard to case (RFC 9051 §5.1).
func (f Folder) Same(other Folder) bool {
	return f.raw == other.raw || (strings.EqualFold(f.raw, "INBOX") && strings.EqualFold(other.raw, "INBOX"))
}

// leaf is the last level of the name.
func (f Folder) leaf() string {
	name := f.Name.Raw()
	if f.Separator == "" {
		return name
	}
	return name[strings.LastIndex(name, f.Separator)+1:]
}

// Inbox is the one mailbox that every account has.
func Inbox() Folder { return Folder{Name: safetext.FromRemote("INBOX"), raw: "INBOX"} }

// Listing is what the server told about the account's folders.
type Listing struct {
	Folders []Folder
	// Prefix and Separator are of the personal namespace (RFC 2342): "INBOX." and "." at some servers.
	Prefix, Separator string
	// SpecialUse is true when the server marks folders by their use.
	SpecialUse bool
	// ServerID is what the server says about itself (RFC 2971), name and value in turn.
	ServerID []safetext.Remote
}

// Choice is a folder with how it was found and what else it might have been.
type Choice struct {
	Folder Folder
	Found  bool
	// By is setting, special-use or name.
	By string
	// Candidates are all folders that could be meant, the chosen one included.
	Candidates []Folder
}

// maxNameLength bounds the folder names that are kept; the folder for sent mail has no longer one.
const maxNameLength = 1000

// Folders lists the account's folders in one round trip, two with servers that refuse the extended question.
func (s *Session) Folders(ctx context.Context) (Listing, error) {
	var l Listing
	// RFC 6154 §5.2. Some servers refuse LIST (SPECIAL-USE), so the answer is asked to carry the attributes.
	ask := &command{name: "LIST", args: `"" "*" RETURN (SPECIAL-USE)`, maxData: maxFolders}
	var flight []*command
	extended := true
	switch {
	case len(s.caps) == 0: // the server did not volunteer them after sign-in
		flight = append(flight, &command{name: "CAPABILITY"})
	case s.has("SPECIAL-USE") || s.has("LIST-EXTENDED") || s.has("IMAP4REV2"):
	case s.has("XLIST"):
		extended, ask = false, &command{name: "XLIST", args: `"" "*"`, maxData: maxFolders}
	default:
		extended, ask = false, plainList()
	}
	if len(s.caps) == 0 || s.has("NAMESPACE") || s.has("IMAP4REV2") {
		flight = append(flight, &command{name: "NAMESPACE", data: l.namespace})
	}
	if s.has("ID") {
		// NetEase refuses to open folders for a client that has not named itself.
		flight = append(flight, &command{name: "ID", args: `("name" "postier")`, data: l.identify})
	}
	ask.data = l.add
	if err := s.exchange(ctx, wire.CommandDeadline, append(flight, ask)...); err != nil {
		return l, err
	}
	if ask.err != nil && (extended || ask.name == "XLIST") {
		l.Folders = nil
		ask = plainList()
		ask.data = l.add
		if err := s.exchange(ctx, wire.CommandDeadline, ask); err != nil {
			return l, err
		}
	}
	if ask.err != nil {
		return l, ask.err
	}
	s.uidplus = s.has("UIDPLUS") || s.has("IMAP4REV2")
	for _, f := range l.Folders {
		l.SpecialUse = l.SpecialUse || f.SpecialUse != ""
		if l.Separator == "" {
			l.Separator = f.Separator
		}
	}
	return l, nil
}

func plainList() *command {
	return &command{name: "LIST", args: `"" "*"`, maxData: maxFolders}
}

// specialUses are the attributes that matter here; XLIST servers write \Spam for \Junk.
var specialUses = map[string]string{
	`\sent`: `\Sent`, `\junk`: `\Junk`, `\spam`: `\Junk`, `\drafts`: `\Drafts`,
	`\trash`: `\Trash`, `\all`: `\All`, `\allmail`: `\All`,
}

// add takes "* LIST (attributes) separator name".
func (l *Listing) add(r *response) {
	if (r.name != "LIST" && r.name != "XLIST") || len(r.values) < 3 || r.values[0].kind != list {
		return
	}
	raw := r.values[2].text
	if raw == "" || len(raw) > maxNameLength || len(l.Folders) >= maxFolders {
		return
	}
	f := Folder{raw: raw, Name: safetext.FromRemote(readable(raw))}
	if r.values[1].kind != null && len(r.values[1].text) == 1 {
		f.Separator = r.values[1].text
	}
	for _, attribute := range words(r.values[0].items) {
		attribute = strings.ToLower(attribute)
		switch use := specialUses[attribute]; {
		case use != "":
			f.SpecialUse = use
		case attribute == `\noselect`, attribute == `\nonexistent`:
			f.closed = true
		}
	}
	l.Folders = append(l.Folders, f)
}

// namespace takes `* NAMESPACE (("INBOX." ".")) NIL NIL` (RFC 2342 §5).
func (l *Listing) namespace(r *response) {
	if r.name != "NAMESPACE" || len(r.values) == 0 || len(r.values[0].items) == 0 {
		return
	}
	if first := r.values[0].items[0].items; len(first) >= 2 && len(first[0].text) <= maxNameLength {
		l.Prefix = readable(first[0].text)
		if len(first[1].text) == 1 {
			l.Separator = first[1].text
		}
	}
}

func (l *Listing) identify(r *response) {
	const maxFields = 60 // RFC 2971 §3.3 allows 30 pairs
	if r.name != "ID" || len(r.values) == 0 {
		return
	}
	for _, w := range words(r.values[0].items) {
		if len(l.ServerID) < maxFields {
			l.ServerID = append(l.ServerID, safetext.FromRemote(clip(w)))
		}
	}
}

// Sent finds the folder for sent mail: the wanted one when it is named, else the one marked \Sent, else one with a
// known name. first are names to prefer, as the provider's preset gives them.
func (l Listing) Sent(wanted string, first ...string) Choice {
	return l.find(wanted, `\Sent`, first, presets.SentNames())
}

// Junk finds the folder for unwanted mail.
func (l Listing) Junk() Choice { return l.find("", `\Junk`, nil, junkNames) }

func (l Listing) find(wanted, use string, first, names []string) Choice {
	choice := Choice{Candidates: l.candidates(use, first, names)}
	if wanted != "" {
		for _, name := range []string{wanted, l.Prefix + wanted} {
			for _, f := range l.Folders {
				if !f.closed && typed(f.Name.Raw()) == typed(name) {
					choice.Folder, choice.Found, choice.By = f, true, "setting"
					return choice
				}
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

// typed compares names as the person typed them; only INBOX at the front is without case.
func typed(name string) string {
	const inbox = "INBOX"
	if len(name) >= len(inbox) && strings.EqualFold(name[:len(inbox)], inbox) {
		return inbox + name[len(inbox):]
	}
	return name
}

// candidates lists the folders that may be meant, best first: marked ones, then those that the preset names in full,
// then known names, the shorter path first.
func (l Listing) candidates(use string, first, names []string) []Folder {
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
		leaf := fold(f.leaf())
		byPreset, isPreset := whole[fold(f.Name.Raw())]
		byName, isKnown := known[leaf]
		if doubtful[leaf] {
			byName += len(names)
		}
		switch {
		case f.SpecialUse == use:
			found = append(found, scored{f, 0, 0})
		case f.SpecialUse != "": // marked for something else
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

// positions maps names, made comparable, to their first place in the list.
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

// Suggest is a name for a folder that does not exist yet, with the server's prefix.
func (l Listing) Suggest(name string) string {
	if name == "" {
		name = "Sent"
	}
	if l.Prefix != "" && !strings.HasPrefix(typed(name), typed(l.Prefix)) {
		return l.Prefix + name
	}
	return name
}

// Create makes a folder for sent mail and subscribes to it, so that mail programs show it.
func (s *Session) Create(ctx context.Context, l Listing, name string) (Folder, error) {
	if strings.ContainsFunc(name, safetext.Harmful) || name == "" {
		return Folder{}, errUnsafe
	}
	f := Folder{Name: safetext.FromRemote(name), Separator: l.Separator, raw: encodeUTF7(name)}
	create := &command{name: "CREATE", args: quote(f.raw)}
	if s.has("CREATE-SPECIAL-USE") { // RFC 6154 §3
		create.args += ` (USE (\Sent))`
		f.SpecialUse = `\Sent`
	}
	err := s.do(ctx, wire.CommandDeadline, create)
	var refused *ReplyError
	if errors.As(err, &refused) && refused.Status == "NO" && refused.Code == "USEATTR" {
		f.SpecialUse = "" // RFC 6154 §6: another folder has the attribute, or it may not be set
		err = s.do(ctx, wire.CommandDeadline, &command{name: "CREATE", args: quote(f.raw)})
	}
	if err != nil {
		return f, err
	}
	subscribe := &command{name: "SUBSCRIBE", args: quote(f.raw)}
	return f, s.exchange(ctx, wire.CommandDeadline, subscribe) // a refused subscription harms nothing
}
