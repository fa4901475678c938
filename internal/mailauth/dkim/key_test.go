package dkim_test

import (
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"math/big"
	"strings"
	"testing"

	"postier/internal/mailauth/dkim"
)

// rsaKey encodes a public key of a given length. Its modulus is made up, because a parser does not need the factors.
func rsaKey(bits int, pkcs1 bool) string {
	n := new(big.Int).Lsh(big.NewInt(1), uint(bits-1))
	n.Add(n, big.NewInt(12345))
	key := &rsa.PublicKey{N: n, E: 65537}
	if pkcs1 {
		return base64.StdEncoding.EncodeToString(x509.MarshalPKCS1PublicKey(key))
	}
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		panic(err)
	}
	return base64.StdEncoding.EncodeToString(der)
}

var edKey = base64.StdEncoding.EncodeToString(
	ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)).Public().(ed25519.PublicKey))

func TestGoodKeys(t *testing.T) {
	t.Parallel()
	k2048 := rsaKey(2048, false)
	for _, c := range []struct {
		name, record, label string
		usable              bool
	}{
		{"all tags", "v=DKIM1; k=rsa; h=sha256; s=email; t=s; n=hello; p=" + k2048, "rsa-2048", true},
		{"only p", "p=" + k2048, "rsa-2048", true},
		{"final semicolon", "v=DKIM1; p=" + k2048 + ";", "rsa-2048", true},
		{"RSAPublicKey", "v=DKIM1; p=" + rsaKey(2048, true), "rsa-2048", true},
		{"1024", "v=DKIM1; p=" + rsaKey(1024, false), "rsa-1024", true},
		{"1023", "v=DKIM1; p=" + rsaKey(1023, false), "rsa-1023", false},
		{"512", "v=DKIM1; p=" + rsaKey(512, false), "rsa-512", false},
		{"4096", "v=DKIM1; p=" + rsaKey(4096, false), "rsa-4096", true},
		{"ed25519", "v=DKIM1; k=ed25519; p=" + edKey, "ed25519", true},
		{
			"space inside the key", "v=DKIM1; p=" + k2048[:60] + " \t" + k2048[60:200] + "\r\n " + k2048[200:], "rsa-2048",
			true,
		},
		{"space around", " v = DKIM1 ; p\t=\r\n " + k2048 + " ", "rsa-2048", true},
		{"unknown tags", "v=DKIM1; x=y; p=" + k2048 + "; g=*", "rsa-2048", true},
		{"unknown flags", "v=DKIM1; t=q:s:z; p=" + k2048, "rsa-2048", true},
		{"several hashes", "v=DKIM1; h=sha1:sha256; p=" + k2048, "rsa-2048", true},
		{"any service", "v=DKIM1; s=*; p=" + k2048, "rsa-2048", true},
		{"several services", "v=DKIM1; s=tlsrpt:email; p=" + k2048, "rsa-2048", true},
		{"empty n", "v=DKIM1; n=; p=" + k2048, "rsa-2048", true},
	} {
		k, faults := dkim.Parse(c.record)
		if len(faults) > 0 || k.Label() != c.label || k.Usable() != c.usable || k.Public == nil {
			t.Errorf("%s: %s usable %v, faults %+v", c.name, k.Label(), k.Usable(), faults)
		}
		if !dkim.IsKey(c.record) {
			t.Errorf("%s: not taken for a key", c.name)
		}
	}
}

