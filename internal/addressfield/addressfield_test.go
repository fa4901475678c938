package addressfield

import (
	"net/mail"
	"strings"
	"testing"

	"postier/internal/safetext"
)

func TestWire(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ value, want string }{
		{`anna@bücher.example`, `anna@xn--bcher-kva.example`},
		{`<anna@bücher.example>`, `<anna@xn--bcher-kva.example>`},
		{`anna@BÜCHER.example`, `anna@xn--bcher-kva.example`},
		{"anna@bu\u0308cher.example", `anna@xn--bcher-kva.example`},
		{`Anna <anna@bücher.example>`, `Anna <anna@xn--bcher-kva.example>`},
		{`"Durand, Anna" <anna@bücher.example>`, `"Durand, Anna" <anna@xn--bcher-kva.example>`},
		{`Jörg Müller <joerg@durand.example>`, `=?utf-8?q?J=C3=B6rg_M=C3=BCller?= <joerg@durand.example>`},
		{`"Müller, Jörg" <joerg@durand.example>`, `=?utf-8?b?TcO8bGxlciwgSsO2cmc=?= <joerg@durand.example>`},
		{`a@bücher.example, b@durand.example`, `a@xn--bcher-kva.example, b@durand.example`},
		{`anna@bücher.example (Büro)`, `anna@xn--bcher-kva.example (=?utf-8?q?B=C3=BCro?=)`},
		{`(Büro) anna@durand.example`, `(=?utf-8?q?B=C3=BCro?=) anna@durand.example`},
		{`Büro: a@durand.example, b@bücher.example;`, `=?utf-8?q?B=C3=BCro?=: a@durand.example, b@xn--bcher-kva.example;`},
		{`undisclosed-recipients:;`, `undisclosed-recipients:;`},
		{`"b c"@bücher.example`, `"b c"@xn--bcher-kva.example`},
		{`Jörg <bob@[192.0.2.1]>`, `=?utf-8?q?J=C3=B6rg?= <bob@[192.0.2.1]>`},
		{
			`Jörg <@r.test,@bücher.example:b@d.test>`,
			`=?utf-8?q?J=C3=B6rg?= <@r.test,@xn--bcher-kva.example:b@d.test>`,
		},
		{`Jörg <root>`, `=?utf-8?q?J=C3=B6rg?= <root>`},
		{`Jörg <>`, `=?utf-8?q?J=C3=B6rg?= <>`},
		{`jörg@bücher.example`, `jörg@xn--bcher-kva.example`}, // the local part needs SMTPUTF8
		{"Anna\r\n <anna@bücher.example>", `Anna <anna@xn--bcher-kva.example>`},
		{`plain@durand.example  (as it is)`, `plain@durand.example  (as it is)`},
		{`a@例え.テスト`, `a@xn--r8jz45g.xn--zckzah`},
	} {
		got, err := Wire(row.value)
		if err != nil || got != row.want {
			t.Errorf("Wire(%q) = %q, %v, want %q", row.value, got, err, row.want)
		}
	}
}

func TestWireRefuses(t *testing.T) {
	t.Parallel()
	for _, value := range []string{
		`Müller, Jörg <joerg@durand.example>`, `Jörg <joerg@durand.example`, `"Jörg <joerg@durand.example>`,
		`Jörg (Büro <joerg@durand.example>`, "Jörg\x00 <joerg@durand.example>", `anna@ü ber.example`,
		`ann(a)b@bücher.example`, `a@b@bücher.example`, `anna@-ü-.example`,
		`ä@`, `Jörg`, `Jörg <a@durand.example> b@durand.example`, "J\xf6rg <joerg@durand.example>",
	} {
		if got, err := Wire(value); err == nil {
			t.Errorf("Wire(%q) = %q, want an error", value, got)
		}
	}
}

// TestWireFolds: lines stay short, and what a reader gets back is what was written.
func TestWireFolds(t *testing.T) {
	t.Parallel()
	var list []string
	for range 40 {
		list = append(list, `"Ärztekammer für die ganz lange Straße im Süden, Außenstelle" <buero@bücher.example>`)
	}
	got, err := Wire(strings.Join(list, ", "))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.SplitSeq(got, "\r\n") {
		if len(line) > lineWidth+1 || !safetext.IsASCII(line) {
			t.Errorf("line of %d octets: %q", len(line), line)
		}
	}
	read, err := mail.ParseAddressList(strings.ReplaceAll(got, "\r\n", ""))
	if err != nil || len(read) != len(list) {
		t.Fatalf("%d addresses, %v", len(read), err)
	}
	for _, a := range read {
		if a.Name != "Ärztekammer für die ganz lange Straße im Süden, Außenstelle" ||
			a.Address != "buero@xn--bcher-kva.example" {
			t.Errorf("read back %+v", a)
		}
	}
}

func TestMailbox(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ name, address, want string }{
		{"", "anna@bücher.example", "<anna@xn--bcher-kva.example>"},
		{"Anna", "anna@bücher.example", `"Anna" <anna@xn--bcher-kva.example>`},
		{"Jörg", "j@durand.example", "=?utf-8?q?J=C3=B6rg?= <j@durand.example>"},
		{"Müller, Jörg", "j@durand.example", "=?utf-8?b?TcO8bGxlciwgSsO2cmc=?= <j@durand.example>"},
		{`A "B" \C`, "j@durand.example", `"A \"B\" \\C" <j@durand.example>`},
		{"Bcc\r\nTo: x", "j@durand.example", `"Bcc To: x" <j@durand.example>`},
		{"", `"a..b"@durand.example`, `<"a..b"@durand.example>`},
	} {
		if got := Mailbox(row.name, row.address); got != row.want {
			t.Errorf("Mailbox(%q, %q) = %q, want %q", row.name, row.address, got, row.want)
		}
	}
}

func FuzzWire(f *testing.F) {
	f.Add(`Jörg (Büro) <joerg@bücher.example>, Team: a@b.example;`)
	f.Fuzz(func(t *testing.T, value string) {
		got, err := Wire(value)
		if err != nil || got == value {
			return
		}
		rest := strings.ReplaceAll(got, "\r\n ", "")
		if strings.ContainsAny(rest, "\r\n\x00") {
			t.Errorf("Wire(%q) = %q begins another field", value, got)
		}
		if _, err := Wire(got); err != nil {
			t.Errorf("Wire(%q) = %q, which is refused: %v", value, got, err)
		}
	})
}
