package share

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// open makes an offer that is closed at the end of the test.
func open(t *testing.T, h *Hub) *Offer {
	t.Helper()
	o, err := h.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(o.Close)
	return o
}

// pipe is a stream of a helper, and its other end.
func pipe(t *testing.T) (here, there net.Conn) {
	t.Helper()
	here, there = net.Pipe()
	t.Cleanup(func() { _, _ = here.Close(), there.Close() })
	return here, there
}

// wrong is a code that is not the offer's. The last digit differs, so that it begins alike.
func wrong(c Code) Code { return c[:digits-1] + Code((c[digits-1]-'0'+1)%10+'0') }

// other is a code that begins differently.
func other(c Code) Code { return Code((c[0]-'0'+1)%10+'0') + c[1:] }

func TestCode(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Code{
		"4821 0937": "48210937", "48210937": "48210937", " 4821-0937 ": "48210937", "0000 0000": "00000000",
		"4821 093": "", "4821 09377": "", "4821 o937": "", "": "", "４８２１０９３７": "", "+4821093": "",
	} {
		if got, ok := ParseCode(text); got != want || ok != (want != "") {
			t.Errorf("%q is read as %q, %v; want %q", text, got, ok, want)
		}
	}
	if got := Code("00420937").String(); got != "0042 0937" {
		t.Errorf("said as %q", got)
	}
	seen := map[Code]bool{}
	for range 1000 {
		c := newCode()
		if again, ok := ParseCode(c.String()); !ok || again != c {
			t.Fatalf("%q cannot be read back", c)
		}
		seen[c] = true
	}
	if len(seen) < 990 { // a thousand of 10^8: a single repetition has a probability of half a percent
		t.Errorf("only %d different codes in 1000", len(seen))
	}
}

func TestCodeIsValidOnce(t *testing.T) {
	t.Parallel()
	var h Hub
	o := open(t, &h)
	first, _ := pipe(t)
	if err := h.Join(Guest{Name: "anna", Source: "a"}, o.Code(), first); err != nil {
		t.Fatal(err)
	}
	second, _ := pipe(t)
	if err := h.Join(Guest{Source: "b"}, o.Code(), second); !errors.Is(err, ErrCode) {
		t.Errorf("a used code: %v", err)
	}
	guest, stream, err := o.Accept(t.Context())
	if err != nil || guest.Name != "anna" || stream != first {
		t.Errorf("accepted %v %v %v", guest, stream, err)
	}
}

func TestCodeLivesThirtyMinutes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var h Hub
		o := open(t, &h)
		time.Sleep(Life - time.Second)
		if h.find(o.Code()) == nil {
			t.Error("gone too early")
		}
		if _, _, err := o.Accept(t.Context()); !errors.Is(err, ErrExpired) {
			t.Errorf("no one came: %v", err)
		}
		late := open(t, &h)
		time.Sleep(Life + time.Second)
		stream, _ := pipe(t)
		if err := h.Join(Guest{}, late.Code(), stream); !errors.Is(err, ErrCode) {
			t.Errorf("an old code: %v", err)
		}
		if _, _, err := late.Accept(t.Context()); !errors.Is(err, ErrExpired) {
			t.Errorf("the old offer: %v", err)
		}
	})
}

// TestFiveWrongCodesEndTheOffer: even from five sources, and the right code is worth nothing afterwards.
func TestFiveWrongCodesEndTheOffer(t *testing.T) {
	t.Parallel()
	for name, guess := range map[string]func(Code) Code{"alike": wrong, "different": other} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var h Hub
			o := open(t, &h)
			stream, _ := pipe(t)
			for i := range maxWrong {
				if _, open := h.offers[o]; !open {
					t.Fatalf("ended after %d wrong codes", i)
				}
				if err := h.Join(Guest{Source: fmt.Sprint(i)}, guess(o.Code()), stream); !errors.Is(err, ErrCode) {
					t.Fatal(err)
				}
			}
			if err := h.Join(Guest{Source: "right"}, o.Code(), stream); !errors.Is(err, ErrCode) {
				t.Errorf("the right code still opens: %v", err)
			}
			if _, _, err := o.Accept(t.Context()); !errors.Is(err, ErrGuessed) {
				t.Errorf("the person is told %v", err)
			}
		})
	}
}

// TestGuessingManyOffers: whoever guesses at a server with many offers is stopped, and ends no offer that the guesses
// were not near to.
func TestGuessingManyOffers(t *testing.T) {
	t.Parallel()
	var h Hub
	var offers []*Offer
	for range 20 {
		offers = append(offers, open(t, &h))
	}
	stream, _ := pipe(t)
	near := offers[0]
	for range maxWrong {
		if err := h.Join(Guest{Source: "one"}, wrong(near.Code()), stream); !errors.Is(err, ErrCode) {
			t.Fatal(err)
		}
	}
	if err := h.Join(Guest{Source: "one"}, offers[1].Code(), stream); !errors.Is(err, ErrGuessing) {
		t.Errorf("the sixth try, with a right code: %v", err)
	}
	if h.offers[near] {
		t.Error("the offer that was guessed at is still open")
	}
	far := 0
	for _, o := range offers[1:] {
		if o.Code().resembles(near.Code()) {
			far++
		} else if !h.offers[o] {
			t.Errorf("%v has ended", o.Code())
		}
	}
	if far > 3 {
		t.Errorf("%d of 20 codes begin alike", far)
	}
	if err := h.Join(Guest{Source: "another"}, offers[2].Code(), stream); err != nil {
		t.Errorf("another source: %v", err)
	}
}

// TestSourceIsForgiven: after the life of a code, a source may try again.
func TestSourceIsForgiven(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var h Hub
		stream, _ := pipe(t)
		for range maxWrong {
			_ = h.Join(Guest{Source: "one"}, "00000000", stream)
		}
		if err := h.Join(Guest{Source: "one"}, "00000000", stream); !errors.Is(err, ErrGuessing) {
			t.Fatal(err)
		}
		time.Sleep(Life + time.Second)
		o := open(t, &h)
		if err := h.Join(Guest{Source: "one"}, o.Code(), stream); err != nil {
			t.Errorf("later: %v", err)
		}
		if len(h.guesses) != 0 {
			t.Errorf("%d sources are remembered", len(h.guesses))
		}
	})
}

func TestHubIsLimited(t *testing.T) {
	t.Parallel()
	var h Hub
	for range maxOffers {
		open(t, &h)
	}
	if _, err := h.Open(); !errors.Is(err, ErrFull) {
		t.Error(err)
	}
}

// TestClosedOffer: no one can join, and a helper who had joined is sent away.
func TestClosedOffer(t *testing.T) {
	t.Parallel()
	var h Hub
	o := open(t, &h)
	here, there := pipe(t)
	if err := h.Join(Guest{}, o.Code(), here); err != nil {
		t.Fatal(err)
	}
	o.Close()
	if _, err := there.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("the helper reads %v", err)
	}
	ended := open(t, &h)
	ended.Close()
	ended.Close()
	if err := h.Join(Guest{}, ended.Code(), here); !errors.Is(err, ErrCode) {
		t.Error(err)
	}
	if _, _, err := ended.Accept(t.Context()); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
	waiting := open(t, &h)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := waiting.Accept(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
