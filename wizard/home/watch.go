package home

import (
	"slices"
	"strconv"
	"strings"

	"postier/config"
	"postier/wizard"
)

// The fields of the watch.
const (
	fieldWatch        wizard.FieldID = "watch-on"
	fieldWatchHours   wizard.FieldID = "watch-hours"
	fieldWatchNotify  wizard.FieldID = "watch-notify"
	fieldWatchURL     wizard.FieldID = "watch-url"
	fieldWatchCommand wizard.FieldID = "watch-command"
)

// actNow does at once what the page is about.
const actNow wizard.ActionID = "now"

// usualHours is how often the watch looks when a person switches it on.
const usualHours = 24

// Watching is what the page of the watch shows and changes.
type Watching struct {
	// Facts are what is known of the profile, Notice is what keeps the watch from working; it may be empty.
	Facts  []wizard.Fact
	Notice wizard.Words
	// Settings are those of the configuration, for all profiles.
	Settings config.Watch
	// Programs is true where the person may name a program, which runs on this machine.
	Programs bool
	// Save writes the settings. The words are what to say about an error.
	Save func(config.Watch) wizard.Words
}

// NewWatch is the page of the watch (D-8): how the profile stands, how often what was proven is checked again, and who
// is told when it changes. What is typed is also saved when the profile is checked at once.
func NewWatch(name string, w Watching) *Page {
	page := newPage("watch", name, func(page *Page, a wizard.Answer) bool {
		settings, errors := w.answered(a)
		if page.refuse(errors) {
			return false
		}
		why := w.Save(settings)
		return why.Empty() || !page.refuse(map[wizard.FieldID]wizard.Words{"": why})
	})
	v := &page.screen
	v.Facts = w.Facts
	if !w.Notice.Empty() {
		level := wizard.LevelInfo
		if w.Settings.EveryHours > 0 {
			level = wizard.LevelWarn
		}
		v.Notices = []wizard.Notice{{Level: level, Text: w.Notice}}
	}
	on, hours := wizard.No, ""
	if w.Settings.EveryHours > 0 {
		on, hours = wizard.Yes, strconv.Itoa(w.Settings.EveryHours)
	}
	v.Fields = []wizard.Field{
		watchField(fieldWatch, wizard.KindConfirm, on),
		watchField(fieldWatchHours, wizard.KindText, hours),
		watchField(fieldWatchNotify, wizard.KindText, strings.Join(masked(w.Settings.Notify), ", ")),
		watchField(fieldWatchURL, wizard.KindSecret, ""),
	}
	v.Fields[1].Placeholder, v.Fields[1].Replaced = wizard.Msg("home.watch-hours.usual", "n", usualHours), true
	v.Fields[2].Placeholder = wizard.Msg("home.watch-notify.owner")
	if w.Programs && w.spaced() {
		v.Fields = append(v.Fields, watchField(fieldWatchCommand, wizard.KindText, strings.Join(w.Settings.Command, " ")))
	}
	v.Actions = append(v.Actions, wizard.Action{ID: actNow, Label: wizard.Msg("home.watch.now"), Key: 'c'})
	return page
}

func watchField(id wizard.FieldID, kind wizard.FieldKind, value string) wizard.Field {
	return wizard.Field{
		ID: id, Kind: kind, Value: value, Optional: kind != wizard.KindConfirm,
		Label: wizard.Msg("home." + string(id)), Help: wizard.Msg("home." + string(id) + ".help"),
	}
}

// spaced reports whether the words of the program can be written with spaces between them.
func (w Watching) spaced() bool {
	return !slices.ContainsFunc(w.Settings.Command, func(word string) bool {
		return len(strings.Fields(word)) != 1 || strings.Fields(word)[0] != word
	})
}

// answered are the settings that an answer stands for, or what is wrong with it by field.
func (w Watching) answered(a wizard.Answer) (config.Watch, map[wizard.FieldID]wizard.Words) {
	out, errors := w.Settings, map[wizard.FieldID]wizard.Words{}
	out.EveryHours = 0
	if a.Values[fieldWatch] == wizard.Yes {
		var why wizard.Words
		if out.EveryHours, why = hoursOf(a.Values[fieldWatchHours]); !why.Empty() {
			errors[fieldWatchHours] = why
		}
	}
	out.Notify = nil
	for _, typed := range config.ParseList(a.Values[fieldWatchNotify]) {
		target, why := w.target(typed)
		if !why.Empty() {
			errors[fieldWatchNotify] = why
		}
		out.Notify = append(out.Notify, target)
	}
	if url := strings.TrimSpace(a.Secret.Reveal()); url != "" {
		if text := config.ValidateNotify(url); !config.WebhookURL(url) || !text.Empty() {
			errors[fieldWatchURL] = wizard.Msg("config.watch.url")
		}
		out.Notify = append(out.Notify, url)
	}
	if typed, asked := a.Values[fieldWatchCommand]; asked && w.Programs {
		out.Command = strings.Fields(typed)
		if text := config.ValidateCommand(out.Command); len(out.Command) > 0 && !text.Empty() {
			errors[fieldWatchCommand] = wizard.Words{Msg: text}
		}
	}
	return out, errors
}

// hoursOf reads how often the watch looks.
func hoursOf(typed string) (int, wizard.Words) {
	typed = strings.TrimSpace(typed)
	if typed == "" {
		return usualHours, wizard.Words{}
	}
	hours, err := strconv.Atoi(typed)
	if err != nil || hours < 1 || hours > config.MaxWatchHours {
		return 0, wizard.Msg("home.watch-hours.wrong", "max", config.MaxWatchHours)
	}
	return hours, wizard.Words{}
}

// target is the address or URL that a word of the list stands for. A URL is only shown without its path, which often is
// a secret: shown so it means the one that is there, and a new one is typed where it is not shown.
func (w Watching) target(typed string) (string, wizard.Words) {
	if !config.WebhookURL(typed) {
		return typed, wizard.Words{Msg: config.ValidateNotify(typed)}
	}
	if i := slices.Index(masked(w.Settings.Notify), typed); i >= 0 {
		return w.Settings.Notify[i], wizard.Words{}
	}
	return "", wizard.Msg("home.watch-notify.url")
}

// masked are addresses and URLs as they may be shown. Two URLs of one host that would look alike get a number.
func masked(targets []string) []string {
	var list []string
	for _, target := range targets {
		shown := config.MaskNotify(target)
		for n := 2; slices.Contains(list, shown); n++ {
			shown = config.MaskNotify(target) + "#" + strconv.Itoa(n)
		}
		list = append(list, shown)
	}
	return list
}
