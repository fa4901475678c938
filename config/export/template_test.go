package export

import "testing"

// TestTemplate goes over the marks of a place, and over what they leave out.
func TestTemplate(t *testing.T) {
	t.Parallel()
	s := source{format: "test", name: "durand", profile: profile(), options: options()}
	for text, want := range map[string]string{
		"a\n":                             "a\n",
		"port={port}\n":                   "port='465'\n",
		"port={=port}\n":                  "port=465\n",
		"helo={helo}\n":                   "",
		"helo={=helo}\n":                  "",
		"helo={+helo}\n":                  "helo=''\n",
		"{?tls}x\n":                       "x\n",
		"{^tls}x\n":                       "",
		"{?starttls}x {port}\n":           "",
		"{^starttls}{?tls}x {=port}\n":    "x 465\n",
		"{ host } {}\n":                   "{ host } {}\n",
		"{{word}}\n":                      "{'w'}\n",
		"list({=argv})\n{=host}\n":        "smtp.durand.example\n",
		"{?inline}x\nx = {file} {from}\n": "x = '/home/m/.config/postier/secrets/durand' 'contact@durand.example'\n",
	} {
		got, err := s.fill(map[string]string{"word": "w"}, template{"{=profile}.txt", all(singleQuote), text})
		if err != nil || len(got) != 1 || got[0].Path != "durand.txt" || string(got[0].Content) != want {
			t.Errorf("%q: got %v, %v", text, got, err)
		}
	}
	if got, err := s.fill(nil, template{"{^tls}x", nil, "x\n"}); len(got) > 0 || err != nil {
		t.Errorf("a file is left out with its path: %v, %v", got, err)
	}
	refuses := func(value string) (string, bool) { return value, false }
	_, err := s.fill(nil, template{"x", refuses, "a.key = {host}\n"})
	refused(t, err, "config.export.value")
	if err.(*Error).Field != "a.key" {
		t.Errorf("got %v", err)
	}
}
