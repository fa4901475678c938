package secret

import (
	"bytes"
	"encoding/base64"
	"encoding/gob"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"html"
	"log"
	"log/slog"
	"math/rand/v2"
	"mime/quotedprintable"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"text/template"
	"unicode/utf16"
)

// canary has characters that every encoding changes.
const canary = `CANARY-pä'ss"$(id)<&>%n;\ 7`

// verbs are those that fmt knows, with the flags that reach deeper.
var verbs = []string{
	"%v", "%+v", "%#v", "%T", "%s", "%q", "%x", "%X", "%d", "%t", "%b", "%p", "%U", "%o", "%c", "%e",
	"%g", "% x", "%#q", "%30v", "%-5s",
}

type inside struct {
	Shown  Value
	hidden Value
	deeper *inside
}

type failure struct{ secret Value }

func (f failure) Error() string { return fmt.Sprintf("sign-in with %v failed", f.secret) }

// holders are the ways in which a secret can be handed to a print function.
func holders() map[string]any {
	v := New(canary)
	return map[string]any{
		"value": v, "pointer": &v, "nested": inside{v, v, &inside{v, v, nil}}, "pointer to nested": &inside{v, v, nil},
		"map": map[string]Value{"a": v}, "map of pointers": map[string]*Value{"a": &v}, "key of a map": map[*Value]int{&v: 1},
		"slice": []Value{v, v}, "slice of pointers": []*Value{&v}, "array": [2]Value{v, v},
		"slice of any": []any{v, &v, inside{v, v, nil}},
		"error":        failure{v}, "wrapped": fmt.Errorf("outer: %w", failure{v}),
		"joined":         errors.Join(failure{v}, failure{v}),
		"error of value": fmt.Errorf("%v %s %#v", v, &v, v),
		"function":       v.Reveal, "channel": make(chan Value), "anonymous": struct{ v Value }{v},
	}
}

// leaks reports which encoding of the canary stands in text. The forms are made here, apart from those under test.
func leaks(text string) string {
	const user = "marie"
	for name, form := range map[string]string{
		"plain": canary, "start": canary[:12], "hex": hex.EncodeToString([]byte(canary)),
		"HEX":        strings.ToUpper(hex.EncodeToString([]byte(canary))),
		"spaced hex": strings.TrimSpace(fmt.Sprintf("% x", canary)),
		"base64":     base64.StdEncoding.EncodeToString([]byte(canary)),
		"plain sasl": base64.StdEncoding.EncodeToString([]byte("\x00" + user + "\x00" + canary)),
		"bytes":      strings.Trim(fmt.Sprint([]byte(canary)), "[]"),
	} {
		if strings.Contains(text, form) {
			return name
		}
	}
	return ""
}

func TestNoVerbPrintsIt(t *testing.T) {
	t.Parallel()
	for name, holder := range holders() {
		for _, verb := range verbs {
			if got := fmt.Sprintf(verb, holder); leaks(got) != "" {
				t.Errorf("%s of a %s leaks: %s", verb, name, got)
			}
		}
		for printer, got := range map[string]string{"Sprint": fmt.Sprint(holder), "Sprintln": fmt.Sprintln(holder)} {
			if leaks(got) != "" {
				t.Errorf("%s of a %s leaks: %s", printer, name, got)
			}
		}
	}
}

func TestMaskSaysNothingAboutTheSecret(t *testing.T) {
	t.Parallel()
	for _, verb := range verbs {
		if verb == "%T" || verb == "%p" { // the type's name and an address
			continue
		}
		if got := fmt.Sprintf(verb, New(canary)); got != mask {
			t.Errorf("%s gives %q", verb, got)
		}
		if short, long := fmt.Sprintf(verb, New("a")), fmt.Sprintf(verb, New(strings.Repeat("b", 99))); short != long {
			t.Errorf("%s tells secrets apart: %q, %q", verb, short, long)
		}
	}
}

