package wire

import (
	"context"
	"errors"
	"io"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"
)

// pair is a Conn and the other end of its connection.
func pair(t *testing.T, n *Network) (*Conn, net.Conn) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	accepted := make(chan net.Conn, 1)
	go func() {
		conn, err := listener.Accept()
		if err == nil {
			accepted <- conn
		}
	}()
	raw, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	server := <-accepted
	t.Cleanup(func() { _ = raw.Close(); _ = server.Close() })
	return newConn(raw, n, nil), server
}

// drip sends one octet at a time for ever.
func drip(conn net.Conn, every time.Duration) {
	for {
		if _, err := conn.Write([]byte("x")); err != nil {
			return
		}
		time.Sleep(every)
	}
}

func TestBytesNeverExtendADeadline(t *testing.T) {
	t.Parallel()
	for name, read := range map[string]func(*Conn) error{
		"ReadLine": func(c *Conn) error { _, err := c.ReadLine(MaxLine); return err },
		"Read":     func(c *Conn) error { _, err := io.Copy(io.Discard, c); return err },
		"a library that sets its own deadline": func(c *Conn) error {
			for {
				_ = c.SetReadDeadline(time.Now().Add(time.Hour))
				_ = c.SetDeadline(time.Time{})
				if _, err := c.Read(make([]byte, 10)); err != nil {
					return err
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, server := pair(t, &Network{})
			go drip(server, 10*time.Millisecond)
			const within = 200 * time.Millisecond
			began := time.Now()
			c.Step(within)
			err := read(c)
			if took := time.Since(began); took < within/2 || took > 5*within {
				t.Errorf("ended after %s", took)
			}
			if !IsTimeout(err) {
				t.Errorf("error %v", err)
			}
		})
	}
}

func TestWriteAgainstAClosedWindowEnds(t *testing.T) {
	t.Parallel()
	c, _ := pair(t, &Network{Timeout: 100 * time.Millisecond})
	c.Step(time.Hour) // cut down to Network.Timeout
	began := time.Now()
	var err error
	for err == nil {
		_, err = c.Write(make([]byte, 1<<20))
	}
	if took := time.Since(began); !IsTimeout(err) || took > 2*time.Second {
		t.Errorf("%v after %s", err, took)
	}
}

func TestCaps(t *testing.T) {
	t.Parallel()
	flood := func(server net.Conn, text string) {
		for {
			if _, err := server.Write([]byte(text)); err != nil {
				return
			}
		}
	}
	for _, test := range []struct {
		name, text, limit string
		secure            bool
		read              func(*Conn) error
	}{
		{
			"endless line", strings.Repeat("x", 1000), "line", false,
			func(c *Conn) error { _, err := c.ReadLine(MaxLine); return err },
		},
		{
			"long line that ends", strings.Repeat("x", MaxLine+1) + "\n", "line", false,
			func(c *Conn) error { _, err := c.ReadLine(MaxLine); return err },
		},
		{"before TLS", "220-x\r\n", "before-tls", false, func(c *Conn) error {
			for {
				if _, err := c.ReadLine(MaxLine); err != nil {
					return err
				}
			}
		}},
		{
			"session", strings.Repeat("x", 64<<10), "session", true,
			func(c *Conn) error { _, err := io.Copy(io.Discard, c); return err },
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c, server := pair(t, &Network{})
			c.secure = test.secure
			go flood(server, test.text)
			c.Step(5 * time.Second)
			var limit *LimitError
			if err := test.read(c); !errors.As(err, &limit) || limit.Limit != test.limit {
				t.Errorf("%v", err)
			}
			if c.Received() > MaxSession+64<<10 {
				t.Errorf("%d octets taken in", c.Received())
			}
		})
	}
}

func TestReadLineKeepsWhatCameBehind(t *testing.T) {
	t.Parallel()
	c, server := pair(t, &Network{})
	go func() {
		_, _ = server.Write([]byte("one\r\ntwo\nthr"))
		time.Sleep(20 * time.Millisecond)
		_, _ = server.Write([]byte("ee\r\n\r\nrest"))
		_ = server.Close()
	}()
	c.Step(5 * time.Second)
	for _, want := range []string{"one", "two", "three", ""} {
		line, err := c.ReadLine(MaxLine)
		if err != nil || line != want {
			t.Errorf("%q %v, want %q", line, err, want)
		}
	}
	head := make([]byte, 2)
	if n, err := io.ReadFull(c, head); err != nil || string(head[:n]) != "re" {
		t.Errorf("Read after ReadLine: %q %v", head[:n], err)
	}
	if line, err := c.ReadLine(MaxLine); !errors.Is(err, io.EOF) || line != "st" {
		t.Errorf("line without an end: %q %v", line, err)
	}
}

// promptly is the 200 ms of docs/security.md T9, with room for a test machine that has other things to do.
const promptly = 600 * time.Millisecond

func TestCancelEndsABlockedStepAtOnce(t *testing.T) {
	t.Parallel()
	for name, block := range map[string]func(*Conn) error{
		"read": func(c *Conn) error { _, err := c.ReadLine(MaxLine); return err },
		"write": func(c *Conn) error {
			for {
				if _, err := c.Write(make([]byte, 1<<20)); err != nil {
					return err
				}
			}
		},
		"handshake": func(c *Conn) error { _, err := c.Handshake(context.Background(), "x.example", nil); return err },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, _ := pair(t, &Network{})
			ctx, cancel := context.WithCancel(t.Context())
			defer c.Watch(ctx)()
			c.Step(time.Minute)
			stopped := make(chan time.Time, 1)
			time.AfterFunc(50*time.Millisecond, func() { stopped <- time.Now(); cancel() })
			err := block(c)
			if took := time.Since(<-stopped); took > promptly {
				t.Errorf("went on for %s", took)
			}
			if !errors.Is(err, context.Canceled) || Classify(err).Kind != KindCancelled {
				t.Errorf("error %v", err)
			}
			c.Step(time.Minute) // a later step must not bring it back to life
			if _, err := c.ReadLine(MaxLine); !errors.Is(err, ErrCancelled) {
				t.Errorf("after the end: %v", err)
			}
		})
	}
}

func TestWatchThatWasStoppedDoesNothing(t *testing.T) {
	t.Parallel()
	c, server := pair(t, &Network{})
	ctx, cancel := context.WithCancel(t.Context())
	c.Watch(ctx)()
	cancel()
	c.Step(5 * time.Second)
	_, _ = server.Write([]byte("here\n"))
	if line, err := c.ReadLine(MaxLine); err != nil || line != "here" {
		t.Errorf("%q %v", line, err)
	}
}

// settled waits until no more goroutines run than before.
func settled(t *testing.T, before int) {
	t.Helper()
	for end := time.Now().Add(3 * time.Second); runtime.NumGoroutine() > before; time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			buf := make([]byte, 1<<16)
			t.Fatalf("%d goroutines, %d before\n%s", runtime.NumGoroutine(), before, buf[:runtime.Stack(buf, true)])
		}
	}
}
