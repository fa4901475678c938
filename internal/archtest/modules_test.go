package archtest

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// minimums are the lowest versions without a known fault (docs/security.md T23).
var minimums = map[string]string{
	"golang.org/x/crypto":               "v0.54.0",
	"golang.org/x/net":                  "v0.55.0",
	"github.com/wneessen/go-mail":       "v0.7.1",
	"blitiri.com.ar/go/spf":             "v1.6.0",
	"github.com/mattn/go-runewidth":     "v0.0.30", // older ones cost 20 ms in every start
	"github.com/emersion/go-smtp":       "v0.25.1",
	"github.com/emersion/go-msgauth":    "v0.7.0",
	"charm.land/bubbletea/v2":           "v2.0.10",
	"charm.land/wish/v2":                "v2.0.3", // survives panics
	"github.com/miekg/dns":              "v1.1.73",
	"github.com/zalando/go-keyring":     "v0.2.8",
	"github.com/leonelquinteros/gotext": "v1.7.2",
}

func TestModuleMinimums(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile(filepath.Join("..", "..", "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	versions := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^\s*([^\s/]+\S*)\s+(v\S+)`).FindAllStringSubmatch(string(data), -1) {
		versions[m[1]] = m[2]
	}
	for path, least := range minimums {
		if have := versions[path]; have == "" || older(have, least) {
			t.Errorf("%s is at %q, at least %s is needed", path, have, least)
		}
	}
}

// TestEveryModuleHasAReason holds the list of direct modules in docs/decisions against go.mod, both ways.
func TestEveryModuleHasAReason(t *testing.T) {
	t.Parallel()
	mod, err := os.ReadFile(filepath.Join("..", "..", "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "decisions", "0003-modules.md"))
	if err != nil {
		t.Fatal(err)
	}
	direct := regexp.MustCompile(`(?m)^\s+(\S+) v\S+( // .*)?$`)
	for _, m := range direct.FindAllStringSubmatch(string(mod), -1) {
		if strings.Contains(m[2], "indirect") {
			continue
		}
		if !strings.Contains(string(page), "`"+m[1]+"`") {
			t.Errorf("module %s has no line in docs/decisions/0003-modules.md", m[1])
		}
	}
	for _, m := range regexp.MustCompile("(?m)^\\| `([^`]+)`").FindAllStringSubmatch(string(page), -1) {
		if !strings.Contains(string(mod), m[1]+" v") {
			t.Errorf("docs/decisions/0003-modules.md names %s, which go.mod does not", m[1])
		}
	}
}

// older compares vMAJOR.MINOR.PATCH; what follows the patch plays no part here.
func older(have, least string) bool {
	var a, b [3]int
	if _, err := fmt.Sscanf(have, "v%d.%d.%d", &a[0], &a[1], &a[2]); err != nil {
		return true
	}
	if _, err := fmt.Sscanf(least, "v%d.%d.%d", &b[0], &b[1], &b[2]); err != nil {
		return true
	}
	return slices.Compare(a[:], b[:]) < 0
}
