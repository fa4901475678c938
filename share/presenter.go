package share

import (
	"bytes"
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"postier/internal/parallel"
	"postier/internal/safetext"
	"postier/wizard"
)

// Opening is an offer, here or at a relay. *Offer is one.
type Opening interface {
	Code() Code
	Expires() time.Time
	Accept(context.Context) (Guest, io.ReadWriteCloser, error)
	Close()
}

// Opener makes an offer when the person asks for a helper.
type Opener func(context.Context) (Opening, error)

// Phase says how far sharing is.
type Phase int

// The phases.
const (
	Off     Phase = iota
	Asking        // for a code
	Waiting       // for the helper
	Watched
)

// Status is what the person must know of the sharing.
type Status struct {
	Phase Phase
	// Code and Expires are of Waiting.
	Code    Code
	Expires time.Time
	// Guest is who looks.
	Guest safetext.Remote
	// Point is where the helper points, and Remark what the helper wrote, for the screen that is shown.
	Point  Target
	Remark safetext.Remote
	// Ended says how the last view or offer ended, until the next one begins.
	Ended wizard.Words
	// Changed is closed when the status has changed.
	Changed <-chan struct{}

	begun int // how often sharing has begun
}

// EndedSince reports whether sharing has ended since an earlier status, however short it was.
func (s Status) EndedSince(before Status) bool {
	return s.Phase == Off && (before.Phase != Off || before.begun != s.begun)
}

// Presenter is the person's side: it offers what the person sees to one helper. It never waits for the helper, and its
// methods may be called from any goroutine. A nil Presenter shares nothing.
type Presenter struct {
	open Opener

	mu      sync.Mutex
	status  Status
	begun   int
	changed chan struct{}
	view    View
	shown   bool          // view was set
	newer   chan struct{} // closed when there is another view to send
	stop    context.CancelCauseFunc
	working sync.WaitGroup
}

// NewPresenter is a presenter that shares nothing yet.
func NewPresenter(open Opener) *Presenter {
	return &Presenter{open: open, changed: make(chan struct{}), newer: make(chan struct{})}
}

// Status returns the present status.
func (p *Presenter) Status() Status {
	if p == nil {
		return Status{}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.status
	s.Changed = p.changed
	return s
}

// Toggle begins to share, or ends it.
func (p *Presenter) Toggle() {
	if p == nil {
		return
	}
	if p.Status().Phase == Off {
		p.Start()
	} else {
		p.Stop()
	}
}

// Start asks for a code, unless there is one.
func (p *Presenter) Start() {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.status.Phase != Off {
		return
	}
	ctx, stop := context.WithCancelCause(context.Background())
	p.stop = stop
	p.begun++
	p.become(Status{Phase: Asking})
	p.working.Go(func() { p.run(ctx) })
}

// Stop ends sharing at once: nothing that is shown from now on crosses.
func (p *Presenter) Stop() { p.end(nil) }

func (p *Presenter) end(why error) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stop != nil {
		p.stop(why)
		p.stop = nil
		p.become(Status{Ended: wizard.Msg("share.stopped")})
	}
}

// HangUp ends sharing because the person is gone: the line has dropped, or the program is being stopped. The helper is
// told so, and does not take it for the person's wish.
func (p *Presenter) HangUp() { p.end(ErrLost) }

// Close ends sharing and waits until the helper has been told.
func (p *Presenter) Close() {
	if p == nil {
		return
	}
	p.Stop()
	p.working.Wait()
}

// Show says what the person sees now. It is cheap while no one looks.
func (p *Presenter) Show(v View) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	left := !p.shown || p.view.Screen.Step != v.Screen.Step
	p.view, p.shown = v, true
	if p.status.Phase != Watched {
		return
	}
	if moved := p.status.Point != (Target{}) && !p.status.Point.On(v.Screen); moved || left && p.marked() {
		s := p.status
		s.Point = Target{}
		if left {
			s.Remark = safetext.Remote{}
		}
		p.become(s)
	}
	p.wake()
}

func (p *Presenter) marked() bool { return p.status.Point != (Target{}) || !p.status.Remark.Empty() }

// become sets the status and tells whoever waits for a change. The presenter is locked.
func (p *Presenter) become(s Status) {
	s.begun = p.begun
	p.status = s
	close(p.changed)
	p.changed = make(chan struct{})
}

// wake has the newest view sent. The presenter is locked.
func (p *Presenter) wake() {
	close(p.newer)
	p.newer = make(chan struct{})
}

// update changes the status, unless the person has ended the sharing that ctx belongs to.
func (p *Presenter) update(ctx context.Context, change func(*Status)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if ctx.Err() != nil {
		return
	}
	s := p.status
	change(&s)
	p.become(s)
}

