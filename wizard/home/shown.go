package home

import (
	"postier/internal/safetext"
	"postier/wizard"
)

// Shown describes the list of profiles as a screen, for a helper who looks on. at is the profile under the cursor.
func Shown(items []Item, at int, notices ...wizard.Words) wizard.Screen {
	v := wizard.Screen{Title: wizard.Msg("tui.home-title")}
	for _, words := range notices {
		if !words.Empty() {
			v.Notices = append(v.Notices, wizard.Notice{Level: wizard.LevelInfo, Text: words})
		}
	}
	current := Item{}
	for i, item := range items {
		v.Facts = append(v.Facts, item.facts(i == at)...)
		if i == at {
			current = item
		}
	}
	for _, k := range Offered(current) {
		if len(items) > 0 || k.Action.Alone() {
			v.Actions = append(v.Actions, wizard.Action{
				ID: wizard.ActionID(k.Action.For(current)), Label: k.Action.Label(current), Key: rune(k.Letter[0]),
			})
		}
	}
	return v
}

// facts describe one profile: its name with its address, and each remark on a line of its own.
func (i Item) facts(chosen bool) []wizard.Fact {
	name := wizard.Words{Remote: safetext.FromRemote(i.Name)}
	if chosen {
		name.Msg = wizard.Msg("home.chosen").Msg
	}
	out := []wizard.Fact{{Label: name, Value: wizard.Remote(i.Address), Detail: first(i.Marks())}}
	for _, list := range [][]wizard.Words{i.Standing(), i.Traffic, {i.Next}} {
		for _, words := range list {
			if !words.Empty() {
				out = append(out, wizard.Fact{Value: words})
			}
		}
	}
	return out
}

func first(list []wizard.Words) wizard.Words {
	if len(list) == 0 {
		return wizard.Words{}
	}
	return list[0]
}
