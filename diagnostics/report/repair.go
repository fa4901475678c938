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
		lines = append(lines, paint(info, check.Pass, c.T("diagnose.repair.works."+string(way.Area), "way",
			wayWords(info, way.Area, way.Server(serverOf(info, way.Area))))))
	}
	switch {
	case info.Repair.Saved:
		lines = append(lines, c.T("diagnose.repair.saved"))
	case len(info.Repair.Ways) == 0 && info.Repair.Needed:
		lines = append(lines, c.T("diagnose.repair.none"))
	}
	for _, t := range info.Repair.Tried {
		outcome := c.T("diagnose.repair.untried")
		switch {
		case t.Works:
			outcome = c.T("diagnose.repair.good")
		case t.Cause != "":
			outcome = Describe(info.Lang, diagnostics.Result{ID: t.Check, Status: check.Fail, Cause: t.Cause}).Title
		}
		const column = 40
		lines = append(lines, fill(info, "  "+typeset.Pad(wayWords(info, t.Area, t.Server), column),
			typeset.Pad("", column+len("  ")), outcome)...)
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

// wayWords name the server of a way, and what else is another than in the settings that were checked.
func wayWords(info Info, area repair.Area, way config.Server) string {
	c, now := locale.For(info.Lang), serverOf(info, area)
	words := []string{c.T("diagnose.repair.way", "host", safetext.FromRemote(way.Host), "port", way.Port, "security",
		c.T("diagnose.security."+string(way.Settled())))}
	if way.Username != now.Username {
		words = append(words, c.T("diagnose.repair.way.username", "username", safetext.FromRemote(way.Username)))
	}
	if way.Auth != now.Auth {
		words = append(words, c.T("diagnose.repair.way.auth", "auth", strings.ToUpper(string(way.Auth))))
	}
	if way.Helo != now.Helo {
		words = append(words, c.T("diagnose.repair.way.helo", "helo", safetext.FromRemote(way.Helo)))
	}
	return strings.Join(words, ", ")
}
