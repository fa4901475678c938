package cli

import (
	"testing"

	"postier/internal/cli/command"
)

// A call that names a command makes only that one, under the name by which it is called; everything else needs all of
// them.
func TestOneCommandIsMade(t *testing.T) {
	t.Parallel()
	f := english()
	all := commands(f, "")
	for _, cmd := range all {
		want := 1
		if cmd.Name() == "man" || cmd.Name() == "completion" {
			want = len(all)
		}
		made := commands(f, cmd.Name())
		if len(made) != want || want == 1 && made[0].Name() != cmd.Name() {
			t.Errorf("%s: %d commands, the first is %s", cmd.Name(), len(made), made[0].Name())
		}
	}
	for _, word := range []string{"help", "--lang", "__complete", "sedn"} {
		if made := commands(f, word); len(made) != len(all) {
			t.Errorf("%s: %d commands", word, len(made))
		}
	}
}

// english is a factory whose environment is empty.
func english() *command.Factory {
	return command.NewFactory(command.Streams{Getenv: func(string) string { return "" }}, version)
}
