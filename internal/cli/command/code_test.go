package command

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"syscall"
	"testing"

	"postier/config"
	"postier/config/credential"
	"postier/config/export"
	"postier/config/importer"
	"postier/delivery"
	"postier/internal/check"
	"postier/internal/discovery"
	"postier/internal/exitcode"
	"postier/internal/locale"
	"postier/internal/mailauth/spf"
	"postier/internal/oauth"
	"postier/internal/safefile"
	"postier/internal/wire"
	"postier/presets/vendor"
	"postier/tui/plain"
	"postier/wizard"
	"postier/wizard/carrier"
)

// What cannot be written is 74, what must not be read 78 (docs/reference.md §4).
func TestCodeOfFiles(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		op      string
		problem safefile.Problem
		code    int
	}{
		{"create", safefile.Denied, exitcode.IO},
		{"lock", safefile.Denied, exitcode.IO},
		{"rename", safefile.ReadOnly, exitcode.IO},
		{"write", safefile.DiskFull, exitcode.IO},
		{"open", safefile.Denied, exitcode.Config},
		{"write", safefile.NotRegular, exitcode.Config},
	} {
		if got := Code(&safefile.Error{Op: c.op, Path: "/x", Problem: c.problem, Err: syscall.EACCES}); got != c.code {
			t.Errorf("%s %s: %d, want %d", c.op, c.problem, got, c.code)
		}
	}
}

func TestCodeOfErrors(t *testing.T) {
	t.Parallel()
	for want, list := range map[int][]error{
		exitcode.OK: {nil},
		exitcode.Failed: {
			errors.New("something"), &plain.Stopped{},
			&plain.Stopped{Finding: &wizard.Report{Cause: "none-of-the-catalogue"}},
			&credential.Error{Problem: credential.Exited},
		},
		exitcode.Usage: {
			Usage("x"), importer.ErrFormat, &export.Error{Reason: locale.Msg("config.export.no_inline")},
		},
		exitcode.Data: {
			&Error{Code: exitcode.Data, Text: "x"}, fmt.Errorf("wrapped: %w", delivery.ErrTooLarge), delivery.ErrNoItem,
			&importer.Error{}, &export.Error{}, &plain.Stopped{Field: wizard.FieldSecret}, &config.OperationError{},
			&config.KeyError{Key: "nope"},
		},
		exitcode.NoHost:      {discovery.ErrNoDomain},
		exitcode.Unavailable: {discovery.ErrUnreachable},
		exitcode.IO:          {&fs.PathError{Err: syscall.EIO}, &delivery.StateError{Err: syscall.EIO}},
		exitcode.TempFail:    {delivery.ErrBusy, &plain.Stopped{Finding: &wizard.Report{Exit: exitcode.TempFail}}},
		exitcode.NoPerm: {
			&plain.Stopped{SignIn: true}, &plain.Stopped{Finding: &wizard.Report{Cause: "wrong-password"}},
		},
		exitcode.Config: {
			&vendor.SyntaxError{Err: errors.New("x")}, &config.InvalidError{}, &config.VersionError{}, &config.SyntaxError{},
			&config.ChangedError{},
		},
		exitcode.Interrupted: {context.Canceled, carrier.ErrInterrupted},
	} {
		for _, err := range list {
			if got := Code(err); got != want {
				t.Errorf("%T %v: %d, want %d", err, err, got, want)
			}
		}
	}
}

func TestCodeOfSignIn(t *testing.T) {
	t.Parallel()
	for problem, want := range map[oauth.Problem]int{
		oauth.NotConfigured: 78, oauth.BadTenant: 78, oauth.ClientRefused: 78, oauth.Denied: 77, oauth.TimedOut: 77,
		oauth.NeedsConsent: 77, oauth.Blocked: 77, oauth.ScopeMissing: 77, oauth.WrongAccount: 77, oauth.NoRefresh: 77,
		oauth.Foreign: 65, oauth.NotAnAddress: 65, oauth.Expired: 77, oauth.NotSignedIn: 77, oauth.Damaged: 78,
		oauth.Unreachable: 69, oauth.Ill: 75, oauth.BadAnswer: 76, oauth.Unwritable: 74, oauth.Busy: 75, oauth.Refused: 77,
	} {
		// What it wraps is no reason for another code.
		e := &oauth.Error{Problem: problem, Kind: wire.KindCertificate, Err: &safefile.Error{Op: "open"}}
		if got := Code(e); got != want {
			t.Errorf("%s: %d, want %d", problem, got, want)
		}
		if got := TryCode(delivery.Try{State: delivery.StateWaiting, Err: e}); got != want {
			t.Errorf("delivery, %s: %d, want %d", problem, got, want)
		}
	}
}

