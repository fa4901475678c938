package safetext

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// span is a range of code points that must never reach a sink raw.
type span struct {
	name     string
	from, to rune
}

// harmful lists them by class, written down here independently of the code under test.
var harmful = []span{
	{"C0 controls", 0x00, 0x1f},
	{"DEL", 0x7f, 0x7f},
	{"C1 controls", 0x80, 0x9f},
	{"no-break space", 0xa0, 0xa0},
	{"soft hyphen", 0xad, 0xad},
	{"combining grapheme joiner", 0x34f, 0x34f},
	{"Arabic letter mark", 0x61c, 0x61c},
	{"Hangul fillers", 0x115f, 0x1160},
	{"Khmer inherent vowels", 0x17b4, 0x17b5},
	{"Mongolian selectors", 0x180b, 0x180f},
	{"typographic spaces", 0x2000, 0x200a},
	{"zero width and direction marks", 0x200b, 0x200f},
	{"line and paragraph separator", 0x2028, 0x2029},
	{"embeddings and overrides", 0x202a, 0x202e},
	{"narrow space", 0x202f, 0x202f},
	{"mathematical space", 0x205f, 0x205f},
	{"word joiner and invisible operators", 0x2060, 0x2064},
	{"unassigned format", 0x2065, 0x2065},
	{"isolates", 0x2066, 0x2069},
	{"deprecated format", 0x206a, 0x206f},
	{"braille blank", 0x2800, 0x2800},
	{"ideographic space", 0x3000, 0x3000},
	{"Hangul filler", 0x3164, 0x3164},
	{"private use", 0xe000, 0xf8ff},
	{"noncharacters", 0xfdd0, 0xfdef},
	{"variation selectors", 0xfe00, 0xfe0f},
	{"byte order mark", 0xfeff, 0xfeff},
	{"halfwidth filler", 0xffa0, 0xffa0},
	{"interlinear annotation", 0xfff9, 0xfffb},
	{"last noncharacters of plane 0", 0xfffe, 0xffff},
	{"musical format", 0x1d173, 0x1d17a},
	{"noncharacters of plane 1", 0x1fffe, 0x1ffff},
	{"tags", 0xe0000, 0xe007f},
	{"variation selectors supplement", 0xe0100, 0xe01ef},
	{"private use planes", 0xf0000, 0xf00ff},
	{"end of Unicode", 0x10ff00, 0x10ffff},
}

func TestEveryHarmfulCharacterInEverySink(t *testing.T) {
	t.Parallel()
	for _, class := range harmful {
		t.Run(class.name, func(t *testing.T) {
			t.Parallel()
			for r := class.from; r <= class.to; r++ {
				text := "a" + string(r) + "b"
				checkRune(t, r, text)
			}
		})
	}
}

func checkRune(t *testing.T, r rune, text string) {
	t.Helper()
	want := fmt.Sprintf(`\U%08x`, r)
	switch {
	case r < 0x80:
		want = fmt.Sprintf(`\x%02x`, r)
	case r <= 0xffff:
		want = fmt.Sprintf(`\u%04x`, r)
	}
	remote := FromRemote(text)
	if got := Escape(text); got != "a"+want+"b" {
		t.Fatalf("U+%04X: Escape gives %q", r, got)
	}
	for verb, got := range map[string]string{
		"Escaped": remote.Escaped(), "%s": fmt.Sprintf("%s", remote),
		"%v": fmt.Sprint(remote), "%q": fmt.Sprintf("%q", remote), "log": remote.LogValue().String(),
	} {
		if got != "a"+want+"b" {
			t.Fatalf("U+%04X: %s gives %q", r, verb, got)
		}
	}
	data := EscapeJSON(text)
	if strings.ContainsRune(string(data), r) {
		t.Fatalf("U+%04X: raw in JSON %q", r, data)
	}
	var back string
	if err := json.Unmarshal(data, &back); err != nil || back != text {
		t.Fatalf("U+%04X: JSON %s reads back as %q, %v", r, data, back, err)
	}
	for _, line := range remote.Block("server| ") {
		if strings.ContainsRune(line, r) || !strings.HasPrefix(line, "server| ") {
			t.Fatalf("U+%04X: block line %q", r, line)
		}
	}
}

