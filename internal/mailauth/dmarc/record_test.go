package dmarc_test

import (
	"strings"
	"testing"

	"postier/internal/mailauth/dmarc"
)

func TestIsRecord(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"v=DMARC1": true, "v=DMARC1;": true, "v=DMARC1; p=none": true, "v = DMARC1 ;p=none": true, "V=DMARC1; p=none": true,
		"v=\tDMARC1":       true,
		"v=dmarc1; p=none": false, "v=DMARC2; p=none": false, "v=DMARC1.0; p=none": false, "v=DMARC12": false,
		"p=none; v=DMARC1":  false,
		" v=DMARC1; p=none": false, "v=DMARC1 p=none": false, "": false, "v": false, "v=": false, "v=spf1 -all": false,
		`"v=DMARC1; p=none"`: false,
	} {
		if dmarc.IsRecord(text) != want {
			t.Errorf("%q: %v", text, !want)
		}
	}
}

func TestMeant(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"v=DMARC1; p=none": false, "v=dmarc1; p=none": true, `"v=DMARC1; p=none"`: true, "DMARC1; p=none": true,
		"v=DMARC1 p=none":                true,
		"p=none; rua=mailto:a@b.example": true, "hello": false, "v=spf1 -all": false,
	} {
		if dmarc.Meant(text) != want {
			t.Errorf("%q: %v", text, !want)
		}
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	r, ok := dmarc.Parse("v=DMARC1; p=reject; sp=quarantine; np=none; adkim=s; aspf=s; psd=n; t=y; fo=1:d; " +
		"rua=mailto:a@x.example!10m, https://y.example/r ; ruf=mailto:b%2Bc@x.example;")
	if !ok || r.P != dmarc.Reject || r.SP != dmarc.Quarantine || r.NP != dmarc.None || r.ADKIM != dmarc.Strict ||
		r.ASPF != dmarc.Strict ||
		r.PSD != "n" || !r.Testing || strings.Join(r.FO, " ") != "1 d" || r.BadPolicy {
		t.Errorf("%+v", r)
	}
	if len(r.RUA) != 2 || r.RUA[0].Mailbox != "a@x.example" || r.RUA[0].Text != "mailto:a@x.example" ||
		r.RUA[1].Mailbox != "" ||
		len(r.RUF) != 1 || r.RUF[0].Mailbox != "b+c@x.example" || r.RUF[0].Domain() != "x.example" {
		t.Errorf("%+v %+v", r.RUA, r.RUF)
	}
	r, _ = dmarc.Parse("v=DMARC1; p=none")
	if r.ADKIM != dmarc.Relaxed || r.ASPF != dmarc.Relaxed || r.PSD != "u" || r.Testing || strings.Join(r.FO, "") != "0" ||
		len(r.Faults) > 0 {
		t.Errorf("defaults: %+v", r)
	}
	r, _ = dmarc.Parse("v=DMARC1;P=Reject;ADKIM=S;PSD=Y;T=N")
	if r.P != dmarc.Reject || r.ADKIM != dmarc.Strict || r.PSD != "y" || r.Testing {
		t.Errorf("case: %+v", r)
	}
}

// TestFaults: a fault leaves the default, and only p, sp and np change the policy (RFC 9989 §4.7, §4.10.1).
func TestFaults(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		record string
		kind   dmarc.FaultKind
		tag    string
		offset int
		bad    bool
	}{
		{"v=DMARC1", dmarc.FaultPolicy, "p", 8, true},
		{"v=DMARC1; rua=mailto:a@b.example", dmarc.FaultPolicy, "p", 32, true},
		{"v=DMARC1; p=monitor", dmarc.FaultPolicy, "p", 10, true},
		{"v=DMARC1; p=", dmarc.FaultTagList, "p", 10, true},
		{"v=DMARC1; p", dmarc.FaultTagList, "p", 10, true},
		{"v=DMARC1; p=none; sp=no", dmarc.FaultPolicy, "sp", 18, true},
		{"v=DMARC1; p=none; np=no", dmarc.FaultPolicy, "np", 18, true},
		{"v=DMARC1; p=none; adkim=relaxed", dmarc.FaultValue, "adkim", 18, false},
		{"v=DMARC1; p=none; aspf=x", dmarc.FaultValue, "aspf", 18, false},
		{"v=DMARC1; p=none; psd=x", dmarc.FaultValue, "psd", 18, false},
		{"v=DMARC1; p=none; t=yes", dmarc.FaultValue, "t", 18, false},
		{"v=DMARC1; p=none; ruf=mailto:a@b.example; fo=2", dmarc.FaultValue, "fo", 42, false},
		{"v=DMARC1; p=none; fo=1", dmarc.FaultIdle, "fo", 0, false},
		{"v=DMARC1; p=none; rua=a@b.example", dmarc.FaultURI, "rua", 18, false},
		{"v=DMARC1; p=none; rua=mailto:b.example", dmarc.FaultURI, "rua", 18, false},
		{"v=DMARC1; p=none; rua=mailto:a@b@c.example", dmarc.FaultURI, "rua", 18, false},
		{"v=DMARC1; p=none; rua=mailto:<a@b.example>", dmarc.FaultURI, "rua", 18, false},
		{"v=DMARC1; p=none; rua=https://b.example/", dmarc.FaultScheme, "rua", 18, false},
		{"v=DMARC1; p=none; pct=50", dmarc.FaultHistoric, "pct", 18, false},
		{"v=DMARC1; p=none; x=y", dmarc.FaultUnknown, "x", 18, false},
		{"v=DMARC1; p=none; p=reject", dmarc.FaultTwice, "p", 18, false},
		{"v=DMARC1; adkim=r; p=none", dmarc.FaultOrder, "p", 19, false},
		{"v=DMARC1; p=none hello; x", dmarc.FaultPolicy, "p", 10, true},
		{"v=DMARC1; p=none; hello", dmarc.FaultTagList, "hello", 18, false},
	} {
		r, ok := dmarc.Parse(c.record)
		if !ok || len(r.Faults) == 0 || r.Faults[0].Kind != c.kind || r.Faults[0].Tag != c.tag ||
			r.Faults[0].Offset != c.offset || r.BadPolicy != c.bad {
			t.Errorf("%q: %+v bad %v", c.record, r.Faults, r.BadPolicy)
		}
		if r.ADKIM != dmarc.Relaxed || r.ASPF != dmarc.Relaxed || r.PSD != "u" || r.Testing {
			t.Errorf("%q: a default was lost: %+v", c.record, r)
		}
	}
	if r, _ := dmarc.Parse("v=DMARC1; p=none; p=reject"); r.P != dmarc.None {
		t.Error("the first of two counts")
	}
}

