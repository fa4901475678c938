package main

import (
	"os"
	"testing"
	"testing/fstest"
)

// TestConstantsAreFresh: whoever adds a cause runs go generate, or no check could give it.
func TestConstantsAreFresh(t *testing.T) {
	t.Parallel()
	want, err := build(os.DirFS("../../../../diagnostics/explain/data/causes"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../../causes.go")
	if err != nil || string(got) != string(want) {
		t.Errorf("internal/check/causes.go is not what the catalogue gives (%v): run go generate ./internal/check", err)
	}
}

func TestName(t *testing.T) {
	t.Parallel()
	for slug, want := range map[string]string{
		"mta-sts-policy": "CauseMTASTSPolicy", "app-password-required": "CauseAppPasswordRequired",
		"dns-nxdomain": "CauseDNSNXDomain", "starttls-failed": "CauseStartTLSFailed", "unknown": "CauseUnknown",
	} {
		if got := name(slug); got != want {
			t.Errorf("%s is %s, want %s", slug, got, want)
		}
	}
}

func TestBrokenData(t *testing.T) {
	t.Parallel()
	if text, err := build(fstest.MapFS{"a.json": {Data: []byte("{")}}); err == nil {
		t.Errorf("broken data gives %s", text)
	}
}
