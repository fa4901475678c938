package profile

import (
	"fmt"
	"testing"
)

func TestParseAliases(t *testing.T) {
	t.Parallel()
	aliases, left := parseAliases("# comment\nroot: owner@durand.example,\n  second@durand.example\n" +
		"www-data: root\npostmaster:\troot\n\"mailer-daemon\": postmaster\nops: |/bin/sh, ops@durand.example\n" +
		"list: :include:/etc/list\nfile: /var/mail/x\nnobody: /dev/null\ncircle: circle\nlost: nowhere\nbroken line\n")
	want := "map[mailer-daemon:[postmaster] ops:[ops@durand.example] postmaster:[root] " +
		"root:[owner@durand.example second@durand.example] www-data:[root]]"
	if got := fmt.Sprint(aliases); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	if len(left) != 7 {
		t.Errorf("left out: %q", left)
	}
}

// TestNoAddressOutOfACommand: mail must never go to an address that stands in a command, a path or a comment.
func TestNoAddressOutOfACommand(t *testing.T) {
	t.Parallel()
	for _, target := range []string{
		`"|/usr/bin/filter --to other@customer.example"`, `"|/bin/sh -c a, other@customer.example"`,
		`|/bin/mail other@customer.example`, `/var/mail/other@customer.example`, `:include:/etc/other@customer.example`,
		`"/home/x, other@customer.example"`, `~/other@customer.example`, `\other@customer.example`,
		`owner@durand.example # other@customer.example`, `see other@customer.example`, `"a\", other@customer.example"`,
	} {
		if aliases, left := parseAliases("root: " + target + "\n"); len(aliases) != 0 || len(left) == 0 {
			t.Errorf("%s leads to %v", target, aliases)
		}
	}
	aliases, left := parseAliases("Root: Marie, owner@durand.example\nMARIE: marie, m@durand.example\n" +
		"ops: root@localhost\n" +
		"\"odd:name\": owner@durand.example\n")
	want := "map[marie:[m@durand.example] ops:[root] root:[marie owner@durand.example]]"
	if fmt.Sprint(aliases) != want || len(left) != 2 {
		t.Errorf("%v, left out %q", aliases, left)
	}
}

// TestCirclesAndMarks: names that lead to each other only lead nowhere, and a byte order mark is no part of a name.
func TestCirclesAndMarks(t *testing.T) {
	t.Parallel()
	aliases, left := parseAliases("\ufeffroot: owner@durand.example\na: b\nb: a\nc: a, root\nd: c\n")
	want := "map[c:[root] d:[c] root:[owner@durand.example]]"
	if fmt.Sprint(aliases) != want || len(left) != 3 {
		t.Errorf("%v, left out %q", aliases, left)
	}
}
