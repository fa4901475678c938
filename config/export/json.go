package export

import (
	"bytes"
	"encoding/json"

	"postier/config"
	"postier/internal/locale"
)

var jsonFormat = Format{
	Name: "json", Summary: locale.Msg("config.export.json"), carries: carriesEverything, token: true, write: writeJSON,
}

// exported is the shape of the format json.
type exported struct {
	Version int             `json:"version"`
	Name    string          `json:"name"`
	Profile *config.Profile `json:"profile"`
}

// writeJSON writes the profile as in the configuration, with absolute paths and without an inline secret.
func writeJSON(s source) ([]Artifact, error) {
	p := *s.profile
	var notes []locale.Text
	if p.Credential.Value != "" {
		p.Credential.Value = ""
		notes = append(notes, locale.Msg("config.credential.inline"))
	}
	p.Credential.Path = s.absolute(p.Credential.Path)
	p.TLS.CAFile = s.absolute(p.TLS.CAFile)
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(exported{config.Version, s.name, &p}); err != nil {
		return nil, err
	}
	return []Artifact{{Path: s.name + ".json", Content: out.Bytes(), Notes: notes}}, nil
}