func TestOrdinaryTextStays(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", "250 OK", "Envoyés — « déjà » 5 €", "Grüße", "送信済み", "Отправленные", "e\u0301", "🙂",
		"नमस्ते", "\ufffd",
	} {
		if got := Escape(text); got != text {
			t.Errorf("%q became %q", text, got)
		}
		if got := FromRemote(text).Block("| "); len(got) != 1 || got[0] != "| "+text {
			t.Errorf("%q became %q", text, got)
		}
	}
}

func TestInvalidBytes(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"a\xffb": `a\xffb`, "\x9b2J": `\x9b2J`, "\xc3": `\xc3`, "\xed\xa0\x80": `\xed\xa0\x80`, "\xc0\xaf": `\xc0\xaf`,
		"\xf4\x90\x80\x80": `\xf4\x90\x80\x80`,
	} {
		if got := Escape(text); got != want {
			t.Errorf("%q: got %s", text, got)
		}
		var back string
		if err := json.Unmarshal(EscapeJSON(text), &back); err != nil || back != want {
			t.Errorf("%q: JSON reads back as %q, %v", text, back, err)
		}
	}
}

func TestSequences(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"\x1b[2J", "\x1b]52;c;aGk=\x07", "\x1b]8;;http://x\x1b\\y", "safe\rEVIL", "a\bb", "\x1bP\x1b\\", "\u009b2J",
		"\u009d0;t\u009c",
		"\u202egpj.exe", "pay\u200bpal", "a" + strings.Repeat("\u0301", 200), "\U000e0041\U000e0042", "\x1b[31m",
		"ok\n\nPassword for root: ",
	} {
		for sink, got := range map[string]string{"Escape": Escape(text), "JSON": string(EscapeJSON(text))} {
			assertClean(t, sink, got)
		}
		for _, line := range FromRemote(text).Block("| ") {
			assertClean(t, "Block", line)
		}
	}
}

// assertClean checks the output with its own rules.
func assertClean(t *testing.T, sink, got string) {
	t.Helper()
	if !utf8.ValidString(got) {
		t.Errorf("%s: invalid UTF-8 in %q", sink, got)
	}
	marks := 0
	for _, r := range got {
		if r < 0x20 || 0x7f <= r && r <= 0x9f ||
			unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Co, unicode.Cs, unicode.Variation_Selector,
				unicode.Noncharacter_Code_Point) {
			t.Errorf("%s: U+%04X is raw in %q", sink, r, got)
		}
		if unicode.In(r, unicode.Mn, unicode.Me) {
			marks++
		} else {
			marks = 0
		}
		if marks > 4 {
			t.Errorf("%s: a pile of marks in %q", sink, got)
		}
	}
}

func TestBlockSplitsAndCounts(t *testing.T) {
	t.Parallel()
	for _, end := range []string{"\n", "\r\n", "\r", "\v", "\f", "\u0085", "\u2028", "\u2029"} {
		got := FromRemote("one" + end + "Password: " + end).Block("server│ ")
		if len(got) != 2 || got[0] != "server│ one" || got[1] != "server│ Password: " {
			t.Errorf("%q: got %q", end, got)
		}
	}
	for name, row := range map[string]struct {
		text  string
		lines int
		last  string
	}{
		"empty":              {"", 1, "| "},
		"twenty lines":       {strings.Repeat("x\n", 20), 20, "| x"},
		"many lines":         {strings.Repeat("x\n", 100), 21, fmt.Sprintf("| … +%d", 80*2-1)},
		"500 cells":          {strings.Repeat("x", 500), 1, "| " + strings.Repeat("x", 500)},
		"long line":          {strings.Repeat("x", 1000), 2, "| … +500"},
		"wide line":          {strings.Repeat("送", 300), 2, "| … +150"},
		"accents":            {strings.Repeat("é", 501), 2, "| … +2"},
		"escapes":            {strings.Repeat("\x1b", 200), 2, "| … +75"},
		"cells over lines":   {strings.Repeat("x", 400) + "\n" + strings.Repeat("y", 400), 3, "| … +300"},
		"exactly, then more": {strings.Repeat("x", 500) + "\nyy", 2, "| … +2"},
	} {
		got := FromRemote(row.text).Block("| ")
		if len(got) != row.lines || got[len(got)-1] != row.last {
			t.Errorf("%s: got %d lines, last %q", name, len(got), got[len(got)-1])
		}
	}
}

