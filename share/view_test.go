package share

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"postier/internal/locale"
	"postier/wizard"
)

// pair is a presenter whose offer a viewer has joined.
type pair struct {
	t         *testing.T
	presenter *Presenter
	helper    net.Conn // the helper's end of the stream
}

// connect makes a presenter and joins its offer.
func connect(t *testing.T) *pair {
	t.Helper()
	hub := new(Hub)
	p := NewPresenter(hubOpener(hub))
	t.Cleanup(p.Close)
	p.Show(stepView(wizard.StepServer))
	p.Start()
	synctest.Wait()
	status := p.Status()
	if status.Phase != Waiting {
		t.Fatalf("no code: %+v", status)
	}
	here, there := pipe(t)
	if err := hub.Join(Guest{Name: "max"}, status.Code, here); err != nil {
		t.Fatal(err)
	}
	synctest.Wait()
	if s := p.Status(); s.Phase != Watched || s.Guest.Raw() != "max" {
		t.Fatalf("no one looks: %+v", s)
	}
	return &pair{t, p, there}
}

func hubOpener(hub *Hub) Opener {
	return func(ctx context.Context) (Opening, error) { return hub.Open() }
}

// stepView is a view of a step with a field and an action.
func stepView(step wizard.Step) View {
	return View{Screen: wizard.Screen{
		Step: step, Number: step.Number(), Title: wizard.Msg("wizard.title." + string(step)),
		Fields: []wizard.Field{
			{ID: wizard.FieldSMTPHost, Kind: wizard.KindText, Value: "smtp.example.org"},
			{ID: wizard.FieldSecret, Kind: wizard.KindSecret, Given: true},
		},
		Actions: []wizard.Action{{ID: wizard.ActNext, Label: wizard.Msg("wizard.action.next")}},
	}}
}

// writes sends raw octets as a hostile helper may, and reads what comes so that nothing waits for it.
func (p *pair) writes(text string) {
	p.t.Helper()
	go func() { _, _ = io.Copy(io.Discard, p.helper) }()
	go func() { _, _ = io.WriteString(p.helper, text) }()
}

func TestViewReachesTheHelper(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := connect(t)
		v := NewViewer(p.helper)
		defer v.Close()
		synctest.Wait()
		seen := v.Seen()
		if !seen.Any || seen.View.Screen.Step != wizard.StepServer || seen.View.Screen.Fields[0].Value != "smtp.example.org" {
			t.Fatalf("seen %+v", seen)
		}
		want := wizard.Msg("wizard.title.server").Say(locale.German, "")
		if got := seen.View.Screen.Title.Say(locale.German, "postier"); got != want {
			t.Errorf("the title is %q", got)
		}
		next := stepView(wizard.StepCredential)
		next.Focus = Target{Field: wizard.FieldSecret}
		p.presenter.Show(next)
		synctest.Wait()
		if seen := v.Seen(); seen.View.Screen.Step != wizard.StepCredential || seen.View.Focus != next.Focus {
			t.Errorf("seen %+v", seen)
		}
	})
}

func TestPointAndRemark(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := connect(t)
		v := NewViewer(p.helper)
		defer v.Close()
		v.Point(Target{Field: wizard.FieldSMTPHost})
		v.Remark("the host is wrong\x1b[2J")
		synctest.Wait()
		s := p.presenter.Status()
		if s.Point.Field != wizard.FieldSMTPHost || s.Remark.Escaped() != `the host is wrong\x1b[2J` {
			t.Errorf("%+v %s", s.Point, s.Remark.Escaped())
		}
		v.Point(Target{Field: "elsewhere"})
		synctest.Wait()
		if s := p.presenter.Status(); s.Point != (Target{}) {
			t.Errorf("points at %+v, which is not on the screen", s.Point)
		}
		v.Point(Target{Action: wizard.ActNext})
		synctest.Wait()
		if s := p.presenter.Status(); s.Point.Action != wizard.ActNext {
			t.Errorf("points at %+v", s.Point)
		}
		p.presenter.Show(stepView(wizard.StepCredential))
		if s := p.presenter.Status(); s.Point != (Target{}) || !s.Remark.Empty() {
			t.Errorf("on the next step: %+v %s", s.Point, s.Remark.Escaped())
		}
	})
}