func TestFlags(t *testing.T) {
	t.Parallel()
	for record, want := range map[string][3]bool{ // testing, strict, revoked
		"v=DKIM1; p=":                            {false, false, true},
		"v=DKIM1; p= ; t=y":                      {true, false, true},
		"v=DKIM1; t=y:s; p=":                     {true, true, true},
		"v=DKIM1; t= s : y ; p=":                 {true, true, true},
		"v=DKIM1; t=Y; p=" + rsaKey(2048, false): {false, false, false},
	} {
		k, faults := dkim.Parse(record)
		if got := [3]bool{k.Testing, k.Strict, k.Revoked}; got != want || len(faults) > 0 || k.Revoked && k.Usable() {
			t.Errorf("%q: %v, %+v", record, got, faults)
		}
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	k2048 := rsaKey(2048, false)
	for _, c := range []struct {
		name, record string
		kind         dkim.FaultKind
		offset       int
	}{
		{"other version", "v=DKIM2; p=" + k2048, dkim.FaultVersion, 2},
		{"version in lower case", "v=dkim1; p=" + k2048, dkim.FaultVersion, 2},
		{"version not first", "p=" + k2048 + "; v=DKIM1", dkim.FaultVersion, 2 + len(k2048) + 4},
		{"no p", "v=DKIM1; k=rsa", dkim.FaultNoKey, 14},
		{"P in upper case", "v=DKIM1; P=" + k2048, dkim.FaultNoKey, 11 + len(k2048)},
		{"twice", "v=DKIM1; p=; p=" + k2048, dkim.FaultTwice, 13},
		{"no tag", "v=DKIM1; hello; p=" + k2048, dkim.FaultTagList, 9},
		{"two semicolons", "v=DKIM1;; p=" + k2048, dkim.FaultTagList, 8},
		{"bad name", "v=DKIM1; 1a=b; p=" + k2048, dkim.FaultTagList, 9},
		{"beyond ASCII", "v=DKIM1; n=é; p=" + k2048, dkim.FaultTagList, 11},
		{"control", "v=DKIM1; n=\x01; p=" + k2048, dkim.FaultTagList, 11},
		{"not base64", "v=DKIM1; p=abc*def", dkim.FaultBase64, 14},
		{"URL base64", "v=DKIM1; p=abc-def_", dkim.FaultBase64, 14},
		{"cut", "v=DKIM1; p=" + k2048[:200], dkim.FaultTruncated, 211},
		{"cut inside four", "v=DKIM1; p=" + k2048[:201], dkim.FaultTruncated, 212},
		{"ed25519 cut", "v=DKIM1; k=ed25519; p=" + edKey[:20], dkim.FaultTruncated, 42},
		{"ed25519 as SPKI", "v=DKIM1; k=ed25519; p=" + k2048, dkim.FaultKey, 22},
		{"rsa that is none", "v=DKIM1; p=" + base64.StdEncoding.EncodeToString([]byte("hello world!")), dkim.FaultKey, 11},
		{"ed25519 as rsa", "v=DKIM1; p=" + edKey, dkim.FaultKey, 11},
		{"unknown type", "v=DKIM1; k=dsa; p=" + k2048, dkim.FaultType, 18},
		{"type in upper case", "v=DKIM1; k=RSA; p=" + k2048, dkim.FaultType, 18},
		{"too long", "v=DKIM1; p=" + rsaKey(16384, false), dkim.FaultTooLong, 11},
		{"only sha1", "v=DKIM1; h=sha1; p=" + k2048, dkim.FaultHash, 11},
		{"other service", "v=DKIM1; s=tlsrpt; p=" + k2048, dkim.FaultService, 11},
		{"quotes", `"v=DKIM1; p=` + k2048[:100] + `" "` + k2048[100:] + `"`, dkim.FaultQuotes, 0},
		{"backslash", `v=DKIM1\; k=rsa\; p=` + k2048, dkim.FaultBackslash, 7},
		{"PEM", "v=DKIM1; p=-----BEGIN PUBLIC KEY----- " + k2048 + " -----END PUBLIC KEY-----", dkim.FaultPEM, 11},
	} {
		k, faults := dkim.Parse(c.record)
		if len(faults) == 0 || faults[0].Kind != c.kind || faults[0].Offset != c.offset {
			t.Errorf("%s: %+v, want %s at %d", c.name, faults, c.kind, c.offset)
		}
		if k.Usable() {
			t.Errorf("%s: usable", c.name)
		}
	}
}

func TestIsKey(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"v=spf1 -all": false, "v=DMARC1; p=none": false, "hello": false, "k=rsa; p=abc": true, "v=DKIM1": true,
		`"v=DKIM1; p="`: true, "google-site-verification=x": false, "-----BEGIN PUBLIC KEY----- x": true,
	} {
		if dkim.IsKey(text) != want {
			t.Errorf("%q: %v", text, !want)
		}
	}
}

func TestMend(t *testing.T) {
	t.Parallel()
	k := rsaKey(2048, false)
	want := "v=DKIM1; k=rsa; p=" + k
	for name, record := range map[string]string{
		"quotes":         `"v=DKIM1; k=rsa; p=` + k[:100] + `" "` + k[100:] + `"`,
		"backslash":      `v=DKIM1\; k=rsa\; p=` + k,
		"order":          "k=rsa; v=DKIM1; p=" + k,
		"case":           "V=dkim1; K=rsa; P=" + k,
		"no version":     "k=rsa; p=" + k,
		"two semicolons": "v=DKIM1;; k=rsa; p=" + k,
		"PEM": "v=DKIM1; k=rsa; p=-----BEGIN PUBLIC KEY-----\n" + k[:64] + "\n" + k[64:] +
			"\n-----END PUBLIC KEY-----",
		"only sha1":   "v=DKIM1; k=rsa; h=sha1; p=" + k,
		"a second p":  "v=DKIM1; k=rsa; p=" + k + "; p=x",
		"stray words": "v=DKIM1; hello; k=rsa; p=" + k,
	} {
		got, ok := dkim.Repair(record)
		if !ok || got != want {
			t.Errorf("%s: %v %q", name, ok, got)
		}
	}
	if got, ok := dkim.Repair("-----BEGIN PUBLIC KEY-----" + k + "-----END PUBLIC KEY-----"); !ok ||
		got != "v=DKIM1; p="+k {
		t.Errorf("bare PEM: %v %q", ok, got)
	}
	if _, ok := dkim.Repair("v=DKIM1; p=" + k[:200]); ok {
		t.Error("a key that was cut cannot be repaired")
	}
}

func FuzzParse(f *testing.F) {
	k := rsaKey(1024, false)
	for _, seed := range []string{
		"v=DKIM1; k=rsa; t=y:s; p=" + k, "v=DKIM1; k=ed25519; p=" + edKey, "v=DKIM1; p=", `"v=DKIM1\; p=`, ";;;=;", "p=MII",
		"v=DKIM1; p=-----BEGIN PUBLIC KEY-----" + k, strings.Repeat("a=;", 20),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		key, faults := dkim.Parse(text)
		for _, fault := range faults {
			if fault.Offset < 0 || fault.Offset > len(text) {
				t.Errorf("%q: fault at %d", text, fault.Offset)
			}
		}
		if key.Usable() && key.Public == nil {
			t.Errorf("%q: usable without a key", text)
		}
		if repaired, ok := dkim.Repair(text); ok {
			if again, _ := dkim.Parse(repaired); again.Public == nil {
				t.Errorf("%q repaired to %q, which has no key", text, repaired)
			}
		}
	})
}

func BenchmarkParse(b *testing.B) {
	record := "v=DKIM1; k=rsa; p=" + rsaKey(2048, false)
	b.ReportAllocs()
	for b.Loop() {
		if _, faults := dkim.Parse(record); len(faults) > 0 {
			b.Fatal(faults)
		}
	}
}
