package cli

import (
	"context"

	"github.com/spf13/cobra"

	"postier/config"
	"postier/delivery"
	"postier/internal/safetext"
)

func (a *app) limitsCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "limits", Short: a.T("sendcli.short.limits"), Args: a.noArgs, RunE: a.needSubcommand}
	cmd.AddCommand(
		&cobra.Command{
			Use: "show [PROFILE]", Short: a.T("sendcli.short.limits-show"), Args: a.args(0, 1),
			RunE: func(cmd *cobra.Command, args []string) error {
				return a.showLimits(cmd.Context(), args)
			},
		},
		&cobra.Command{
			Use: "reset PROFILE", Short: a.T("sendcli.short.limits-reset"), Args: a.args(1, 1),
			RunE: func(cmd *cobra.Command, args []string) error {
				doc, err := a.document()
				if err != nil {
					return err
				}
				if _, err := doc.Profile(args[0]); err != nil {
					return err
				}
				return a.withState(cmd.Context(),
					func(ctx context.Context, s *delivery.Store) error { return s.ResetLimits(ctx, args[0]) })
			},
		},
	)
	return cmd
}

// limitsLine is one profile of `limits show --json`.
type limitsLine struct {
	Profile  string                   `json:"profile"`
	Own      config.Limits            `json:"own"`
	Provider []delivery.ProviderLimit `json:"provider,omitempty"`
	Applied  config.Limits            `json:"applied"`
	Room     delivery.Room            `json:"room"`
}

func (a *app) showLimits(ctx context.Context, args []string) error {
	doc, err := a.document()
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
	return a.withState(ctx, func(ctx context.Context, s *delivery.Store) error {
		lines := []limitsLine{}
		for _, name := range names {
			p := doc.File.Profiles[name]
			l := limitsLine{Profile: name, Own: p.Limits, Provider: a.providerLimits(p)}
			l.Applied = delivery.EffectiveLimits(l.Own, l.Provider)
			var err error
			if l.Room, err = s.Room(ctx, name, l.Applied); err != nil {
				return err
			}
			lines = append(lines, l)
		}
		if a.json {
			return a.printJSON(lines)
		}
		for _, l := range lines {
			a.sayLimits(l)
		}
		return nil
	})
}

func (a *app) sayLimits(l limitsLine) {
	a.println(safetext.Escape(l.Profile))
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
		text := "  " + a.T("delivery.limit."+row.what, "n", row.applied)
		if row.own == 0 {
			text += " " + a.T("sendcli.limits.by-provider")
		}
		if row.window != "" {
			text += "  " + a.T("sendcli.limits.left", "n", l.Room.Left[row.window])
		}
		a.println(text)
	}
	if b := l.Applied.Batch; b.Messages > 0 {
		rows++
		a.println("  " + a.T("sendcli.limits.batch", "n", b.Messages, "seconds", b.WaitSeconds))
	}
	if rows == 0 {
		a.println("  " + a.T("sendcli.limits.none"))
	}
	if !l.Room.Free() {
		a.println("  " + a.T("sendcli.room.next", "limit", a.T("sendcli.room.by-"+l.Room.By), "next",
			l.Room.Next.Local().Format("2006-01-02 15:04:05")))
	}
	for _, p := range l.Provider {
		a.println("  " + a.T("sendcli.dry.provider", "limit", a.T("delivery.limit."+p.What, "n", p.Value)))
	}
}
