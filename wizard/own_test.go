package wizard

import "testing"

// TestOwnProvider: from a provider that a rehearsal does not have, Enter leads back to its own, whatever was typed.
func TestOwnProvider(t *testing.T) {
	t.Parallel()
	const own = "marie@atelier-demo.example"
	k := begin(t, Options{Rehearsal: true, Address: own})
	k.do(ActBack)
	k.enter("address", "jean@gmail.com")
	k.at(StepProvider)
	if first := k.s.Screen().Actions[0]; first.ID != ActOwn {
		t.Fatalf("Enter does %s", first.ID)
	}
	searched := k.requested(DoDiscover)
	k.enter()
	k.at(StepProvider)
	if got := k.s.Draft().Address; got != own || k.requested(DoDiscover) != searched+1 {
		t.Errorf("%s, and %d searches after %d", got, k.requested(DoDiscover), searched)
	}
}

// TestMisspelt: where the domain does not exist, Enter leads back to the address.
func TestMisspelt(t *testing.T) {
	t.Parallel()
	const typed = "marie@durnad.example"
	k := begin(t, Options{})
	k.enter("address", typed)
	search := k.last(DoDiscover)
	k.tell(Outcome{ID: search.ID, Kind: DoDiscover, Done: true, Err: Msg(Misspelt, "domain", "durnad.example")})
	k.enter()
	k.at(StepAddress)
	if got := k.field(FieldAddress).Value; got != typed {
		t.Errorf("the address is %q", got)
	}
}
