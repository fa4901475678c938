package imap

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/emersion/go-imap/v2"

	"postier/diagnostics"
	"postier/internal/check"
	client "postier/internal/imap"
	"postier/internal/safetext"
	"postier/presets"
)

// folder finds the folder for sent mail.
func (r *run) folder(ctx context.Context) diagnostics.Result {
	listing, err := r.session.Folders(ctx)
	if err != nil {
		return r.failure(err)
	}
	r.sent = listing.Sent(r.target.SentFolder, r.target.SentFolders, presets.SentNames())
	evidence := diagnostics.Evidence{diagnostics.Folders{
		Count: len(listing.Folders), Prefix: safetext.FromRemote(listing.Prefix),
		Separator: safetext.FromRemote(listing.Separator), SpecialUse: listing.SpecialUse,
		Candidates: names(r.sent.Candidates), Names: names(listing.ForSent(presets.OtherNames())),
	}}
	if len(listing.ServerID) > 0 {
		evidence = append(evidence, ServerID{ID: listing.ServerID})
	}
	if r.sent.Found {
		return diagnostics.Passed(append(evidence, r.chosen(false))...)
	}
	name := listing.Suggest(cmp.Or(r.target.SentFolder, presets.NewSentName(listing.Leaves())))
	if r.options.Create {
		created, err := r.session.Create(ctx, listing, name)
		if err != nil {
			return r.failure(err).After(evidence...)
		}
		r.sent.Folder, r.sent.Found, r.sent.By = created, true, "created"
		return diagnostics.Passed(append(evidence, r.chosen(true))...)
	}
	return diagnostics.Failed(check.CauseFolderMissing, evidence...).
		With(check.Params{Folder: safetext.FromRemote(name)}).Fixed(check.Fix{Kind: "folder", Value: name})
}

func (r *run) chosen(created bool) diagnostics.Folder {
	return diagnostics.Folder{
		Name: r.sent.Folder.Name, FoundBy: r.sent.By, Created: created,
		SpecialUse: safetext.FromRemote(string(r.sent.Folder.SpecialUse)),
	}
}

func names(folders []client.Folder) []safetext.Remote {
	const shown = 20
	out := make([]safetext.Remote, 0, min(len(folders), shown))
	for _, f := range folders[:min(len(folders), shown)] {
		out = append(out, f.Name)
	}
	return out
}

// file appends the rehearsal message.
func (r *run) file(ctx context.Context) diagnostics.Result {
	r.message = newRehearsal(r.target.Author(), r.options.Lang, r.options.Product, r.options.Now())
	uid, err := r.session.Append(ctx, r.sent.Folder, r.message.raw, nil)
	if err != nil {
		return r.notFiled(ctx, err)
	}
	r.uid = uid
	return diagnostics.Passed(r.filing(false))
}

func (r *run) filing(reconnected bool) Append {
	return Append{
		Folder: r.sent.Folder.Name, MessageID: r.message.id, Octets: len(r.message.raw),
		UID: uint32(r.uid), UIDPlus: r.session.UIDPlus(), Reconnected: reconnected,
	}
}

// notFiled judges a failed APPEND. When the connection ended before the reply, only the server knows whether it stored
// the copy (RFC 1047 describes this for SMTP). So the folder is searched over a new connection, and the message is
// never appended twice.
func (r *run) notFiled(ctx context.Context, err error) diagnostics.Result {
	result := r.failure(err)
	var refused *client.ReplyError
	if errors.As(err, &refused) && refused.Status != imap.StatusResponseTypeBye {
		switch {
		case refused.Code == imap.ResponseCodeTryCreate || refused.Code == imap.ResponseCodeNonExistent:
			result.Cause = check.CauseFolderMissing
			result.Fix = []check.Fix{{Kind: "folder", Value: r.sent.Folder.Name.Raw()}}
		case refused.Code == imap.ResponseCodeNoPerm || refused.Code == client.CodeReadOnly:
			result.Cause = check.CauseFolderReadOnly
		case result.Cause == check.CauseUnknown:
			result.Cause = check.CauseAppendRefused
		}
		return result
	}
	if result.Status == check.Skip { // the user stopped it, so it is unknown whether the copy was stored
		result.Evidence = append(result.Evidence, r.doubt())
		return result
	}
	var protocol *client.ProtocolError
	if errors.As(err, &protocol) {
		return result
	}
	result.Cause = check.CauseDeliveryUnknown
	result.Evidence = append(result.Evidence, r.doubt())
	uids, err := r.searchAgain(ctx)
	if err != nil || len(uids) == 0 {
		return result
	}
	r.uid = uids[0]
	return diagnostics.Warned(check.CauseDeliveryUnknown, append(result.Evidence, r.filing(true))...)
}

// searchAgain looks for the message over a new connection.
func (r *run) searchAgain(ctx context.Context) ([]imap.UID, error) {
	r.session.Close()
	session, err := client.Open(ctx, r.network, r.access, r.recorder)
	if err != nil {
		return nil, err
	}
	r.session = session
	if _, err := session.Folders(ctx); err != nil { // this also reads what the server offers after the sign-in
		return nil, err
	}
	return session.FindIn(ctx, r.sent.Folder, r.message.id)
}

