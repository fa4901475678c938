package tui

import (
	"testing"
	"time"

	"postier/config"
	"postier/internal/locale"
	"postier/wizard"
)

// TestEnterCutsTheSearchShort: the first good candidate is shown while the search goes on. Enter accepts it and ends
// the search, and a better one that comes later changes nothing.
func TestEnterCutsTheSearchShort(t *testing.T) {
	t.Parallel()
	begun, _ := wizard.New(wizard.Options{Today: "2026-11-21", Address: "contact@durand.example"})
	d := converse(t, begun, locale.English, 80, 24).keys("enter")
	d.shows("Step 2/12")
	d.shows("10 s at most")
	var search wizard.Request
	for search.Kind != wizard.DoDiscover {
		search = <-d.worker.asked
	}
	found := func(host string, reasons ...string) outcomeMsg {
		return outcomeMsg{wizard.Outcome{ID: search.ID, Kind: wizard.DoDiscover, Candidates: []wizard.Candidate{{
			Provider: "custom", Name: "durand.example", Origin: "srv", Confidence: "likely", Confirm: len(reasons) > 0,
			Reasons:    reasons,
			Submission: config.Server{Host: host, Port: 465, Security: config.SecurityTLS, Username: "contact@durand.example"},
		}}}}
	}
	d.keys("enter") // nothing is known yet, and a second Enter stops nothing
	d.shows("Step 2/12")
	d.send(found("mail.elsewhere.example", "guess"))
	d.shows("mail.elsewhere.example")
	d.send(found("smtp.durand.example"))
	d.shows("smtp.durand.example")
	d.model.now = func() time.Time { return noon.Add(3 * time.Second) }
	d.send(tickMsg{search.ID})
	d.shows("The search continues")
	d.shows("3 s")
	d.shows("Enter accepts what is shown")
	d.keys("enter")
	d.shows("Step 5/12")
	if id := <-d.worker.ended; id != search.ID {
		t.Errorf("request %d ended, not the search", id)
	}
	d.send(found("smtp.better.example"))
	d.shows("smtp.durand.example")
}