func TestEffective(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		record            string
		subdomain, exists bool
		want              dmarc.Policy
		applies           bool
	}{
		{"p=reject; sp=quarantine; np=none", false, true, dmarc.Reject, true},
		{"p=reject; sp=quarantine; np=none", true, true, dmarc.Quarantine, true},
		{"p=reject; sp=quarantine; np=none", true, false, dmarc.None, true},
		{"p=none; sp=quarantine", true, false, dmarc.Quarantine, true},
		{"p=none; np=reject", true, true, dmarc.None, true},
		{"p=none; np=reject", true, false, dmarc.Reject, true},
		{"p=reject", true, false, dmarc.Reject, true},
		{"p=bad", false, true, dmarc.None, false},
		{"p=bad; rua=mailto:a@b.example", false, true, dmarc.None, true},
		{"p=bad; rua=nonsense", false, true, dmarc.None, false},
		{"p=reject; sp=bad; rua=mailto:a@b.example", false, true, dmarc.None, true},
		{"p=reject; sp=bad", false, true, dmarc.None, false},
	} {
		r, _ := dmarc.Parse("v=DMARC1; " + c.record)
		if got, applies := r.Effective(c.subdomain, c.exists); got != c.want || applies != c.applies {
			t.Errorf("%s (%v, %v): %s %v", c.record, c.subdomain, c.exists, got, applies)
		}
	}
	testing, _ := dmarc.Parse("v=DMARC1; p=reject; t=y")
	for in, want := range map[dmarc.Policy]dmarc.Policy{
		dmarc.Reject: dmarc.Quarantine, dmarc.Quarantine: dmarc.None,
		dmarc.None: dmarc.None,
	} {
		if got := testing.Applied(in); got != want {
			t.Errorf("t=y makes %s of %s", got, in)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"v=DMARC1; p=none; rua=mailto:a@b.example!10m,mailto:c@d.example",
		"v=DMARC1; p=reject; sp=x; fo=1:d:s; psd=y; t=y; adkim=s", "v=DMARC1;;;=;p",
		"v = DMARC1", "v=DMARC1; rua=mailto:%zz@x", "v=DMARC1; rua=,,,", "v=DMARC1; p=\x00",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, ok := dmarc.Parse(text)
		if ok != dmarc.IsRecord(text) {
			t.Errorf("%q: %v", text, ok)
		}
		for _, fault := range r.Faults {
			if fault.Offset < 0 || fault.Offset > len(text) {
				t.Errorf("%q: fault at %d", text, fault.Offset)
			}
		}
		policy, _ := r.Effective(true, false)
		if ok && !r.BadPolicy && policy != dmarc.None && policy != dmarc.Quarantine && policy != dmarc.Reject {
			t.Errorf("%q: policy %q", text, policy)
		}
		for _, u := range append(r.RUA, r.RUF...) {
			if u.Mailbox != "" && u.Domain() == "" {
				t.Errorf("%q: %+v", text, u)
			}
		}
		dmarc.Meant(text)
	})
}

func BenchmarkParse(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := dmarc.Parse(
			"v=DMARC1; p=quarantine; sp=reject; adkim=s; aspf=r; rua=mailto:dmarc@example.com; fo=1"); !ok {
			b.Fatal("no record")
		}
	}
}
