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
	"log"
	"log/slog"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
	"text/template"
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
