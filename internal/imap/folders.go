package imap

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/emersion/go-imap/v2"

	"postier/internal/safetext"
	"postier/internal/utf7"
	"postier/internal/wire"
)

// capXList was Gmail's before RFC 6154; some servers know nothing newer.
const capXList imap.Cap = "XLIST"

// Folder is one mailbox of the account.
type Folder struct {
	// Name is what people read, with the server's own prefix and separator.
	Name safetext.Remote
	// Separator parts the levels of Name; empty when the server is flat.
	Separator string
	// SpecialUse is the attribute of RFC 6154, or empty.
	SpecialUse imap.MailboxAttr
	raw        string // the name in modified UTF-7, as the server sent it
	closed     bool   // \Noselect or \NonExistent
}

// Same reports whether both are the same mailbox; INBOX is the one name without regard to case (RFC 9051 §5.1).
func (f Folder) Same(other Folder) bool {
	return f.raw == other.raw || (strings.EqualFold(f.raw, "INBOX") && strings.EqualFold(other.raw, "INBOX"))
}

// Inbox returns INBOX, the one mailbox that every account has.
func Inbox() Folder { return Folder{Name: safetext.FromRemote("INBOX"), raw: "INBOX"} }

// Listing holds what the server says about the account's folders.
type Listing struct {
	Folders []Folder
	// Prefix and Separator belong to the personal namespace (RFC 2342): "INBOX." and "." at some servers.
	Prefix, Separator string
	// SpecialUse is true when the server marks folders by their use.
	SpecialUse bool
	// ServerID is what the server says about itself (RFC 2971), name and value in turn.
	ServerID []safetext.Remote
}

// maxNameLength is the longest folder name that is kept; no folder for sent mail has a longer one.
const maxNameLength = 1000

// Folders lists the account's folders, in one round trip where the server has sent its capabilities. How it asks
// depends on them, so a server that has not sent them since the sign-in, and offered too little before it, is asked
// first.
func (s *Session) Folders(ctx context.Context) (Listing, error) {
	var l Listing
	if s.stale && !s.listsByUse() || len(s.caps) == 0 {
		if err := s.know(ctx); err != nil {
			return l, err
		}
	}
	var flight []*command
	if s.stale {
		flight = append(flight, &command{name: "CAPABILITY"})
	}
	if s.offersID && !s.named {
		flight = append(flight, s.introduction(&l))
	}
	if s.caps.Has(imap.CapNamespace) {
		flight = append(flight, &command{name: "NAMESPACE", data: l.namespace})
	}
	ask := s.listing()
	ask.data = l.add
	err := s.exchange(ctx, wire.CommandDeadline, append(flight, ask)...)
	if plain := plainList(); err == nil && ask.err != nil && ask.name+ask.args != plain.name+plain.args {
		l.Folders = nil
		ask = plain
		ask.data = l.add
		err = s.exchange(ctx, wire.CommandDeadline, ask)
	}
	if err == nil && s.offersID && !s.named { // offered only now
		err = s.exchange(ctx, wire.CommandDeadline, s.introduction(&l))
	}
	if err = cmp.Or(err, ask.err); err != nil {
		return l, err
	}
	s.uidplus = s.caps.Has(imap.CapUIDPlus)
	for _, f := range l.Folders {
		l.SpecialUse = l.SpecialUse || f.SpecialUse != ""
		l.Separator = cmp.Or(l.Separator, f.Separator)
	}
	return l, nil
}

// introduction is the ID command (RFC 2971). NetEase refuses to open folders for a client that has not named itself.
func (s *Session) introduction(l *Listing) *command {
	s.named = true
	return &command{name: "ID", args: `("name" "postier")`, data: l.identify}
}

// listsByUse reports whether the offers of before the sign-in are enough to ask for folders in the best way.
func (s *Session) listsByUse() bool {
	return s.caps.Has(imap.CapNamespace) &&
		(s.caps.Has(imap.CapSpecialUse) || s.caps.Has(imap.CapListExtended) || s.caps.Has(capXList))
}

// listing is the command that lists the folders with their special uses, as far as the server offers that. Some servers
// refuse LIST (SPECIAL-USE), so the answer is asked to carry the attributes (RFC 6154 §5.2).
func (s *Session) listing() *command {
	switch {
	case s.caps.Has(imap.CapSpecialUse) || s.caps.Has(imap.CapListExtended):
		return &command{name: "LIST", args: `"" "*" RETURN (SPECIAL-USE)`, maxData: maxFolders}
	case s.caps.Has(capXList):
		return &command{name: "XLIST", args: `"" "*"`, maxData: maxFolders}
	}
	return plainList()
}