func TestCodeOfOutcomes(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		try  delivery.Try
		want int
	}{
		{delivery.Try{State: delivery.StateSent}, exitcode.OK},
		{delivery.Try{State: delivery.StateCopy, Cause: "wrong-password"}, exitcode.OK},
		{delivery.Try{State: delivery.StateUnknown}, exitcode.IO},
		{delivery.Try{State: delivery.StateFailed}, exitcode.Failed},
		{delivery.Try{State: delivery.StateFailed, Cause: "wrong-password"}, exitcode.NoPerm},
		{delivery.Try{State: delivery.StateWaiting}, exitcode.TempFail},
		{delivery.Try{State: delivery.StateWaiting, Cause: check.CauseOwnLimitReached}, exitcode.TempFail},
		{
			delivery.Try{State: delivery.StateWaiting, Cause: check.CauseCredentialUnreadable, Err: &credential.Error{}},
			exitcode.Config,
		},
	} {
		if got := TryCode(row.try); got != row.want {
			t.Errorf("%s %s: %d, want %d", row.try.State, row.try.Cause, got, row.want)
		}
	}
	for block, want := range map[delivery.Block]int{
		delivery.BlockNone: exitcode.OK, delivery.BlockOff: exitcode.Config, delivery.BlockTooMany: exitcode.Failed,
	} {
		if got := BlockCode(block); got != want {
			t.Errorf("%s: %d, want %d", block, got, want)
		}
	}
}

// Each sentence of the table is in the catalogue, and each code is one of the contract.
func TestSentences(t *testing.T) {
	t.Parallel()
	p := Printer{Streams: Streams{Getenv: func(string) string { return "" }}}
	for _, row := range sentences() {
		if !locale.For(locale.English).Has(row.key) || !slices.Contains(exitcode.All(), row.code) {
			t.Errorf("%v: %s, %d", row.err, row.key, row.code)
		}
		if got := p.Sentence(fmt.Errorf("x: %w", row.err)); Code(got) != row.code || got.Error() == row.err.Error() {
			t.Errorf("%v became %v (%d)", row.err, got, Code(got))
		}
	}
	for fate, end := range map[delivery.Fate]string{
		"": "lost.", delivery.FateRefused: "Nothing was accepted.", delivery.FateAccepted: "Do not send it again.",
	} {
		got := p.Sentence(&delivery.StateError{Err: errors.New("lost"), Fate: fate})
		if Code(got) != exitcode.IO || !strings.HasSuffix(got.Error(), end) {
			t.Errorf("%q became %v", fate, got)
		}
	}
	other := errors.New("other")
	if got := p.Sentence(other); !errors.Is(got, other) {
		t.Errorf("%v became %v", other, got)
	}
}

func TestCodeOfVerdictsAndLists(t *testing.T) {
	t.Parallel()
	for verdict, want := range map[spf.Verdict]int{
		spf.Pass: exitcode.OK, spf.Neutral: exitcode.OK, spf.None: exitcode.OK, spf.Fail: exitcode.Failed,
		spf.SoftFail: exitcode.Failed, spf.PermError: exitcode.Failed, spf.TempError: exitcode.TempFail,
	} {
		if got := VerdictCode(verdict); got != want {
			t.Errorf("%s: %d, want %d", verdict, got, want)
		}
	}
	for _, c := range []struct{ before, line, want int }{
		{exitcode.OK, exitcode.OK, exitcode.OK},
		{exitcode.OK, exitcode.Failed, exitcode.Failed},
		{exitcode.Failed, exitcode.OK, exitcode.Failed},
		{exitcode.Failed, exitcode.Data, exitcode.Data},
		{exitcode.Data, exitcode.Failed, exitcode.Data},
	} {
		if got := ListCode(c.before, c.line); got != c.want {
			t.Errorf("%d, then %d: %d, want %d", c.before, c.line, got, c.want)
		}
	}
}

// TestFullDisk: what was not accepted can be tried again when there is room, and nothing else is advised so.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	p := &Printer{LangFlag: "en"}
	p.Getenv = func(string) string { return "" }
	for fate, again := range map[delivery.Fate]bool{
		"": true, delivery.FateRefused: true, delivery.FateAccepted: false, delivery.FateUnknown: false,
	} {
		err := p.Sentence(&delivery.StateError{Op: "write", Place: "/q.db", Err: syscall.ENOSPC, Fate: fate})
		var told *Error
		if !errors.As(err, &told) || told.Code != exitcode.IO || strings.Contains(told.Text, "try again") != again {
			t.Errorf("%q: %v", fate, err)
		}
	}
}
