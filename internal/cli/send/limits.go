package send

import (
	"context"

	"github.com/spf13/cobra"

	"postier/config"
	"postier/delivery"
	"postier/internal/cli/command"
	"postier/internal/cli/profile"
	"postier/internal/safetext"
	"postier/wizard"
)

// NewLimits is `postier limits`.
func NewLimits(f *command.Factory) *cobra.Command {
	return f.Group("limits", "sendcli.short.limits",
		f.Leaf("show [PROFILE]", "sendcli.short.limits-show", 0, 1, func(ctx context.Context, args []string) error {
			return showLimits(ctx, f, args)
		}),
		profile.SetCommand(f, "set PROFILE", "sendcli.short.limits-set", []wizard.FieldID{
			wizard.FieldPerHour, wizard.FieldPerDay, wizard.FieldPerWeek, wizard.FieldRecipients, wizard.FieldBatch,
			wizard.FieldWait,
		}),
		f.Leaf("reset PROFILE", "sendcli.short.limits-reset", 1, 1, func(ctx context.Context, args []string) error {
			if _, _, err := f.OwnProfile(args[0]); err != nil {
				return err
			}
			released, err := ResetLimits(ctx, f, args[0])
			if err == nil && released > 0 && !f.JSON {
				f.Println(f.T("sendcli.limits.released", "n", released))
			}
			return err
		}))
}

// ResetLimits sets the counters of a profile to zero, and returns how many messages that waited for them are due now.
func ResetLimits(ctx context.Context, f *command.Factory, profile string) (released int, err error) {
	err = withState(ctx, f, func(ctx context.Context, s *delivery.Store) (err error) {
		released, err = s.ResetLimits(ctx, profile)
		return err
	})
	return released, err
}

// limitsLine is one profile of `limits show --json`.
type limitsLine struct {
	Profile  string                   `json:"profile"`
	Own      config.Limits            `json:"own"`
	Provider []delivery.ProviderLimit `json:"provider,omitempty"`
	Applied  config.Limits            `json:"applied"`
	Room     delivery.Room            `json:"room"`
}

func showLimits(ctx context.Context, f *command.Factory, args []string) error {
	doc, err := f.Document()
	if err != nil {
		return err
	}
	names := doc.File.Names()
	if len(args) > 0 {
		if _, err := doc.Profile(args[0]); err != nil {
			return err
		}
		names = args
	}
	return withState(ctx, f, func(ctx context.Context, s *delivery.Store) error {
		lines := []limitsLine{}
		for _, name := range names {
			p := doc.File.Profiles[name]
			l := limitsLine{Profile: name, Own: p.Limits, Provider: providerLimits(f)(p)}
			l.Applied = delivery.EffectiveLimits(l.Own, l.Provider)
			var err error
			if l.Room, err = s.Room(ctx, name, l.Applied); err != nil {
				return err
			}
			lines = append(lines, l)
		}
		return command.List(&f.Printer, lines, func(l limitsLine) { sayLimits(f, l) })
	})
}

func sayLimits(f *command.Factory, l limitsLine) {
	f.Println(safetext.Escape(l.Profile))
	rows := 0
	for _, row := range []struct {
		what, window string
		own, applied int
	}{
		{"messages_per_hour", "hour", l.Own.PerHour, l.Applied.PerHour},
		{"messages_per_day", "day", l.Own.PerDay, l.Applied.PerDay},
		{"messages_per_week", "week", l.Own.PerWeek, l.Applied.PerWeek},
		{"recipients_per_message", "", l.Own.RecipientsPerMessage, l.Applied.RecipientsPerMessage},
	} {
		if row.applied == 0 {
			continue
		}
		rows++
		text := "  " + f.T("delivery.limit."+row.what, "n", row.applied)
		if row.own == 0 {
			text += " " + f.T("sendcli.limits.by-provider")
		}
		if row.window != "" {
			text += "  " + f.T("sendcli.limits.left", "n", l.Room.Left[row.window])
		}
		f.Println(text)
	}
	if b := l.Applied.Batch; b.Messages > 0 {
		rows++
		f.Println("  " + f.T("sendcli.limits.batch", "n", b.Messages, "seconds", b.WaitSeconds))
	}
	if rows == 0 {
		f.Println("  " + f.T("sendcli.limits.none"))
	}
	sayNext(f, "  ", l.Room)
	sayProvider(f, "  ", l.Provider)
}
