package worker

import (
	"testing"

	"postier/config"
	"postier/wizard"
)

// TestFallback: the platform's profile is saved once, together with the person's own. A profile or a fallback that
// someone changed stays unchanged.
func TestFallback(t *testing.T) {
	t.Parallel()
	h := newFixture(t, "")
	h.Fallback = &Fallback{Name: "platform", Profile: &config.Profile{
		Enabled: true, From: config.Address{Address: "noreply@cresus.example"},
		Submission: config.Server{
			Host: "smtp.cresus.example", Port: 465, Security: config.SecurityTLS,
			Auth: config.MechanismAuto, Username: "noreply@cresus.example",
		},
		Credential: config.Credential{Kind: config.CredentialSystemd, Name: "smtp-platform"},
		SentCopy:   config.SentCopy{Mode: config.SentNone},
	}}
	h.save(nil)
	doc := h.load()
	if doc.File.Fallback != "platform" || doc.File.Default != "atelier" || len(doc.File.Profiles) != 2 ||
		len(doc.Validate().Errors()) != 0 {
		t.Fatalf("fallback %q, default %q, %v", doc.File.Fallback, doc.File.Default, doc.Validate())
	}
	doc.File.Profiles["platform"].Label = "changed here"
	doc.File.Fallback = "atelier"
	if err := doc.Save(); err != nil {
		t.Fatal(err)
	}
	h.save(func(r *wizard.Request) { r.Draft.Profile, r.Draft.Default = "zweites", false })
	if doc = h.load(); doc.File.Fallback != "atelier" || doc.File.Profiles["platform"].Label != "changed here" ||
		len(doc.File.Profiles) != 3 {
		t.Errorf("fallback %q, %+v", doc.File.Fallback, doc.File.Profiles["platform"])
	}
	if h.Fallback.Profile.Label != "" {
		t.Error("the vendor's own profile was changed")
	}
}
