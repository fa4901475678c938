package send

import (
	"bufio"
	"context"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"postier/config"
	"postier/internal/cli/command"
	"postier/internal/safetext"
)

// WatchSetOptions are the flags of `postier watch set`.
type WatchSetOptions struct {
	*command.Factory
	EveryHours    int
	Notify        []string
	Command       []string
	AllowNetworks []string

	given func(flag string) bool
}

// NewWatchSet is `postier watch set`.
func NewWatchSet(f *command.Factory, run command.Run[*WatchSetOptions]) *cobra.Command {
	o := &WatchSetOptions{Factory: f}
	cmd := command.New(f, "set", "watch.short.set", o, run.Or(runWatchSet))
	cmd.Flags().IntVar(&o.EveryHours, "every-hours", 0, f.T("watch.flag.every-hours"))
	cmd.Flags().StringArrayVar(&o.Notify, "notify", nil, f.T("watch.flag.notify"))
	cmd.Flags().StringArrayVar(&o.Command, "command", nil, f.T("watch.flag.command"))
	cmd.Flags().StringArrayVar(&o.AllowNetworks, "allow-network", nil, f.T("watch.flag.allow-network"))
	o.given = func(flag string) bool { return cmd.Flags().Changed(flag) }
	return cmd
}

// runWatchSet changes what the flags name, and shows the settings.
func runWatchSet(ctx context.Context, o *WatchSetOptions) error {
	doc, err := o.Document()
	if err != nil {
		return err
	}
	w := &doc.File.Watch
	if o.given("every-hours") {
		w.EveryHours = o.EveryHours
	}
	if o.given("notify") {
		if w.Notify, err = o.targets(); err != nil {
			return err
		}
	}
	if o.given("command") {
		w.Command = named(o.Command)
	}
	if o.given("allow-network") {
		w.AllowNetworks = named(o.AllowNetworks)
	}
	if slices.ContainsFunc([]string{"every-hours", "notify", "command", "allow-network"}, o.given) {
		if err := doc.Save(); err != nil {
			return err
		}
	}
	if err := o.show(*w); err != nil || o.JSON {
		return err
	}
	state, err := watchStateOf(ctx, o.Factory, doc)
	if err == nil {
		sayWhetherWatched(o.Factory, state)
	}
	return nil // the settings are written, whatever the state says
}

// targets are the members of notify: those of the flags, and for "-" the lines of standard input. A URL comes only that
// way, since its path often is a secret and arguments can be read by everyone on the machine.
func (o *WatchSetOptions) targets() ([]string, error) {
	var list []string
	for _, target := range o.Notify {
		switch {
		case target == "-":
			for lines := bufio.NewScanner(o.In); lines.Scan(); {
				list = append(list, strings.TrimSpace(lines.Text()))
			}
		case config.WebhookURL(target):
			return nil, command.Usage(o.T("watch.error.url"))
		default:
			list = append(list, target)
		}
	}
	return named(list), nil
}

// named leaves out what is empty: --notify "" clears the list.
func named(list []string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(member string) bool { return member == "" })
}

// watchSettings are what `watch set --json` prints.
type watchSettings struct {
	EveryHours    int      `json:"every_hours"`
	Notify        []string `json:"notify"`
	Command       []string `json:"command"`
	AllowNetworks []string `json:"allow_networks"`
}

// show prints the settings, of a URL only its host.
func (o *WatchSetOptions) show(w config.Watch) error {
	shown := watchSettings{
		EveryHours: w.EveryHours, Notify: []string{}, Command: append([]string{}, w.Command...),
		AllowNetworks: append([]string{}, w.AllowNetworks...),
	}
	for _, target := range w.Notify {
		shown.Notify = append(shown.Notify, config.MaskNotify(target))
	}
	return o.Result(shown, func() {
		line := func(key string, args ...any) { o.Println(o.T(key, args...)) }
		if w.EveryHours == 0 {
			line("watch.set.off")
		} else {
			line("watch.set.every", "n", w.EveryHours)
		}
		told := shown.Notify
		if len(w.Command) > 0 {
			told = append(told, strings.Join(w.Command, " "))
		}
		if len(told) == 0 {
			line("watch.set.owner")
			return
		}
		line("watch.set.notify", "list", safetext.FromRemote(strings.Join(told, ", ")))
	})
}

// sayWhetherWatched says what is missing when nothing runs that watches.
func sayWhetherWatched(f *command.Factory, state watchState) {
	if state.EveryHours > 0 && !state.Service {
		f.Note(f.T("watch.set.unkept", "command", f.Program()+" service install"))
	}
}