func (r *run) doubt() MayBeFiled {
	return MayBeFiled{Folder: r.sent.Folder.Name, MessageID: r.message.id}
}

// readback reads the message and compares every octet.
func (r *run) readback(ctx context.Context) diagnostics.Result {
	if r.uid == 0 {
		uids, err := r.session.FindIn(ctx, r.sent.Folder, r.message.id)
		switch {
		case err != nil:
			return r.failure(err)
		case len(uids) == 0:
			return r.failure(client.ErrGone)
		}
		r.uid = uids[0]
	}
	got, err := r.session.FetchFrom(ctx, r.sent.Folder, r.uid)
	if err != nil {
		return r.failure(err)
	}
	if !bytes.Contains(got, []byte(r.message.token)) {
		r.uid = 0 // someone else's message: it must not be touched
		return r.failure(client.ErrGone)
	}
	r.recognised = true
	seen := Readback{UID: uint32(r.uid), SentOctets: len(r.message.raw), ReadOctets: len(got)}
	at := firstDifference(r.message.raw, got)
	if at < 0 {
		return diagnostics.Passed(seen)
	}
	seen.Difference, seen.Sent, seen.Read = &at, new(around(r.message.raw, at)), new(around(got, at))
	return diagnostics.Warned(check.CauseReadbackMismatch, seen)
}

// firstDifference is the offset of the first octet in which a and b differ, or -1.
func firstDifference(a, b []byte) int {
	for i := range max(len(a), len(b)) {
		if i >= len(a) || i >= len(b) || a[i] != b[i] {
			return i
		}
	}
	return -1
}

// around returns the text around the difference.
func around(b []byte, at int) safetext.Remote {
	const before, after = 20, 40
	at = min(at, len(b))
	return safetext.FromRemote(string(b[max(0, at-before):min(len(b), at+after)]))
}

// cleanup removes the message once it is known to be ours.
func (r *run) cleanup(ctx context.Context) diagnostics.Result {
	left := func(err error) diagnostics.Result {
		result := r.failure(err)
		if result.Status == check.Fail {
			result.Status, result.Cause = check.Warn, check.CauseCleanupFailed
		}
		result.Evidence = append(result.Evidence, r.doubt())
		result.Params = check.Params{Folder: r.sent.Folder.Name}
		return result
	}
	if r.session.Ended() {
		return left(client.ErrClosed)
	}
	if !r.recognised { // search for its Message-ID, which contains our random token
		uids, err := r.session.FindIn(ctx, r.sent.Folder, r.message.id)
		switch {
		case err != nil:
			return left(err)
		case len(uids) == 0:
			return left(client.ErrGone)
		}
		r.uid = uids[0]
	}
	how, err := r.session.Remove(ctx, r.uid)
	if err != nil {
		return left(err)
	}
	seen := Cleanup{UID: uint32(r.uid), Method: string(how)}
	if how == client.LeftMarked {
		result := diagnostics.Warned(check.CauseCleanupFailed, seen, r.doubt())
		result.Params = check.Params{Folder: r.sent.Folder.Name}
		return result
	}
	return diagnostics.Passed(seen)
}

// leave hands over the session, or ends it.
func (r *run) leave() {
	if r.options.Keep == nil || r.session.Ended() {
		r.session.Close()
		return
	}
	r.options.Keep(r.session)
	r.session = nil
}

// nearlyFull is the share of the quota at which a mailbox is worth a warning.
const nearlyFull = 0.9

// quota asks how much space is left. It is the last check, after which the session is kept or ends.
func (r *run) quota(ctx context.Context) diagnostics.Result {
	defer r.leave()
	if r.session.Ended() {
		return diagnostics.Skipped(check.CauseNeedsFailed)
	}
	folder := client.Inbox()
	if r.sent.Found {
		folder = r.sent.Folder
	}
	quotas, err := r.session.Quota(ctx, folder)
	var refused *client.ReplyError
	switch {
	case errors.Is(err, client.ErrNotOffered), err == nil && len(quotas) == 0,
		errors.As(err, &refused) && refused.Status != imap.StatusResponseTypeBye:
		return diagnostics.Skipped(check.CauseNotApplicable, NoQuota{})
	case err != nil:
		return r.failure(err)
	}
	result := diagnostics.Passed()
	for _, q := range quotas {
		result.Evidence = append(result.Evidence, Quota{
			Root: safetext.FromRemote(q.Root), Resource: safetext.FromRemote(string(q.Resource)), Used: q.Used, Limit: q.Limit,
		})
		switch full := q.Full(); {
		case full >= 1:
			result.Status, result.Cause = check.Fail, check.CauseMailboxFull
		case full >= nearlyFull && result.Status == check.Pass:
			result.Status, result.Cause = check.Warn, check.CauseQuotaNearlyFull
		}
		if result.Status != check.Pass && result.Params.Percent.Empty() {
			result.Params = check.Params{Percent: safetext.FromRemote(fmt.Sprintf("%.0f", 100*q.Full()))}
		}
	}
	return result
}
