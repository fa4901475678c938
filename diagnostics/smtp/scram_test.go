package smtp

import (
	"bufio"
	"bytes"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"hash"
	"net"
	"strings"
	"testing"
	"time"

	"postier/config"
	"postier/diagnostics"
	"postier/internal/check"
	"postier/internal/rehearsal/certificates"
	"postier/internal/scripted"
	"postier/internal/wire"
)

// scramServer is the server side of RFC 5802, as far as a test needs it, inside implicit TLS. What it does wrong is set
// by its fields.
type scramServer struct {
	mechanisms string
	iterations int
	badProof   bool // the server shows a signature that is not right
	mute       bool // it says 235 without any signature
	ownNonce   bool // its nonce does not extend ours
	extension  bool // it begins with m=, which must be understood
}

func (s scramServer) start(t *testing.T, ca *certificates.CA) string {
	t.Helper()
	cert := certificate(t, ca, certificates.Good)
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{cert}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go s.serve(conn.(*tls.Conn))
		}
	}()
	return listener.Addr().String()
}

func (s scramServer) serve(conn *tls.Conn) {
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
	in := bufio.NewReader(conn)
	say := func(line string) { _, _ = conn.Write([]byte(line + "\r\n")) }
	say("220 scram")
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		switch words := strings.Fields(line); words[0] {
		case "EHLO":
			say("250-scram\r\n250-PIPELINING\r\n250 AUTH " + s.mechanisms)
		case "AUTH":
			say(s.auth(conn, in, words, say))
		case "QUIT":
			return
		default:
			say("250 ok")
		}
	}
}

func (s scramServer) auth(conn *tls.Conn, in *bufio.Reader, words []string, say func(string)) string {
	h := sha256.New
	if strings.Contains(words[1], "SHA-1") {
		h = sha1.New
	}
	first := unbase(words[2])
	header, bare, _ := strings.Cut(first, ",,")
	bare = strings.TrimPrefix(bare, "")
	clientNonce := bare[strings.Index(bare, "r=")+2:]
	nonce := clientNonce + "server"
	if s.ownNonce {
		nonce = "server"
	}
	salt := []byte("salty-salt")
	challenge := fmt.Sprintf("r=%s,s=%s,i=%d", nonce, base64.StdEncoding.EncodeToString(salt), s.iterations)
	if s.extension {
		challenge = "m=ext," + challenge
	}
	say("334 " + base64.StdEncoding.EncodeToString([]byte(challenge)))
	line, err := in.ReadString('\n')
	if err != nil || strings.TrimSpace(line) == "*" {
		return "501 cancelled"
	}
	final := unbase(strings.TrimSpace(line))
	without, proof, _ := strings.Cut(final, ",p=")
	salted, _ := pbkdf2.Key(h, password.Reveal(), salt, s.iterations, h().Size())
	message := bare + "," + challenge + "," + without
	clientKey := mac(h, salted, "Client Key")
	sum := h()
	sum.Write(clientKey)
	want := xor(clientKey, mac(h, sum.Sum(nil), message))
	if strings.HasSuffix(words[1], "-PLUS") && !bound(conn, header, without) {
		return "535 5.7.8 channel binding does not match"
	}
	if unbase(proof) != string(want) {
		return "535 5.7.8 no"
	}
	signature := base64.StdEncoding.EncodeToString(mac(h, mac(h, salted, "Server Key"), message))
	if s.badProof {
		signature = base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{1}, 32))
	}
	if s.mute {
		return "235 fine"
	}
	say("334 " + base64.StdEncoding.EncodeToString([]byte("v="+signature)))
	if line, err = in.ReadString('\n'); err != nil || strings.TrimSpace(line) == "*" {
		return "501 cancelled"
	}
	return "235 fine"
}

// bound checks the channel binding of RFC 9266.
func bound(conn *tls.Conn, header, without string) bool {
	state := conn.ConnectionState()
	key, err := state.ExportKeyingMaterial("EXPORTER-Channel-Binding", nil, 32)
	c, _, _ := strings.Cut(strings.TrimPrefix(without, "c="), ",")
	return err == nil && unbase(c) == header+",,"+string(key)
}

func unbase(s string) string {
	data, _ := base64.StdEncoding.DecodeString(s)
	return string(data)
}

