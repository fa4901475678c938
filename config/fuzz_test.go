package config_test

import (
	"bytes"
	"errors"
	"net/mail"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"postier/config"
)

func FuzzLoad(f *testing.F) {
	f.Add([]byte(contractJSON))
	f.Add([]byte(`{"version":1,"profiles":{}}`))
	f.Add([]byte(`{"version":1,"profiles":{"a":{"enabled":true,"validated":{"at":"2026-01-01T00:00:00Z","digest":"x"}}},"x":[1.50,null,{"y":"\u202e"}]}`))
	f.Add([]byte("\ufeff{\"profiles\":{\"\":null}}"))
	f.Add([]byte(`{"version":1e0,"profiles":{"a":{"limits":{"batch":{"wait_seconds":1e-400,"messages":-0}}}}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		doc, err := config.Parse("/f.json", data)
		if err != nil {
			var speaker config.Speaker
			if !errors.As(err, &speaker) {
				t.Fatalf("no words for %v", err)
			}
			says(t, speaker.Text())
			return
		}
		faults := doc.Validate()
		for _, fault := range faults {
			says(t, fault.Text)
		}
		// What is written reads back to the same, and stays the same.
		once := doc.Encode()
		again, err := config.Parse("/f.json", once)
		if err != nil {
			t.Fatalf("own output is refused: %v\n%s", err, once)
		}
		if len(faults.Errors()) == 0 && !reflect.DeepEqual(again.File, doc.File) {
			t.Errorf("got %+v, want %+v", again.File, doc.File)
		}
		if twice := again.Encode(); !bytes.Equal(once, twice) && len(faults.Errors()) == 0 {
			t.Errorf("not stable:\n%s\n%s", once, twice)
		}
		for _, b := range once {
			if b < 0x20 && b != '\n' || b == 0x7f {
				t.Errorf("control character %#x in the file", b)
			}
		}
	})
}

func FuzzParsePortField(f *testing.F) {
	for _, seed := range []string{
		"587 AUTH:LOGIN CONN:STARTTLS LIMITE:12 WAIT:15.5", "25", "465 wait:1,5", "1 AUTH:",
		"x",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		field, text := config.ParsePortField(s)
		if !text.Empty() {
			says(t, text)
			return
		}
		again, text := config.ParsePortField(portField(field))
		if !text.Empty() || !reflect.DeepEqual(again, field) {
			t.Errorf("%q became %q", s, portField(field))
		}
	})
}

func FuzzValidateAddress(f *testing.F) {
	for _, seed := range []string{
		"a@b.example", `"a b> SIZE=1"@x.example`, "müller@dürand.example", "a@b@c", "<a@b.c>",
		"a@xn--.c", `"\""@x.example`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		text := config.ValidateAddress(s)
		if !text.Empty() {
			says(t, text)
			return
		}
		if strings.ContainsAny(s, " \r\n\t\x00<>") || !utf8.ValidString(s) || len(s) > 254 {
			t.Errorf("%q was accepted", s)
		}
		// An independent parser reads one address with the same text, so that MAIL FROM:<…> has one pair of brackets.
		parsed, err := mail.ParseAddress("<" + s + ">")
		if err != nil {
			t.Errorf("%q was accepted, net/mail says %v", s, err)
		} else if strings.ReplaceAll(s, `"`, "") != strings.ReplaceAll(parsed.Address, `"`, "") {
			t.Errorf("%q is read as %q", s, parsed.Address)
		}
		if ascii := config.AddressASCIIDomain(s); !config.ValidateAddress(ascii).Empty() {
			t.Errorf("%q is valid, its own form %q is not: %s", s, ascii, config.ValidateAddress(ascii).Key)
		}
	})
}
