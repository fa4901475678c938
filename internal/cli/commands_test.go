package cli

import "testing"

// A call that names a command makes only that one, under the name by which it is called; everything else needs all of
// them.
func TestOneCommandIsMade(t *testing.T) {
	t.Parallel()
	all := (&app{streams: streams{getenv: func(string) string { return "" }}}).commands()
	for _, cmd := range all {
		want := 1
		if cmd.Name() == "man" || cmd.Name() == "completion" {
			want = len(all)
		}
		made := (&app{streams: streams{getenv: func(string) string { return "" }}, called: cmd.Name()}).commands()
		if len(made) != want || want == 1 && made[0].Name() != cmd.Name() {
			t.Errorf("%s: %d commands, the first is %s", cmd.Name(), len(made), made[0].Name())
		}
	}
	for _, word := range []string{"help", "--lang", "__complete", "sedn"} {
		if made := (&app{
			streams: streams{getenv: func(string) string { return "" }},
			called:  word,
		}).commands(); len(made) != len(all) {
			t.Errorf("%s: %d commands", word, len(made))
		}
	}
}