func mac(h func() hash.Hash, key []byte, text string) []byte {
	m := hmac.New(h, key)
	m.Write([]byte(text))
	return m.Sum(nil)
}

func xor(a, b []byte) []byte {
	out := make([]byte, len(a))
	for i := range a {
		out[i] = a[i] ^ b[i]
	}
	return out
}

func TestSCRAM(t *testing.T) {
	t.Parallel()
	const enough = 4096
	for _, test := range []struct {
		name      string
		server    scramServer
		auth      config.Mechanism
		mechanism string
		cause     string
	}{
		{
			"256 with channel binding comes first",
			scramServer{mechanisms: "PLAIN SCRAM-SHA-1 SCRAM-SHA-256 SCRAM-SHA-256-PLUS", iterations: enough},
			config.MechanismAuto, "SCRAM-SHA-256-PLUS", "",
		},
		{
			"256",
			scramServer{mechanisms: "PLAIN SCRAM-SHA-1 SCRAM-SHA-256", iterations: enough},
			config.MechanismAuto,
			"SCRAM-SHA-256", "",
		},
		{
			"1 before PLAIN",
			scramServer{mechanisms: "PLAIN SCRAM-SHA-1", iterations: enough},
			config.MechanismAuto,
			"SCRAM-SHA-1", "",
		},
		{
			"1 with channel binding",
			scramServer{mechanisms: "SCRAM-SHA-1-PLUS", iterations: enough},
			config.MechanismSCRAMSHA1,
			"SCRAM-SHA-1-PLUS", "",
		},
		{
			"few iterations",
			scramServer{mechanisms: "SCRAM-SHA-256", iterations: 100},
			config.MechanismAuto, "SCRAM-SHA-256",
			"",
		},
		{
			"too many iterations",
			scramServer{mechanisms: "SCRAM-SHA-256", iterations: 100_000_000},
			config.MechanismAuto,
			"SCRAM-SHA-256", "protocol-error",
		},
		{
			"no iterations",
			scramServer{mechanisms: "SCRAM-SHA-256", iterations: 0},
			config.MechanismAuto, "SCRAM-SHA-256",
			"protocol-error",
		},
		{
			"false signature",
			scramServer{mechanisms: "SCRAM-SHA-256", iterations: enough, badProof: true},
			config.MechanismAuto, "SCRAM-SHA-256", "protocol-error",
		},
		{
			"no signature",
			scramServer{mechanisms: "SCRAM-SHA-256", iterations: enough, mute: true},
			config.MechanismAuto,
			"SCRAM-SHA-256", "protocol-error",
		},
		{
			"nonce of its own",
			scramServer{mechanisms: "SCRAM-SHA-256", iterations: enough, ownNonce: true},
			config.MechanismAuto, "SCRAM-SHA-256", "protocol-error",
		},
		{
			"mandatory extension",
			scramServer{mechanisms: "SCRAM-SHA-256", iterations: enough, extension: true},
			config.MechanismAuto, "SCRAM-SHA-256", "protocol-error",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			b := start(t, config.SecurityTLS, scripted.Options{})
			address := test.server.start(t, b.ca)
			b.network.Route = func(string, string, int) (string, bool) { return address, true }
			b.target.Submission.Auth = test.auth
			results := b.run(t, Options{})
			r := find(t, results, check.SMTPAuth)
			e, _ := diagnostics.Observed[diagnostics.SignIn](r.Evidence)
			if e.Mechanism != test.mechanism {
				t.Errorf("mechanism %v, want %s", e.Mechanism, test.mechanism)
			}
			if string(r.Cause) != test.cause {
				t.Errorf("%s %s, want %q\n%s", r.Status, r.Cause, test.cause, dump(results))
			}
			if weak := e.Weak; weak != (test.server.iterations == 100) {
				t.Errorf("weak iterations: %t", weak)
			}
			for _, line := range r.Transcript {
				if line.Direction != wire.Note && strings.Contains(line.String(), "334 ") &&
					!strings.HasSuffix(line.String(), "***") {
					t.Errorf("a challenge stands in the transcript: %s", line)
				}
			}
			noLeak(t, results)
		})
	}
}

var _ net.Conn = (*wire.Conn)(nil)