func TestNoEncoderWritesIt(t *testing.T) {
	t.Parallel()
	for name, holder := range holders() {
		var out bytes.Buffer
		if data, err := json.Marshal(holder); err == nil {
			out.Write(data)
		} else {
			out.WriteString(err.Error())
		}
		if data, err := xml.Marshal(holder); err == nil {
			out.Write(data)
		} else {
			out.WriteString(err.Error())
		}
		if err := gob.NewEncoder(&out).Encode(holder); err != nil {
			out.WriteString(err.Error())
		}
		slog.New(slog.NewTextHandler(&out, nil)).Info("x", "holder", holder)
		slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "holder", holder)
		log.New(&out, "", 0).Print(holder)
		if err := template.Must(template.New("").Parse("{{.}} {{printf `%#v` .}}")).Execute(&out, holder); err != nil {
			out.WriteString(err.Error())
		}
		if form := leaks(out.String()); form != "" {
			t.Errorf("%s leaks as %s:\n%s", name, form, out.String())
		}
	}
	if data, err := json.Marshal(map[string]Value{"password": New(canary)}); err != nil ||
		string(data) != `{"password":"[secret]"}` {
		t.Errorf("got %s, %v", data, err)
	}
}

// TestPanic ends a process of its own with the secret as the panic's value and reads what the runtime says.
func TestPanic(t *testing.T) {
	if name := os.Getenv("SECRET_TEST_PANIC"); name != "" {
		panic(holders()[name])
	}
	t.Parallel()
	for _, name := range []string{"value", "pointer", "nested", "error", "wrapped", "slice", "map"} {
		command := exec.Command(os.Args[0], "-test.run=^TestPanic$")
		command.Env = append(os.Environ(), "SECRET_TEST_PANIC="+name, "GOTRACEBACK=all")
		out, err := command.CombinedOutput()
		if err == nil || !bytes.Contains(out, []byte("panic")) {
			t.Errorf("%s: no panic: %s", name, out)
		}
		if form := leaks(string(out)); form != "" {
			t.Errorf("%s: the runtime printed it as %s", name, form)
		}
	}
}

func TestValue(t *testing.T) {
	t.Parallel()
	if v := New(canary); v.Reveal() != canary || v.Empty() || !v.Equal(New(canary)) || v.Equal(New("x")) ||
		v.Equal(Value{}) {
		t.Error("a secret is itself")
	}
	var zero Value
	if !zero.Empty() || zero.Reveal() != "" || !New("").Empty() || !zero.Equal(New("")) || fmt.Sprint(zero) != mask {
		t.Error("the zero value is empty")
	}
}

// encodings are the ways in which a secret may stand in a transcript, a report or a log.
func encodings(user string) map[string]string {
	quoted, _ := json.Marshal(canary)
	xoauth2 := "user=" + user + "\x01auth=Bearer " + canary + "\x01\x01"
	b64 := base64.StdEncoding.EncodeToString
	return map[string]string{
		"plain": canary, "LOGIN": b64([]byte(canary)), "PLAIN": b64([]byte("\x00" + user + "\x00" + canary)),
		"PLAIN with authzid": b64([]byte(user + "\x00" + user + "\x00" + canary)), "XOAUTH2": b64([]byte(xoauth2)),
		"unpadded":   base64.RawStdEncoding.EncodeToString([]byte(canary)),
		"URL base64": base64.URLEncoding.EncodeToString([]byte(canary)),
		"hex":        hex.EncodeToString([]byte(canary)), "HEX": strings.ToUpper(hex.EncodeToString([]byte(canary))),
		"query": url.QueryEscape(canary), "path": url.PathEscape(canary), "JSON": string(quoted),
		"Go": fmt.Sprintf("%q", canary), "ASCII": fmt.Sprintf("%+q", canary),
		"IMAP": `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(canary) + `"`,
		"HTML": "CANARY-pä&#39;ss&#34;$(id)&lt;&amp;&gt;%n;\\ 7",
	}
}

// octetwise writes every octet, every character or none with a verb.
func octetwise(verb, separator string) string {
	parts := make([]string, len(canary))
	for i, b := range []byte(canary) {
		parts[i] = fmt.Sprintf(verb, b)
	}
	return strings.Join(parts, separator)
}

func charwise(write func(r rune) string) string {
	var b strings.Builder
	for _, r := range canary {
		b.WriteString(write(r))
	}
	return b.String()
}

