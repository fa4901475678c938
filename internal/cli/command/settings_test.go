package command

import (
	"testing"

	"postier/wizard"
)

// A field with a flag that config does not know by its name would take any value.
func TestEverySettingIsJudged(t *testing.T) {
	t.Parallel()
	for _, id := range SettingFields() {
		if text := validateSetting(id, "\x1b[2J"); text.Empty() && id != wizard.FieldProvider {
			t.Errorf("--%s takes anything", id)
		}
	}
}