// TestPersonEndsIt: at once for the person, and the helper is told; a helper who does not read delays nothing.
func TestPersonEndsIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := connect(t)
		v := NewViewer(p.helper)
		defer v.Close()
		synctest.Wait()
		p.presenter.Toggle()
		if s := p.presenter.Status(); s.Phase != Off || s.Ended.Msg.Key != "share.stopped" {
			t.Errorf("%+v", s)
		}
		p.presenter.Show(stepView(wizard.StepCredential))
		synctest.Wait()
		if seen := v.Seen(); !seen.Over || seen.Err != nil || seen.View.Screen.Step != wizard.StepServer {
			t.Errorf("the helper saw %v, over %v, %v", seen.View.Screen.Step, seen.Over, seen.Err)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		p := connect(t) // the helper never reads, so a view is being written
		before := time.Now()
		p.presenter.Close()
		if waited := time.Since(before); waited > farewell {
			t.Errorf("closing took %v", waited)
		}
		if _, err := p.helper.Read(make([]byte, 1)); err == nil {
			t.Error("the stream is still open")
		}
	})
}

// TestPersonIsCutOff: a helper learns that the person did not end the view, but was cut off.
func TestPersonIsCutOff(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := connect(t)
		v := NewViewer(p.helper)
		defer v.Close()
		synctest.Wait()
		p.presenter.HangUp()
		p.presenter.Close()
		synctest.Wait()
		if seen := v.Seen(); !seen.Over || !errors.Is(seen.Err, ErrLost) {
			t.Errorf("over %v, %v", seen.Over, seen.Err)
		}
	})
	(*Presenter)(nil).HangUp() // where nothing can be shared
}

// TestEndedWhileDrawn: whatever is shown at the moment of the end, nothing of it crosses afterwards.
func TestEndedWhileDrawn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := connect(t)
		var got strings.Builder
		done := make(chan struct{})
		go func() { _, _ = io.Copy(&got, p.helper); close(done) }()
		for range 100 {
			p.presenter.Show(stepView(wizard.StepServer))
		}
		p.presenter.Stop()
		for i := range 100 {
			v := stepView(wizard.StepCredential)
			v.Screen.Fields[0].Value = fmt.Sprint("after-the-end-", i)
			p.presenter.Show(v)
		}
		<-done
		if strings.Contains(got.String(), "after-the-end") || strings.Contains(got.String(), string(wizard.StepCredential)) {
			t.Error("what was shown after the end has crossed")
		}
	})
}

// TestSecondShare: after the end a new code is needed, and the new helper sees the present screen.
func TestSecondShare(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		hub := new(Hub)
		p := NewPresenter(hubOpener(hub))
		defer p.Close()
		var before Code
		for range 3 {
			p.Show(stepView(wizard.StepServer))
			p.Start()
			synctest.Wait()
			code := p.Status().Code
			if code == before {
				t.Error("the same code again")
			}
			before = code
			here, there := pipe(t)
			if err := hub.Join(Guest{}, code, here); err != nil {
				t.Fatal(err)
			}
			v := NewViewer(there)
			synctest.Wait()
			if !v.Seen().Any {
				t.Error("nothing is seen")
			}
			v.Close()
			synctest.Wait()
			if s := p.Status(); s.Phase != Off || s.Ended.Msg.Key != "share.left" {
				t.Errorf("after the helper left: %+v", s)
			}
		}
	})
}

