package send

import (
	"strings"

	"postier/delivery"
	"postier/internal/cli/command"
	"postier/internal/safetext"
)

// sayDecision is the dry run.
func sayDecision(f *command.Factory, d delivery.Decision, warnings []string) error {
	if f.JSON {
		if err := f.PrintJSON(d); err != nil {
			return err
		}
		return command.Quiet(command.BlockCode(d.Block))
	}
	if d.Profile != "" {
		f.Println(f.T("sendcli.dry.profile", "profile", d.Profile, "reason", f.T("sendcli.reason."+string(d.Reason))))
	}
	if d.Instead != "" {
		f.Println(insteadWords(f, d.Instead, d.Profile, d.InsteadFor))
	}
	for _, address := range d.Recipients {
		f.Println(f.T("sendcli.dry.recipient", "address", safetext.FromRemote(address)))
	}
	for _, address := range d.BCC {
		f.Println(f.T("sendcli.dry.bcc", "address", safetext.FromRemote(address)))
	}
	for _, s := range d.Suppressed {
		f.Println(suppressedWords(f, s))
	}
	if d.TestMode {
		f.Println(f.T("sendcli.dry.test", "originals", strings.Join(d.Originals, ", ")))
	}
	sayRoom(f, d.Room)
	sayProvider(f, "", d.Provider)
	for _, w := range warnings {
		f.Complain(w)
	}
	if !d.Send {
		f.Complain(blockWords(f, d))
	}
	return command.Quiet(command.BlockCode(d.Block))
}

func sayRoom(f *command.Factory, room delivery.Room) {
	for _, window := range []string{"hour", "day", "week"} {
		if left, limited := room.Left[window]; limited {
			f.Println(f.T("sendcli.room."+window, "n", left))
		}
	}
	sayNext(f, "", room)
}

// sayNext says when the next message may go, where it may not go now.
func sayNext(f *command.Factory, indent string, room delivery.Room) {
	if !room.Free() {
		f.Println(indent + f.T("sendcli.room.next", "limit", f.T("sendcli.room.by-"+room.By), "next",
			room.Next.Local().Format(clock)))
	}
}

// sayProvider says what the provider is known to allow.
func sayProvider(f *command.Factory, indent string, limits []delivery.ProviderLimit) {
	for _, l := range limits {
		f.Println(indent + f.T("sendcli.dry.provider", "limit", f.T("delivery.limit."+l.What, "n", l.Value)))
	}
}
