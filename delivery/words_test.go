package delivery

import (
	"bytes"
	"io"
	"mime/quotedprintable"
	"testing"

	"postier/internal/secret"
)

func credentialOf() secret.Value { return secret.New("C4nary#password-7") }

func decodeQP(t *testing.T, body []byte) string {
	t.Helper()
	text, err := io.ReadAll(quotedprintable.NewReader(bytes.NewReader(body)))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
