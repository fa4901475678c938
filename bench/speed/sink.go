package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"time"

	"postier/internal/rehearsal/certificates"
)

// sink is an SMTP server that answers at once and keeps nothing, so that what is measured is the sender. It offers
// implicit TLS and a sign-in that it always accepts.
type sink struct {
	port     int
	caFile   string
	messages atomic.Int64
}

func newSink(folder string) (*sink, error) {
	ca, err := certificates.New(time.Now())
	if err != nil {
		return nil, err
	}
	s := &sink{}
	if s.caFile, err = ca.WriteFile(folder); err != nil {
		return nil, err
	}
	certificate, err := ca.Certificate(certificates.Good, "127.0.0.1")
	if err != nil {
		return nil, err
	}
	listener, err := tls.Listen("tcp4", "127.0.0.1:0", &tls.Config{
		Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12,
	})
	if err != nil {
		return nil, err
	}
	s.port = listener.Addr().(*net.TCPAddr).Port
	go s.accept(listener)
	return s, nil
}

func (s *sink) accept(listener net.Listener) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		go func() {
			defer func() { _ = conn.Close() }()
			s.talk(bufio.NewReaderSize(conn, 64<<10), bufio.NewWriter(conn))
		}()
	}
}

func (s *sink) talk(in *bufio.Reader, out *bufio.Writer) {
	_, _ = out.WriteString("220 sink ESMTP\r\n")
	for {
		if in.Buffered() == 0 && out.Flush() != nil {
			return
		}
		line, err := in.ReadSlice('\n')
		if err != nil {
			return
		}
		verb, _, _ := strings.Cut(strings.ToUpper(strings.TrimSpace(string(line))), " ")
		switch verb {
		case "EHLO":
			_, _ = out.WriteString("250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SIZE 209715200\r\n250 AUTH PLAIN\r\n")
		case "AUTH":
			_, _ = out.WriteString("235 2.7.0 ok\r\n")
		case "DATA":
			_, _ = out.WriteString("354 go on\r\n")
			if out.Flush() != nil || discard(in) != nil {
				return
			}
			fmt.Fprintf(out, "250 2.0.0 ok: queued as %08X\r\n", s.messages.Add(1))
		case "QUIT":
			_, _ = out.WriteString("221 2.0.0 bye\r\n")
			_ = out.Flush()
			return
		default:
			_, _ = out.WriteString("250 2.0.0 ok\r\n")
		}
	}
}

// discard reads a message up to its dot.
func discard(in *bufio.Reader) error {
	for start := true; ; {
		piece, err := in.ReadSlice('\n')
		if start && bytes.Equal(piece, []byte(".\r\n")) {
			return nil
		}
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return err
		}
		start = err == nil
	}
}
