package rehearsal

import (
	"bytes"
	_ "embed"
	"fmt"

	"postier/presets"
)

// presetFile holds what does not depend on the fault. It is stored here and not among the presets' data, because this
// provider exists only while a demonstration runs.
//
//go:embed preset.json
var presetFile []byte

// Preset is the provider as a preset, for a presets.Book that should know it. Like a real provider it is found by the
// MX of the customer's domain; only when the name server is down does it claim that domain itself, as if a person had
// picked the provider from the list. It does not mention the fault in which the provider files sent mail automatically:
// the exercise is to find that out.
func (p *Provider) Preset() (*presets.Provider, error) {
	preset, err := presets.Parse(bytes.NewReader(presetFile))
	if err != nil {
		return nil, fmt.Errorf("the demonstration's preset: %w", err)
	}
	preset.SMTP = []presets.Server{{Host: p.Submission.Host, Port: p.Submission.Port, Security: p.Submission.Security}}
	preset.IMAP = []presets.Server{{Host: p.IMAP.Host, Port: p.IMAP.Port, Security: p.IMAP.Security}}
	if name := p.SentFolder(); name != "" {
		preset.SentFolders = append(preset.SentFolders, name)
	}
	if p.behaviour.dnsDown {
		preset.Domains = append(preset.Domains, Domain)
	}
	if p.oauth != nil {
		p.oauth.describe(preset)
	}
	return preset, nil
}
