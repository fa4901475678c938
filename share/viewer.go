package share

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"postier/internal/parallel"
)

// Viewer is the helper's side. Its methods never wait for the person's program and may be called from any goroutine.
type Viewer struct {
	stream io.ReadWriteCloser

	mu      sync.Mutex
	seen    Seen
	changed chan struct{}
	point   *Target // still to be sent
	remark  string  // still to be sent
	waiting chan struct{}
	stop    context.CancelFunc
}

// Seen is what the viewer knows at one moment.
type Seen struct {
	View View
	// Any reports whether a view has come.
	Any bool
	// Since is when the work on the screen began.
	Since time.Time
	// Over reports that the view has ended; Err is nil where the person ended it.
	Over bool
	Err  error
	// Changed is closed when any of it has changed.
	Changed <-chan struct{}
}

// NewViewer begins to look. The caller must Close it.
func NewViewer(stream io.ReadWriteCloser) *Viewer {
	ctx, stop := context.WithCancel(context.Background())
	v := &Viewer{stream: stream, changed: make(chan struct{}), waiting: make(chan struct{}, 1), stop: stop}
	go v.write(ctx)
	go v.read(ctx)
	return v
}

// Seen returns what is known now.
func (v *Viewer) Seen() Seen {
	v.mu.Lock()
	defer v.mu.Unlock()
	s := v.seen
	s.Changed = v.changed
	return s
}

// Point marks a field or an action on the person's screen; the zero Target takes the mark away.
func (v *Viewer) Point(t Target) { v.ask(func() { v.point = &t }) }

// Remark shows the person one line.
func (v *Viewer) Remark(text string) { v.ask(func() { v.remark = shorten(text) }) }

// ask leaves something to be sent. What is newer replaces what was not sent yet.
func (v *Viewer) ask(set func()) {
	v.mu.Lock()
	defer v.mu.Unlock()
	set()
	select {
	case v.waiting <- struct{}{}:
	default:
	}
}

// Close stops looking.
func (v *Viewer) Close() {
	v.stop()
	_ = v.stream.Close()
}

func (v *Viewer) update(change func(*Seen)) {
	v.mu.Lock()
	defer v.mu.Unlock()
	change(&v.seen)
	close(v.changed)
	v.changed = make(chan struct{})
}

// write says that the helper is there, and then what the helper points at and says.
func (v *Viewer) write(ctx context.Context) {
	for {
		v.mu.Lock()
		frame := fromHelperFrame{Version: version, Point: v.point, Remark: v.remark}
		v.point, v.remark = nil, ""
		v.mu.Unlock()
		data, err := line(frame)
		if err == nil {
			_, err = v.stream.Write(data)
		}
		if err != nil {
			return // the reader says how the stream ended
		}
		select {
		case <-v.waiting:
		case <-ctx.Done():
			return
		}
	}
}

func (v *Viewer) read(ctx context.Context) {
	var err error
	if broken := parallel.Catch(func() { err = v.look(ctx) }); broken != nil {
		err = errors.Join(ErrDialog, broken) // the other program sent what this one cannot take
	}
	v.stop()
	_ = v.stream.Close()
	v.update(func(s *Seen) { s.Over, s.Err = true, err })
}

// errEnded says that the person's side ended the view.
var errEnded = errors.New("ended")

func (v *Viewer) look(ctx context.Context) error {
	in := newLines(v.stream, fromPerson)
	for {
		switch err := v.take(ctx, in); {
		case errors.Is(err, errEnded):
			return nil
		case err != nil:
			return err
		}
	}
}

func (v *Viewer) take(ctx context.Context, in *lines) error {
	var frame fromPersonFrame
	if err := in.next(ctx, &frame); err != nil {
		return err
	}
	switch {
	case frame.Version != version:
		return ErrVersion
	case frame.End && frame.Lost:
		return ErrLost
	case frame.End:
		return errEnded
	case frame.View != nil:
		view := frame.View.drawable()
		v.update(func(s *Seen) { s.View, s.Any, s.Since = view, true, time.Now().Add(-view.Waited) })
	}
	return nil
}
