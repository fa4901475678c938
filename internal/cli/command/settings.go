package command

import (
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"postier/config"
	"postier/internal/locale"
	"postier/presets"
	"postier/wizard"
)

// SettingFields are the fields that can be given by flag, in the order of the steps.
func SettingFields() []wizard.FieldID {
	return []wizard.FieldID{
		wizard.FieldProvider,
		wizard.FieldSMTPHost, wizard.FieldSMTPPort, wizard.FieldSMTPSecurity, wizard.FieldAuth, wizard.FieldUser,
		wizard.FieldHelo,
		wizard.FieldIMAPHost, wizard.FieldIMAPPort, wizard.FieldIMAPSecurity, wizard.FieldIMAPUser,
		wizard.FieldKeep, wizard.FieldFrom, wizard.FieldSentCopy, wizard.FieldSentFolder,
		wizard.FieldLabel, wizard.FieldFromName, wizard.FieldReplyTo, wizard.FieldBCC, wizard.FieldSenders,
		wizard.FieldKindsOn,
		wizard.FieldKindsOff, wizard.FieldDefault, wizard.FieldPerHour, wizard.FieldPerDay, wizard.FieldPerWeek,
		wizard.FieldRecipients, wizard.FieldBatch, wizard.FieldWait, wizard.FieldTestMode, wizard.FieldTestAddress,
	}
}

// AskFields are the values that only the person knows, such as the number in a server's name, of all built-in
// providers. Those that are secret come by no flag.
func AskFields() []wizard.FieldID {
	names := map[wizard.FieldID]bool{}
	for _, e := range presets.Default().All() {
		if e.Source != presets.SourceFlagship {
			continue
		}
		p, _ := presets.Default().Get(e.ID)
		for _, ask := range p.Ask {
			if !ask.Secret {
				names[wizard.FieldAsk+wizard.FieldID(ask.Name)] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// CheckFields are the fields that a check uses: the servers, the sign-in and the Sent copy.
func CheckFields() []wizard.FieldID {
	return []wizard.FieldID{
		wizard.FieldSMTPHost, wizard.FieldSMTPPort, wizard.FieldSMTPSecurity, wizard.FieldAuth, wizard.FieldUser,
		wizard.FieldHelo, wizard.FieldFrom,
		wizard.FieldIMAPHost, wizard.FieldIMAPPort, wizard.FieldIMAPSecurity, wizard.FieldIMAPUser, wizard.FieldSentCopy,
		wizard.FieldSentFolder,
	}
}

// FlagOf is the flag of a field.
func FlagOf(id wizard.FieldID) string { return "--" + string(id) }

// SettingFlags gives a command the flags of some fields of the wizard; a flag is named like its field. When the command
// runs, values holds those that were set.
func (p *Printer) SettingFlags(cmd *cobra.Command, fields []wizard.FieldID, values *map[wizard.FieldID]string) {
	for _, id := range fields {
		cmd.Flags().String(string(id), "", p.fieldUsage(id))
	}
	cmd.PreRun = func(cmd *cobra.Command, _ []string) {
		*values = map[wizard.FieldID]string{}
		for _, id := range fields {
			if flag := cmd.Flags().Lookup(string(id)); flag.Changed {
				(*values)[id] = flag.Value.String()
			}
		}
	}
}

// fieldUsage is a field's label with the name of its server, which a heading gives on the screen.
func (p *Printer) fieldUsage(id wizard.FieldID) string {
	if strings.HasPrefix(string(id), string(wizard.FieldAsk)) {
		return p.T("cli.flag.ask")
	}
	label := p.T("wizard.field." + string(id))
	switch area, _, _ := strings.Cut(string(id), "-"); area {
	case "smtp":
		return p.T("cli.flag.of-smtp", "field", label)
	case "imap":
		return p.T("cli.flag.of-imap", "field", label)
	}
	return label
}

// CheckAddress refuses a malformed address before anything starts (exit 65).
func (p *Printer) CheckAddress(address string) error {
	if text := config.ValidateAddress(address); !text.Empty() {
		return p.Data(text)
	}
	return nil
}

// CheckSettings refuses malformed values before anything starts (exit 65).
func (p *Printer) CheckSettings(values map[wizard.FieldID]string) error {
	for _, id := range slices.Sorted(maps.Keys(values)) {
		if text := validateSetting(id, values[id]); !text.Empty() {
			return p.DataOf(FlagOf(id), text)
		}
	}
	return nil
}

// validateSetting checks a field, also one of the wizard's that is no setting of a profile.
func validateSetting(id wizard.FieldID, value string) locale.Text {
	switch id {
	case wizard.FieldKeep:
		return OneOf(value, wizard.KeepFile, wizard.KeepAsk)
	case wizard.FieldDefault, wizard.FieldFallback, wizard.FieldTestMode:
		return OneOf(value, wizard.Yes, wizard.No)
	}
	return config.ValidateSetting(string(id), value)
}