// run offers, waits for the helper and shows, until one of the two ends it.
func (p *Presenter) run(ctx context.Context) {
	var err error
	if broken := parallel.Catch(func() { err = p.offer(ctx) }); broken != nil {
		err = errBroken // the person's own work goes on
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if ctx.Err() == nil {
		p.stop(nil)
		p.stop = nil
		p.become(Status{Ended: endWords(err)})
	}
}

func (p *Presenter) offer(ctx context.Context) error {
	opening, err := p.open(ctx)
	if err != nil {
		return &openError{err}
	}
	defer opening.Close()
	p.update(ctx, func(s *Status) { s.Phase, s.Code, s.Expires = Waiting, opening.Code(), opening.Expires() })
	guest, stream, err := opening.Accept(ctx)
	if err != nil {
		return err
	}
	p.update(ctx, func(s *Status) { *s = Status{Phase: Watched, Guest: safetext.FromRemote(guest.Name)} })
	return p.present(ctx, stream)
}

// errBroken says that a panic ended the view.
var errBroken = errors.New("a fault of the program ended the view")

// Worded is an error of an opener that says in words what to do.
type Worded interface {
	error
	Words() wizard.Words
}

// openError says that there is no offer at all.
type openError struct{ error }

func (e *openError) Unwrap() error { return e.error }

// endWords tell the person how sharing ended without the person's doing.
func endWords(err error) wizard.Words {
	var worded Worded
	switch {
	case errors.Is(err, ErrExpired):
		return wizard.Msg("share.expired")
	case errors.Is(err, ErrGuessed):
		return wizard.Msg("share.guessed")
	case errors.Is(err, ErrVersion):
		return wizard.Msg("share.version")
	case errors.Is(err, errBroken):
		return wizard.Msg("share.broken")
	case errors.Is(err, ErrFull):
		return wizard.Msg("share.full")
	case errors.As(err, &worded):
		return worded.Words()
	case errors.As(err, new(*openError)):
		return wizard.Msg("share.no-offer", "error", safetext.FromRemote(err.Error()))
	}
	return wizard.Msg("share.left")
}

// present shows the helper what the person sees until one side ends. Reading and writing are apart, so that a helper
// who does not read can still be heard, and one who floods is not read faster.
func (p *Presenter) present(ctx context.Context, stream io.ReadWriteCloser) error {
	defer func() { _ = stream.Close() }()
	inner, ended := context.WithCancelCause(ctx)
	defer ended(nil)
	defer context.AfterFunc(inner, func() {
		// A helper who does not read keeps no one waiting for the farewell.
		time.AfterFunc(farewell, func() { _ = stream.Close() })
	})()
	var reading parallel.Group
	reading.Go(func() { ended(p.listen(inner, stream)) })
	ended(p.send(inner, stream))
	if ctx.Err() != nil {
		lost := errors.Is(context.Cause(ctx), ErrLost)
		if data, err := line(fromPersonFrame{Version: version, End: true, Lost: lost}); err == nil {
			_, _ = stream.Write(data)
		}
	}
	_ = stream.Close()
	reading.Wait()
	return context.Cause(inner)
}

// send writes the newest view whenever it has changed. A view that was replaced while the helper was slow is never
// sent.
func (p *Presenter) send(ctx context.Context, w io.Writer) error {
	var sent []byte
	for {
		v, shown, newer := p.current()
		if shown {
			data, err := line(fromPersonFrame{Version: version, View: &v})
			if err != nil {
				return err
			}
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if !bytes.Equal(data, sent) {
				if _, err := w.Write(data); err != nil {
					return err
				}
				sent = data
			}
		}
		select {
		case <-newer:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// current is the view as it crosses, and what is closed when there is a newer one.
func (p *Presenter) current() (v View, shown bool, newer <-chan struct{}) {
	p.mu.Lock()
	v, shown, newer = p.view, p.shown, p.newer
	p.mu.Unlock()
	return v.shared(), shown, newer
}

// listen takes what the helper may say.
func (p *Presenter) listen(ctx context.Context, r io.Reader) error {
	in := newLines(r, fromHelper)
	for {
		var frame fromHelperFrame
		if err := in.next(ctx, &frame); err != nil {
			return err
		}
		if frame.Version != version {
			return ErrVersion
		}
		p.update(ctx, func(s *Status) {
			if t := frame.Point; t != nil {
				s.Point = Target{}
				if t.On(p.view.Screen) {
					s.Point = *t
				}
			}
			if frame.Remark != "" {
				s.Remark = safetext.FromRemote(shorten(frame.Remark))
			}
		})
	}
}

// shorten cuts a remark to the length that is shown.
func shorten(text string) string {
	if letters := []rune(text); len(letters) > maxRemark {
		return string(letters[:maxRemark])
	}
	return text
}