// TestHostileHelper: whatever a helper sends, the person's program goes on, nothing but a point and a remark arrives,
// and what is no frame ends the view.
func TestHostileHelper(t *testing.T) {
	t.Parallel()
	frame := func(s string) string { return `{"version":1,` + s + "}\n" }
	for name, c := range map[string]struct {
		sends string
		ends  string // the key of what the person is told; empty where the view goes on
	}{
		"keys":              {frame(`"key":"enter"`), "share.left"},
		"an answer":         {frame(`"answer":{"Action":"next","Values":{"smtp-host":"evil.example"}}`), "share.left"},
		"a view":            {frame(`"view":{}`), "share.left"},
		"a size":            {frame(`"size":{"width":65535,"height":65535}`), "share.left"},
		"raw keys":          {"\r\n\x1b[A\x1b[B\x03q\r\n", "share.left"},
		"an oversized line": {frame(`"remark":"` + strings.Repeat("x", fromHelper) + `"`), "share.left"},
		"no end of line":    {strings.Repeat("x", 2*fromHelper), "share.left"},
		"half a line":       {`{"version":1,"remark":"half`, ""},
		"another version":   {`{"version":2}` + "\n", "share.version"},
		"no version":        {`{"remark":"x"}` + "\n", "share.version"},
		"a list":            {"[1,2,3]\n", "share.left"},
		"deep nesting":      {strings.Repeat("[", 4000) + "\n", "share.left"},
		"a wrong point":     {frame(`"point":{"field":"secret\u001b]52;c;AAAA\u0007"}`), ""},
		"point at both":     {frame(`"point":{"field":"elsewhere","action":"next"}`), ""},
		"escape sequences":  {frame(`"remark":"\u001b]0;owned\u0007\u202e\u009b2J"`), ""},
		"many lines":        {frame(`"remark":"a\nb\nPassword:"`), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := connect(t)
				p.writes(c.sends)
				time.Sleep(time.Minute)
				s := p.presenter.Status()
				if c.ends != "" {
					if s.Phase != Off || s.Ended.Msg.Key != c.ends {
						t.Errorf("the view goes on, or ended with %q: %+v", s.Ended.Msg.Key, s)
					}
					return
				}
				if s.Phase != Watched || s.Point != (Target{}) {
					t.Errorf("phase %v, point %+v", s.Phase, s.Point)
				}
				if strings.ContainsFunc(s.Remark.Escaped(), func(r rune) bool { return r < ' ' || r == 0x202e || r == 0x9b }) {
					t.Errorf("the remark is %q", s.Remark.Escaped())
				}
			})
		})
	}
}

// TestFlood: a helper who floods is read no faster than one who types, and the person can end it as ever.
func TestFlood(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := connect(t)
		go func() { _, _ = io.Copy(io.Discard, p.helper) }()
		var sent atomic.Int64
		go func() {
			for {
				if _, err := fmt.Fprintf(p.helper, `{"version":1,"remark":"%d"}`+"\n", sent.Load()); err != nil {
					return
				}
				sent.Add(1)
			}
		}()
		time.Sleep(10 * time.Second)
		if most := burst + 10*perSecond + 200; sent.Load() > int64(most) { // a buffer holds some more
			t.Errorf("%d lines were taken in ten seconds", sent.Load())
		}
		p.presenter.Stop()
		time.Sleep(2 * farewell)
		if s := p.presenter.Status(); s.Phase != Off {
			t.Errorf("%+v", s)
		}
	})
}

// TestLongRemark: a remark has the length of one line.
func TestLongRemark(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := connect(t)
		p.writes(`{"version":1,"remark":"` + strings.Repeat("é", maxRemark+50) + `"}` + "\n")
		synctest.Wait()
		if got := []rune(p.presenter.Status().Remark.Raw()); len(got) != maxRemark {
			t.Errorf("%d characters", len(got))
		}
	})
}

