package sasl

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"postier/internal/secret"
)

const (
	user     = "marie@durand.example"
	password = "C4nary#password-7"
)

// scramServer plays the other side of RFC 5802 for one exchange.
type scramServer struct{ firstBare, serverFirst string }

func (s *scramServer) answer(clientFirst []byte) []byte {
	s.firstBare = strings.TrimPrefix(string(clientFirst), "n,,")
	nonce := s.firstBare[strings.Index(s.firstBare, "r=")+2:]
	s.serverFirst = "r=" + nonce + "more,s=" + base64.StdEncoding.EncodeToString([]byte("salt")) + ",i=4096"
	return []byte(s.serverFirst)
}

func sum(key []byte, text string) []byte {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(text))
	return m.Sum(nil)
}

// verify checks the client's proof (RFC 5802 §3) and returns the server's.
func (s *scramServer) verify(t *testing.T, clientFinal []byte, password string) []byte {
	t.Helper()
	salted, err := pbkdf2.Key(sha256.New, password, []byte("salt"), 4096, sha256.Size)
	if err != nil {
		t.Fatal(err)
	}
	without, proof, _ := strings.Cut(string(clientFinal), ",p=")
	message := s.firstBare + "," + s.serverFirst + "," + without
	clientKey := sum(salted, "Client Key")
	stored := sha256.Sum256(clientKey)
	want := sum(stored[:], message)
	for i := range want {
		want[i] ^= clientKey[i]
	}
	if base64.StdEncoding.EncodeToString(want) != proof {
		t.Fatalf("the client's proof is wrong: %s", clientFinal)
	}
	return []byte("v=" + base64.StdEncoding.EncodeToString(sum(sum(salted, "Server Key"), message)))
}

func TestSCRAM(t *testing.T) {
	t.Parallel()
	strict := Credentials{Username: user, Secret: secret.New(password), LeastIterations: MinIterations}
	begin := func() (*Mechanism, []byte) {
		m, ok := New(SCRAMSHA256, strict)
		if !ok {
			t.Fatal("not known")
		}
		first, err := m.Start()
		if err != nil {
			t.Fatal(err)
		}
		return m, first
	}
	start := func() (*Mechanism, *scramServer, []byte) {
		m, first := begin()
		server := &scramServer{}
		final, err := m.Next(server.answer(first))
		if err != nil {
			t.Fatal(err)
		}
		return m, server, final
	}
	m, server, final := start()
	if answer, err := m.Next(server.verify(t, final, password)); err != nil || len(answer) != 0 || m.Done() != nil {
		t.Errorf("a good server is refused: %q, %v, %v", answer, err, m.Done())
	}
	m, _, _ = start()
	if _, err := m.Next([]byte("v=AAAA")); err == nil || !errors.Is(m.Done(), ErrUnproven) {
		t.Errorf("a wrong signature: %v, %v", err, m.Done())
	}
	m, _, _ = start()
	if err := m.Done(); !errors.Is(err, ErrUnproven) {
		t.Errorf("no signature: %v", err)
	}
	for _, rounds := range []string{"i=1", "i=4095", "i=1000001", "i=x", ""} {
		m, _ := begin()
		if _, err := m.Next([]byte("r=x,s=YQ==," + rounds)); !errors.Is(err, ErrIterations) {
			t.Errorf("%q: %v", rounds, err)
		}
	}
}

// TestChallengesBeyondTheMechanism: what a mechanism does not know is never answered, and nothing ends the program.
func TestChallengesBeyondTheMechanism(t *testing.T) {
	t.Parallel()
	for _, name := range []string{Plain, Login, CRAMMD5, SCRAMSHA1, SCRAMSHA256, NTLM, XOAuth2, OAuthBearer} {
		for _, challenge := range []string{
			"", "m=x,r=y", "r=", "v=", "\x00\xff",
			"NTLMSSP\x00\x02\x00\x00\x00\xff\xff\xff\xff",
		} {
			m, ok := New(name, Credentials{Username: user, Secret: secret.New(password), Host: "mail.durand.example"})
			if !ok {
				t.Fatal(name)
			}
			if _, err := m.Start(); err != nil {
				t.Fatal(name, err)
			}
			for range 3 {
				var known *Error
				if answer, err := m.Next([]byte(challenge)); err != nil && !errors.As(err, &known) {
					t.Errorf("%s %q: %q, %v", name, challenge, answer, err)
				}
			}
			if answer, err := m.Next([]byte(challenge)); err == nil {
				t.Errorf("%s answers for ever: %q", name, answer)
			}
		}
	}
}

func TestNTLMPartsTheDomainFromTheUser(t *testing.T) {
	t.Parallel()
	for in, want := range map[string][2]string{
		`DURAND\marie`:         {"DURAND", "marie"},
		"marie@durand.example": {"", "marie@durand.example"},
	} {
		if d, n := parseNTLM(in); d != want[0] || n != want[1] {
			t.Errorf("%s: %q %q", in, d, n)
		}
	}
}
