package dmarc

import "testing"

func TestRepair(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"v=DMARC1;p=none;fo:0;adkim=r;rua=mailto:a@x.example":           "v=DMARC1; p=none; fo=0; adkim=r; rua=mailto:a@x.example",
		"v=DMARC1; p=reject; sp=rejct; rua=mailto:r@x.example":          "v=DMARC1; p=reject; sp=reject; rua=mailto:r@x.example",
		"v=DMARC1; p=reject; np=quarantin":                              "v=DMARC1; p=reject; np=quarantine",
		"v=DMARC1; p=reject; adkim=strict; aspf=relaxed":                "v=DMARC1; p=reject; adkim=s; aspf=r",
		"v=DMARC1; p=reject; fo=7":                                      "v=DMARC1; p=reject",
		"v=DMARC1; p=none; p=reject":                                    "v=DMARC1; p=none",
		"v=DMARC1; p=none; rua=reports@x.example":                       "v=DMARC1; p=none",
		"v=DMARC1; p=none; rua=mailto:r@x.example":                      "",
		"v=DMARC1; p=banana":                                            "",
		"v=DMARC1; p=none; pct=100; sp = none ; ruf:mailto:r@x.example": "v=DMARC1; p=none; pct=100; sp=none; ruf=mailto:r@x.example",
	} {
		r, ok := Parse(raw)
		if got := Repair(r); !ok || got != want {
			t.Errorf("%s\n got %s\nwant %s", raw, got, want)
		}
	}
}
