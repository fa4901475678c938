package delivery

import (
	"context"
	"errors"

	"postier/config"
	"postier/internal/imap"
	"postier/internal/wire"
	"postier/presets"
)

// errNoFolder says that the mailbox has no folder for sent mail.
var errNoFolder = errors.New("there is no folder for sent mail")

// mailbox opens the folder for sent mail of a profile.
func (s *Sender) mailbox(ctx context.Context, profile string, p *config.Profile) (*imap.Session, imap.Folder, error) {
	target, network, err := s.Accounts.Profile(ctx, profile, p)
	if err != nil {
		return nil, imap.Folder{}, err
	}
	recorder := wire.NewRecorder()
	recorder.Hide(target.Secret, target.Submission.Username)
	session, err := imap.Open(ctx, network, target.Mailbox(), recorder)
	if err != nil {
		return nil, imap.Folder{}, err
	}
	listing, err := session.Folders(ctx)
	if err != nil {
		session.Close()
		return nil, imap.Folder{}, err
	}
	choice := listing.Sent(target.SentFolder, target.SentFolders, presets.SentNames())
	if !choice.Found {
		session.Close()
		return nil, imap.Folder{}, errNoFolder
	}
	return session, choice.Folder, nil
}

// FileCopy puts the message into the folder for sent mail, exactly once (M-3): with search, it looks first whether an
// earlier try, whose answer may have been lost, has left a copy.
func (s *Sender) FileCopy(ctx context.Context, profile string, p *config.Profile, item *Item, search bool) error {
	session, folder, err := s.mailbox(ctx, profile, p)
	if err != nil {
		return err
	}
	defer session.Close()
	if search {
		uids, err := session.FindIn(ctx, folder, item.MessageID)
		if err != nil || len(uids) > 0 {
			return err
		}
	}
	_, err = session.Append(ctx, folder, item.Raw, item.rest)
	return err
}

// Found looks in the folder for sent mail for a message whose fate is unknown (docs/security.md T18). checked is false
// when there is no mailbox to look into.
func (s *Sender) Found(ctx context.Context, profile string, p *config.Profile, messageID string) (found, checked bool,
	err error,
) {
	if p.SentCopy.IMAP == nil {
		return false, false, nil
	}
	session, folder, err := s.mailbox(ctx, profile, p)
	if err != nil {
		return false, false, err
	}
	defer session.Close()
	uids, err := session.FindIn(ctx, folder, messageID)
	return len(uids) > 0, err == nil, err
}

// signInStep reports whether opening the mailbox ended at the sign-in: repeating it could lock the account.
func signInStep(err error) bool {
	var step *imap.StepError
	return errors.As(err, &step) && step.Step == imap.StepAuth
}