// spelled are ways to write the secret of which no list is complete: two programs that escape it the same way are rare.
func spelled() map[string]string {
	var quoted strings.Builder
	writer := quotedprintable.NewWriter(&quoted)
	_, _ = writer.Write([]byte(canary))
	_ = writer.Close()
	units := utf16.Encode([]rune(canary))
	little := make([]byte, 0, 2*len(units))
	for _, unit := range units {
		little = append(little, byte(unit), byte(unit>>8))
	}
	escaped, _ := json.Marshal(canary)
	twice, _ := json.Marshal(string(escaped))
	runes := []rune(canary)
	slices.Reverse(runes)
	return map[string]string{
		"percent, blank %20": strings.ReplaceAll(url.QueryEscape(canary), "+", "%20"),
		"percent, all":       octetwise("%%%02X", ""),
		"percent, twice":     url.QueryEscape(url.QueryEscape(canary)), "percent, lower case": octetwise("%%%02x", ""),
		"HTML hex": charwise(func(r rune) string {
			if strings.ContainsRune(`'"<>&`, r) {
				return fmt.Sprintf("&#x%X;", r)
			}
			return string(r)
		}),
		"HTML decimal": charwise(func(r rune) string { return fmt.Sprintf("&#%d;", r) }),
		"HTML named": strings.NewReplacer("'", "&apos;", `"`, "&quot;", "<", "&lt;", ">", "&gt;", "&", "&amp;", "ä",
			"&auml;").Replace(canary),
		"HTML twice": html.EscapeString(html.EscapeString(canary)), "quoted-printable": quoted.String(),
		"quoted-printable, broken": strings.Replace(quoted.String(), "ss", "s=\r\ns", 1),
		"encoded word":             strings.ReplaceAll(octetwise("=%02X", ""), "=20", "_"),
		"%q":                       fmt.Sprintf("%q", canary), "%+q": fmt.Sprintf("%+q", canary), "JSON twice": string(twice),
		"spaced hex":      fmt.Sprintf("% x", canary),
		"hex with colons": octetwise("%02X", ":"), "C": octetwise(`\x%02x`, ""), "0x": octetwise("0x%02x", ", "),
		"octal":   octetwise(`\%03o`, ""),
		"decimal": fmt.Sprint([]byte(canary)), "unicode": charwise(func(r rune) string { return fmt.Sprintf(`\u%04x`, r) }),
		"JavaScript": charwise(func(r rune) string { return fmt.Sprintf("%%u%04X", r) }), "reversed": string(runes),
		"UTF-16":        string(little),
		"UTF-16 base64": base64.StdEncoding.EncodeToString(little), "UTF-16 hex": hex.EncodeToString(little),
		"UTF-16 base64, shifted": base64.StdEncoding.EncodeToString(append([]byte("xyz\x00u"), little...)),
	}
}

func TestRedactSpellings(t *testing.T) {
	t.Parallel()
	v := New(canary)
	for name, form := range spelled() {
		got := v.Redact("before " + form + " after")
		if !strings.Contains(got, "***") || len(got) > len("before  after")+len("***")+len(`"\"\""`) ||
			!strings.HasPrefix(got, "before ") || !strings.HasSuffix(got, " after") {
			t.Errorf("%s: %q became %q", name, form, got)
		}
		if !v.In(form) {
			t.Errorf("%s: not found in %q", name, form)
		}
	}
}

