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
