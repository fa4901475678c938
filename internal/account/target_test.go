package account

import "testing"

func TestTargetDefaults(t *testing.T) {
	t.Parallel()
	target := Target{Address: "a@x.example"}
	if target.Author() != "a@x.example" || target.To() != "a@x.example" {
		t.Errorf("%s %s", target.Author(), target.To())
	}
	target.From, target.Recipient = "b@x.example", "c@x.example"
	if target.Author() != "b@x.example" || target.To() != "c@x.example" {
		t.Errorf("%s %s", target.Author(), target.To())
	}
}
