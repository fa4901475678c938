package profile

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"postier/config"
	"postier/internal/cli/command"
	"postier/internal/safetext"
	"postier/wizard"
)

// SetOptions changes options of a saved profile and writes them. No server is asked: none knows them. What was refused
// is by field; nothing is written then.
func SetOptions(f *command.Factory, name string, values map[wizard.FieldID]string) (
	refused map[wizard.FieldID]wizard.Words, err error,
) {
	err = update(f, name, func(p *config.Profile) bool {
		refused = wizard.SetOptions(p, values)
		return len(refused) == 0
	})
	return refused, err
}

// update changes a profile and saves the configuration if work says so. Another process, such as one that sends, may
// save it in between: then the change is made to what that one wrote.
func update(f *command.Factory, name string, work func(*config.Profile) (save bool)) error {
	const attempts = 3
	var err error
	for range attempts {
		var doc *config.Document
		var p *config.Profile
		if doc, p, err = f.OwnProfile(name); err != nil || !work(p) {
			return err
		}
		if err = doc.Save(); !errors.As(err, new(*config.ChangedError)) {
			return err
		}
	}
	return err
}

// set is SetOptions for a command.
func set(f *command.Factory, name string, values map[wizard.FieldID]string) error {
	if len(values) == 0 {
		return command.Usage(f.T("cli.error.set-nothing"))
	}
	if err := f.CheckSettings(values); err != nil {
		return err
	}
	refused, err := SetOptions(f, name, values)
	for _, id := range slices.Sorted(maps.Keys(refused)) {
		return f.DataOf(command.FlagOf(id), refused[id].Msg)
	}
	return err
}

// SetCommand is a command that sets some options of a profile by flag.
func SetCommand(f *command.Factory, use, short string, fields []wizard.FieldID) *cobra.Command {
	var values map[wizard.FieldID]string
	cmd := f.Leaf(use, short, 1, 1, func(_ context.Context, args []string) error { return set(f, args[0], values) })
	f.SettingFlags(cmd, fields, &values)
	return cmd
}

// newTestMode is `postier profile test-mode`, the switch (P-5).
func newTestMode(f *command.Factory) *cobra.Command {
	return f.Leaf("test-mode PROFILE on|off [ADDRESS]", "cli.short.profile-test-mode", 2, 3,
		func(_ context.Context, args []string) error {
			_, p, err := f.Profile(args[0])
			if err != nil {
				return err
			}
			on, err := onOrOff(f, args[1])
			if err != nil {
				return err
			}
			values := map[wizard.FieldID]string{wizard.FieldTestMode: on}
			switch {
			case len(args) > 2:
				if err := f.CheckAddress(args[2]); err != nil {
					return err
				}
				values[wizard.FieldTestAddress] = args[2]
			case p.TestMode.Address == "":
				values[wizard.FieldTestAddress] = p.From.Address
			}
			return set(f, args[0], values)
		})
}

// newKind is `postier profile kind`, which switches one kind of message and leaves the others (D-4).
func newKind(f *command.Factory) *cobra.Command {
	return f.Leaf("kind PROFILE KIND on|off", "cli.short.profile-kind", 3, 3,
		func(_ context.Context, args []string) error {
			on, err := onOrOff(f, args[2])
			if err != nil {
				return err
			}
			if text := config.ValidateName(args[1]); !text.Empty() {
				return f.Data(text)
			}
			return update(f, args[0], func(p *config.Profile) bool {
				if p.Kinds == nil {
					p.Kinds = map[string]bool{}
				}
				p.Kinds[args[1]] = on == wizard.Yes
				return true
			})
		})
}

// onOrOff reads the word of a switch as the value of its field.
func onOrOff(f *command.Factory, word string) (string, error) {
	switch word {
	case "on":
		return wizard.Yes, nil
	case "off":
		return wizard.No, nil
	}
	return "", command.Usage(f.T("cli.error.on-off", "value", safetext.FromRemote(word)))
}