func plainList() *command {
	return &command{name: "LIST", args: `"" "*"`, maxData: maxFolders}
}

// specialUses are the attributes that matter here; XLIST servers write \Spam for \Junk.
var specialUses = map[string]imap.MailboxAttr{
	`\sent`: imap.MailboxAttrSent, `\junk`: imap.MailboxAttrJunk, `\spam`: imap.MailboxAttrJunk,
	`\drafts`: imap.MailboxAttrDrafts, `\trash`: imap.MailboxAttrTrash,
	`\all`: imap.MailboxAttrAll, `\allmail`: imap.MailboxAttrAll,
}

// add takes "* LIST (attributes) separator name".
func (l *Listing) add(r *response) {
	if (r.name != "LIST" && r.name != "XLIST") || len(r.values) < 3 || r.values[0].kind != list {
		return
	}
	raw := folderName(r.values[2:])
	if raw == "" || len(raw) > maxNameLength || len(l.Folders) >= maxFolders {
		return
	}
	raw = strings.Clone(raw) // without a copy each name would keep its whole line in memory
	f := Folder{raw: raw, Name: safetext.FromRemote(utf7.Readable(raw)), Separator: separator(r.values[1])}
	for _, attribute := range words(r.values[0].items) {
		if use := specialUses[strings.ToLower(attribute)]; use != "" {
			f.SpecialUse = use
		}
		f.closed = f.closed || strings.EqualFold(attribute, string(imap.MailboxAttrNoSelect)) ||
			strings.EqualFold(attribute, string(imap.MailboxAttrNonExistent))
	}
	l.Folders = append(l.Folders, f)
}

// folderName returns a folder's name as it is on the wire. Some servers forget the quotes and send "* LIST () "/" Sent
// Items", which is outside the grammar: the words are joined, since "Sent" alone may be another folder. By the grammar
// only a list may follow a name (RFC 5258 §6).
func folderName(values []value) string {
	end := slices.IndexFunc(values, func(v value) bool { return v.kind != atom })
	if end == 0 {
		return values[0].text
	}
	if end < 0 {
		end = len(values)
	}
	return strings.Join(words(values[:end]), " ")
}

// separator returns the character between the levels of a name, or an empty string.
func separator(v value) string {
	if len(v.text) != 1 {
		return ""
	}
	return strings.Clone(v.text)
}

// namespace takes `* NAMESPACE (("INBOX." ".")) NIL NIL` (RFC 2342 §5).
func (l *Listing) namespace(r *response) {
	if r.name != "NAMESPACE" || len(r.values) == 0 || len(r.values[0].items) == 0 {
		return
	}
	if first := r.values[0].items[0].items; len(first) >= 2 && len(first[0].text) <= maxNameLength {
		l.Prefix, l.Separator = utf7.Readable(strings.Clone(first[0].text)), cmp.Or(separator(first[1]), l.Separator)
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

// Create makes a folder for sent mail and subscribes to it, so that mail programs show it.
func (s *Session) Create(ctx context.Context, l Listing, name string) (Folder, error) {
	if strings.ContainsFunc(name, safetext.Harmful) || name == "" {
		return Folder{}, ErrUnsafe
	}
	f := Folder{Name: safetext.FromRemote(name), Separator: l.Separator, raw: utf7.Encode(name)}
	create := &command{name: "CREATE", args: quote(f.raw)}
	if s.caps.Has(imap.CapCreateSpecialUse) { // RFC 6154 §3
		create.args += ` (USE (\Sent))`
		f.SpecialUse = imap.MailboxAttrSent
	}
	err := s.do(ctx, wire.CommandDeadline, create)
	var refused *ReplyError
	if errors.As(err, &refused) && refused.Status == imap.StatusResponseTypeNo && refused.Code == codeUseAttr {
		f.SpecialUse = "" // RFC 6154 §6: another folder has the attribute, or it may not be set
		err = s.do(ctx, wire.CommandDeadline, &command{name: "CREATE", args: quote(f.raw)})
	}
	if err != nil {
		return f, err
	}
	subscribe := &command{name: "SUBSCRIBE", args: quote(f.raw)}
	return f, s.exchange(ctx, wire.CommandDeadline, subscribe) // a refused subscription harms nothing
}