func TestRemoteInOtherHands(t *testing.T) {
	t.Parallel()
	type holder struct {
		Text Remote `json:"text"`
	}
	remote := FromRemote("a\u202e<b>")
	data, err := json.Marshal(holder{remote})
	if err != nil || string(data) != `{"text":"a\u202e\u003cb\u003e"}` {
		t.Errorf("got %s, %v", data, err)
	}
	var back holder
	if err := json.Unmarshal(data, &back); err != nil || back.Text.Raw() != remote.Raw() {
		t.Errorf("got %q, %v", back.Text.Raw(), err)
	}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("reply", "text", remote)
	if strings.ContainsRune(log.String(), '\u202e') {
		t.Errorf("got %q", log.String())
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d"} {
		if got := fmt.Sprintf(verb, holder{remote}); strings.ContainsRune(got, '\u202e') {
			t.Errorf("%s: got %q", verb, got)
		}
	}
	// fmt cannot call Format on an unexported field: what it prints instead must not be the text.
	hidden := struct{ text Remote }{FromRemote("\u202eEVIL")}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		for _, got := range []string{
			fmt.Sprintf(verb, hidden), fmt.Sprintf(verb, &hidden),
			fmt.Sprintf(verb, []any{hidden}),
		} {
			if strings.Contains(got, "EVIL") || strings.ContainsRune(got, '\u202e') {
				t.Errorf("%s: got %q", verb, got)
			}
		}
	}
	if !FromRemote("").Empty() || remote.Empty() {
		t.Error("Empty is wrong")
	}
}

func FuzzEscape(f *testing.F) {
	for _, seed := range []string{
		"", "250 OK", "\x1b[2J", "a\u0301\u0301\u0301\u0301\u0301", "\xff\u2028\r\n", "送信",
		`\x1b`, "\U0010ffff",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		once := Escape(text)
		assertClean(t, "Escape", once)
		if Escape(once) != once {
			t.Errorf("escaping twice changes %q", once)
		}
		data := EscapeJSON(text)
		assertClean(t, "JSON", string(data))
		var back string
		if err := json.Unmarshal(data, &back); err != nil || utf8.ValidString(text) && back != text {
			t.Errorf("%q reads back as %q, %v", text, back, err)
		}
		lines := FromRemote(text).Block("| ")
		if len(lines) > 21 {
			t.Errorf("%d lines", len(lines))
		}
		cells := 0
		for _, line := range lines[:min(len(lines), 20)] {
			assertClean(t, "Block", line)
			if !strings.HasPrefix(line, "| ") {
				t.Errorf("no prefix: %q", line)
			}
			cells += utf8.RuneCountInString(strings.TrimPrefix(line, "| "))
		}
		if cells > 520 {
			t.Errorf("%d characters", cells)
		}
	})
}

func TestEscapeText(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"a\nb\tc":             "a\nb\tc",
		"« oui\u00a0»\u202f!": "« oui\u00a0»\u202f!",
		"\x1b[2Jname\r":       `\x1b[2Jname\x0d`,
		"\u009b31m\u202eabc":  `\u009b31m\u202eabc`,
		"\xff\xfe and \u200b": `\xff\xfe and \u200b`,
		"ü 漢 é":               "ü 漢 é",
	} {
		if got := EscapeText(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func TestEscapeDocument(t *testing.T) {
	t.Parallel()
	const text = "{\n\t\"a\u202eb\": \"\u009b1m \U000e0001 é\"\n}"
	got := EscapeDocument([]byte(text))
	var before, after map[string]string
	if json.Unmarshal([]byte(text), &before) != nil || json.Unmarshal(got, &after) != nil || !maps.Equal(before, after) {
		t.Errorf("%s: it means something else", got)
	}
	if strings.ContainsFunc(string(got), harmfulInText) {
		t.Errorf("%q", got)
	}
}
