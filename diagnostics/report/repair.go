package report

import (
	"strings"

	"postier/config"
	"postier/diagnostics"
	"postier/diagnostics/repair"
	"postier/internal/check"
	"postier/internal/locale"
	"postier/internal/safetext"
	"postier/internal/typeset"
)

// RepairLines say which other way works, and how far each one that was tried got.
func RepairLines(info Info) []string {
	if info.Repair == nil {
		return nil
	}
	c := locale.For(info.Lang)
	var lines []string
	for _, way := range info.Repair.Ways {
		now := serverOf(info, way.Area)
		lines = append(lines, paint(info, check.Pass, c.T("diagnose.repair.works."+string(way.Area), "way",
			WayWords(info.Lang, now, way.Server(now)))))
	}
	switch {
	case info.Repair.Saved:
		lines = append(lines, c.T("diagnose.repair.saved"))
	case len(info.Repair.Ways) == 0 && info.Repair.Needed:
		lines = append(lines, c.T("diagnose.repair.none"))
	}
	for _, t := range info.Repair.Tried {
		const column = 40
		name := WayWords(info.Lang, serverOf(info, t.Area), t.Server)
		lines = append(lines, fill(info, "  "+typeset.Pad(name, column), typeset.Pad("", column+len("  ")),
			TriedWords(info.Lang, t))...)
	}
	return append(lines, "")
}

// serverOf is the server that was checked.
func serverOf(info Info, area repair.Area) config.Server {
	if area == repair.Mailbox && info.Target.IMAP != nil {
		return *info.Target.IMAP
	}
	return info.Target.Submission
}

// TriedWords say how far a way got that was tried.
func TriedWords(lang locale.Lang, t repair.Tried) string {
	switch {
	case t.Works:
		return locale.For(lang).T("diagnose.repair.good")
	case t.Cause != "":
		return Describe(lang, diagnostics.Result{ID: t.Check, Status: check.Fail, Cause: t.Cause}).Title
	}
	return locale.For(lang).T("diagnose.repair.untried")
}

// WayWords name the server of a way, and what else is another than in the settings that were checked.
func WayWords(lang locale.Lang, now, way config.Server) string {
	c := locale.For(lang)
	server := c.T("diagnose.repair.way", "host", safetext.FromRemote(way.Host), "port", way.Port, "security",
		c.T("diagnose.security."+string(way.Settled())))
	return strings.Join(append([]string{server}, others(c, now, way)...), ", ")
}

// ChangeWords name what is another in a way than in the settings that were checked.
func ChangeWords(lang locale.Lang, now, way config.Server) string {
	c := locale.For(lang)
	words := others(c, now, way)
	switch {
	case way.Host != now.Host:
		return WayWords(lang, now, way)
	case way.Port != now.Port || way.Security != now.Security:
		words = append([]string{c.T("diagnose.repair.way.port", "port", way.Port, "security",
			c.T("diagnose.security."+string(way.Settled())))}, words...)
	}
	return strings.Join(words, ", ")
}

// others name what is another in a way besides the host and its port.
func others(c *locale.Catalogue, now, way config.Server) []string {
	var words []string
	if way.Username != now.Username {
		words = append(words, c.T("diagnose.repair.way.username", "username", safetext.FromRemote(way.Username)))
	}
	if way.Auth != now.Auth {
		words = append(words, c.T("diagnose.repair.way.auth", "auth", strings.ToUpper(string(way.Auth))))
	}
	if way.Helo != now.Helo {
		words = append(words, c.T("diagnose.repair.way.helo", "helo", safetext.FromRemote(way.Helo)))
	}
	return words
}
