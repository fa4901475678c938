package delivery

import (
	"context"
	"errors"
	"strings"

	"postier/config"
	"postier/internal/addressfield"
	"postier/internal/spool"
)

// Errors of a message that cannot be sent again.
var (
	ErrNoText   = errors.New("the text of the message is no longer kept")
	ErrTestText = errors.New("the text was written for the test address")
)

// Resend sends a message of the log again as a new one, to its recipients or to another address. One that still waits,
// and has no other address to go to, is tried at once instead: it would arrive twice. The receipt is then nil.
func (s *Submitter) Resend(ctx context.Context, id, to string) (*Receipt, error) {
	item, err := s.Queue.Store.Item(ctx, id)
	switch {
	case err != nil:
		return nil, err
	case to == "" && !item.State.Final() && item.State != StateCopy:
		return nil, s.Queue.Retry(ctx, id)
	case len(item.Raw) == 0:
		return nil, ErrNoText
	case item.TestMode:
		return nil, ErrTestText
	}
	m, err := Read(spool.Reader(item.Raw, item.rest), false)
	if err != nil {
		return nil, err
	}
	defer m.Close()
	r := Request{Author: item.Author, Kind: item.Kind, Recipients: item.addressees()}
	if to != "" {
		r.Recipients = []string{to}
		m.set("To", formatAddress(config.Address{Address: to}))
		m.drop("Cc")
	}
	m.renew(item.Author)
	d, err := s.Decide(ctx, r)
	if err != nil {
		return nil, err
	}
	return s.Submit(ctx, m, r, d, How{})
}

// addressees are the recipients that the caller named.
func (i *Item) addressees() []string {
	var list []string
	for _, r := range i.Recipients {
		if !r.Blind {
			list = append(list, r.Address)
		}
	}
	return list
}

// renew makes a message that was sent a new one, in the name of its author: the fallback had put its own address there.
func (m *Message) renew(author string) {
	m.drop("Message-ID", "Date")
	if author == "" || key(m.Author()) == key(author) {
		return
	}
	name := ""
	if list := m.addresses("From"); len(list) > 0 {
		name = list[0].Name
	}
	m.set("From", addressfield.Mailbox(name, author))
	if list := m.addresses("Reply-To"); len(list) == 1 && strings.EqualFold(list[0].Address, author) {
		m.drop("Reply-To")
	}
}
