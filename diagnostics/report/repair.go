package report

import (
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
			wayWords(info.Lang, serverOf(info, way)))))
	}
	switch {
	case info.Repair.Saved:
		lines = append(lines, c.T("diagnose.repair.saved"))
	case len(info.Repair.Ways) == 0:
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
		lines = append(lines, fill(info, "  "+typeset.Pad(wayWords(info.Lang, t.Server), column),
			typeset.Pad("", column+len("  ")), outcome)...)
	}
	return append(lines, "")
}

// serverOf is the server that a way leads to.
func serverOf(info Info, way repair.Way) config.Server {
	server := info.Target.Submission
	if way.Area == repair.Mailbox && info.Target.IMAP != nil {
		server = *info.Target.IMAP
	}
	return way.Server(server)
}

func wayWords(lang locale.Lang, s config.Server) string {
	return locale.For(lang).T("diagnose.repair.way", "host", safetext.FromRemote(s.Host), "port", s.Port, "security",
		locale.For(lang).T("diagnose.security."+string(s.Settled())))
}