// TestHostilePerson: the helper's program survives what a person's program may send.
func TestHostilePerson(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		sends string
		want  error
	}{
		"an oversized line": {strings.Repeat("x", 2*fromPerson), ErrDialog},
		"no JSON":           {"hello\n", ErrDialog},
		"another version":   {`{"version":7}` + "\n", ErrVersion},
		"half a line":       {`{"version":1,"view":{"scr`, io.EOF},
		"nothing":           {"", io.EOF},
		"wrong types":       {`{"version":1,"view":{"screen":{"Step":7}}}` + "\n", ErrDialog},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				here, there := pipe(t)
				v := NewViewer(here)
				defer v.Close()
				go func() { _, _ = io.Copy(io.Discard, there) }()
				go func() { _, _ = io.WriteString(there, c.sends); _ = there.Close() }()
				time.Sleep(time.Minute)
				if seen := v.Seen(); !seen.Over || !errors.Is(seen.Err, c.want) && !errors.Is(seen.Err, io.ErrClosedPipe) {
					t.Errorf("over %v: %v", seen.Over, seen.Err)
				}
			})
		})
	}
}

// TestOddViews: a field that a front end could not draw becomes one that it can.
func TestOddViews(t *testing.T) {
	t.Parallel()
	var v View
	if err := json.Unmarshal([]byte(`{"screen":{"Fields":[{"Kind":"choice"},{"Kind":"search"},{"Kind":"window"},
		{"Kind":"choice","Choices":[{"Value":"a"}]},{"Kind":"secret"}]},"waited":-5}`), &v); err != nil {
		t.Fatal(err)
	}
	v = v.drawable()
	for i, want := range []wizard.FieldKind{
		wizard.KindText, wizard.KindText, wizard.KindText, wizard.KindChoice, wizard.KindSecret,
	} {
		if got := v.Screen.Fields[i].Kind; got != want {
			t.Errorf("field %d is %s, want %s", i, got, want)
		}
	}
	if v.Waited != 0 {
		t.Error(v.Waited)
	}
}

// TestSlowHelper: a helper who reads slowly gets the newest screen, and none of those that were replaced meanwhile.
func TestSlowHelper(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := connect(t)
		for i := range 1000 {
			v := stepView(wizard.StepServer)
			v.Screen.Fields[0].Value = fmt.Sprint("host-", i, ".example")
			p.presenter.Show(v)
		}
		var got strings.Builder
		go func() { _, _ = io.Copy(&got, p.helper) }()
		synctest.Wait()
		if n := strings.Count(got.String(), "\n"); n > 3 || !strings.Contains(got.String(), "host-999.example") {
			t.Errorf("%d views, the newest is among them: %v", n, strings.Contains(got.String(), "host-999.example"))
		}
	})
}

// TestNoOffer: a code that cannot be had is told to the person, and the next try is a new one.
func TestNoOffer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := NewPresenter(func(context.Context) (Opening, error) { return nil, errors.New("no room\x1b[2J") })
		defer p.Close()
		p.Toggle()
		synctest.Wait()
		s := p.Status()
		if got := s.Ended.Say(locale.English, ""); s.Phase != Off || !strings.Contains(got, `no room\x1b[2J`) {
			t.Errorf("%v %q", s.Phase, got)
		}
		var none *Presenter
		none.Toggle()
		none.Show(View{})
		none.Close()
		if none.Status().Phase != Off {
			t.Error("a presenter that is none shares")
		}
	})
}

// TestViewPanics: a fault while the view is made ready ends the view, in words, and not the person's work.
func TestViewPanics(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := connect(t)
		v := NewViewer(p.helper)
		defer v.Close()
		synctest.Wait()
		next := stepView(wizard.StepCredential)
		next.Mask = func(string) string { panic("out of luck") }
		p.presenter.Show(next)
		synctest.Wait()
		if s := p.presenter.Status(); s.Phase != Off || s.Ended.Msg.Key != "share.broken" {
			t.Errorf("%+v", s)
		}
		if seen := v.Seen(); !seen.Over || seen.View.Screen.Step != wizard.StepServer {
			t.Errorf("the helper sees %v, over %v", seen.View.Screen.Step, seen.Over)
		}
		p.presenter.Start() // and it can begin again
		synctest.Wait()
		if s := p.presenter.Status(); s.Phase != Waiting {
			t.Errorf("%+v", s)
		}
	})
}
