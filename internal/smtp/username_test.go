package smtp

import (
	"encoding/base64"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"postier/internal/rehearsal/certificates"
	"postier/internal/scripted"
	"postier/internal/secret"
)

// TestUserNameOfAnInternationalAddress: the domain is sent in A-labels where the server has no SMTPUTF8, and a refused
// name is tried once in its other form, on the same connection.
func TestUserNameOfAnInternationalAddress(t *testing.T) {
	t.Parallel()
	const typed, ascii = "anna@bücher.example", "anna@xn--bcher-kva.example"
	const no = "535 5.7.8 no"
	plain, utf8 := "250-mail.example\n250 AUTH PLAIN", "250-mail.example\n250-SMTPUTF8\n250 AUTH PLAIN"
	for name, row := range map[string]struct {
		username, ehlo string
		script         scripted.Script
		want           []string
		fails          int // the reply code
	}{
		"A-labels":            {typed, plain, nil, []string{ascii}, 0},
		"as typed":            {typed, utf8, nil, []string{typed}, 0},
		"only as typed":       {typed, plain, scripted.Script{"auth#1": scripted.Reply(no)}, []string{ascii, typed}, 0},
		"only A-labels":       {typed, utf8, scripted.Script{"auth#1": scripted.Reply(no)}, []string{typed, ascii}, 0},
		"neither":             {typed, plain, scripted.Script{"auth": scripted.Reply(no)}, []string{ascii, typed}, 535},
		"typed with A-labels": {ascii, plain, scripted.Script{"auth": scripted.Reply(no)}, []string{ascii}, 535},
		"no domain":           {"anna", plain, scripted.Script{"auth": scripted.Reply(no)}, []string{"anna"}, 535},
		"busy": {
			typed, plain,
			scripted.Script{"auth": scripted.Reply("454 4.7.0 later")},
			[]string{ascii},
			454,
		},
		"another mechanism": {typed, plain, scripted.Script{"auth": scripted.Reply("534 5.7.9 no")}, []string{ascii}, 534},
		"hangs up": {
			typed, plain,
			scripted.Script{"auth#1": {Reply: no, Close: true}},
			[]string{ascii, typed},
			535,
		},
		"hangs up with a word": {
			typed, plain,
			scripted.Script{"auth#1": {Reply: no, Inject: "421 bye\r\n", Close: true}},
			[]string{ascii, typed},
			535,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			script := scripted.Script{"EHLO": scripted.Reply(row.ehlo)}
			maps.Copy(script, row.script)
			network, account, server := dialled(t, certificates.Good, script)
			account.Server.Username, account.Secret = row.username, secret.New("Gr#üße-99")
			c, err := Open(t.Context(), network, account)
			if err == nil {
				c.Close()
			}
			var e *Error
			if code := 0; errors.As(err, &e) && e.Reply.Code != row.fails || !errors.As(err, &e) && row.fails != code {
				t.Errorf("ended with %v", err)
			}
			if e != nil && e.Letters != secret.LettersBeyond {
				t.Errorf("letters %q", e.Letters)
			}
			if got := names(t, server); !slices.Equal(got, row.want) && !slices.Equal(got, row.want[:1]) || len(got) == 0 {
				t.Errorf("signed in as %q, want %q", got, row.want)
			} else if !strings.HasPrefix(name, "hangs up") && len(got) != len(row.want) {
				t.Errorf("signed in as %q, want %q", got, row.want)
			}
		})
	}
}

// names lists the user names that a server was shown by PLAIN.
func names(t *testing.T, server *scripted.Server) []string {
	t.Helper()
	var out []string
	for _, r := range server.Records() {
		words := strings.Fields(string(r.Data))
		if len(words) != 3 || words[0] != "AUTH" {
			continue
		}
		response, err := base64.StdEncoding.DecodeString(words[2])
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, strings.Split(string(response), "\x00")[1])
	}
	return out
}