// TestPossible: what is looked for first may not miss anything that the pattern would find, whatever escapes are mixed.
func TestPossible(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	octets := func(verb string) func(rune) string {
		return func(r rune) string {
			var out strings.Builder
			for _, b := range []byte(string(r)) {
				fmt.Fprintf(&out, verb, b)
			}
			return out.String()
		}
	}
	character := func(verb string) func(rune) string { return func(r rune) string { return fmt.Sprintf(verb, r) } }
	writers := []func(rune) string{
		func(r rune) string { return string(r) }, func(r rune) string { return `\` + string(r) }, octets("%%%02x"), octets("%%25%02X"),
		octets("=%02X"), octets(`\x%02x`), octets(`\\x%02X`), octets(`\%03o`), character("&#%d;"), character("&#x%x"),
		character(`\u%04x`), character(`\u{%x}`), character("%%u%04X"), character("U+%04X"),
		func(r rune) string { return html.EscapeString(string(r)) },
		func(r rune) string { return strings.ReplaceAll(string(r), " ", "+") },
		func(r rune) string { return string(r) + "=\r\n" }, func(r rune) string { return string(r) + "\x00" },
	}
	found := 0
	for range 300 {
		plain := []rune(canary)
		random.Shuffle(len(plain), func(i, j int) { plain[i], plain[j] = plain[j], plain[i] })
		plain = plain[:4+random.IntN(12)]
		used := 1 + random.IntN(len(writers))
		var text strings.Builder
		for _, r := range plain {
			text.WriteString(writers[random.IntN(used)](r))
		}
		s := newSpellings(string(plain))
		if s.pattern().MatchString(text.String()) {
			found++
			if !s.possible(text.String()) {
				t.Errorf("%q is not looked for in %q", string(plain), text.String())
			}
		}
	}
	if found < 150 {
		t.Errorf("only %d texts hold their secret", found)
	}
	for name, form := range spelled() {
		if !newSpellings(canary).possible("before " + form + " after") {
			t.Errorf("%s: not looked for in %q", name, form)
		}
	}
}

// TestRedactBase64Word: the characters next to the secret's own carry bits of it.
func TestRedactBase64Word(t *testing.T) {
	t.Parallel()
	for before := range 5 {
		text := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("u", before) + canary + "tail"))
		if got := New(canary).Redact("a " + text + " b"); got != "a *** b" {
			t.Errorf("%d octets before: %q", before, got)
		}
	}
}

// TestRedactLongSecret: a token has thousands of characters, and a text that cuts it short still shows most of it.
func TestRedactLongSecret(t *testing.T) {
	t.Parallel()
	token := strings.Repeat("abcDEF123_-.", 200)
	for _, form := range []string{token, token[:1500], url.PathEscape(token), `\"` + token + `\"`} {
		if got := New(token).Redact("x " + form + " y"); strings.Contains(got, "abcDEF") {
			t.Errorf("%.60q became %.60q", form, got)
		}
	}
}

func BenchmarkRedact(b *testing.B) {
	v := New(canary)
	const line = "250-mail.durand.example says hello to 192.0.2.1, SIZE 52428800, AUTH PLAIN LOGIN XOAUTH2, STARTTLS"
	for b.Loop() {
		v.Redact(line, "marie@durand.example")
	}
}

func TestRedact(t *testing.T) {
	t.Parallel()
	const user = "marie"
	v := New(canary)
	for name, form := range encodings(user) {
		text := "before " + form + " after"
		got := v.Redact(text, user)
		if strings.Contains(got, form) || leaks(got) != "" || !strings.Contains(got, "***") {
			t.Errorf("%s: got %q", name, got)
		}
		if !strings.HasPrefix(got, "before ") || !strings.HasSuffix(got, " after") {
			t.Errorf("%s: too much went: %q", name, got)
		}
	}
	// The whole of a PLAIN response goes, not only the middle.
	plain := encodings(user)["PLAIN"]
	if got := v.Redact("AUTH PLAIN "+plain, user); got != "AUTH PLAIN ***" {
		t.Errorf("got %q", got)
	}
	const innocent = "250-AUTH PLAIN LOGIN\r\n250 8BITMIME"
	if got := v.Redact(innocent, user); got != innocent {
		t.Errorf("innocent text became %q", got)
	}
	for _, short := range []string{"", "a", "abc"} {
		if got := New(short).Redact(innocent, user); got != innocent || New(short).Forms(user) != nil {
			t.Errorf("%q blanks out ordinary text: %q", short, got)
		}
	}
}

// TestFormsInsideOtherBase64 hides the secret at each alignment between unknown neighbours.
func TestFormsInsideOtherBase64(t *testing.T) {
	t.Parallel()
	for _, plain := range []string{"hunter2!", "correct horse", "abcdefgh1", "abcdefgh12", canary} {
		for before := range 7 {
			for after := range 7 {
				text := base64.StdEncoding.EncodeToString(
					[]byte(strings.Repeat("\xa5", before) + plain + strings.Repeat("\x5a", after)))
				if got := New(plain).Redact(text); got == text {
					t.Errorf("%q with %d octets before and %d after is not found in %s", plain, before, after, text)
				}
			}
		}
	}
}

func TestFormsAreDistinctAndLongEnough(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, form := range New("abcd").Forms("u", "u") {
		if len(form) < minForm || seen[form] {
			t.Errorf("form %q", form)
		}
		seen[form] = true
	}
}
