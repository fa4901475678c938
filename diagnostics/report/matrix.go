package report

import (
	"fmt"
	"strings"

	"postier/config"
	"postier/diagnostics"
	"postier/diagnostics/matrix"
	"postier/internal/locale"
	"postier/internal/typeset"
)

// MatrixLines are the table of --matrix and its one sentence.
func MatrixLines(info Info) []string {
	if info.Matrix == nil {
		return nil
	}
	c := locale.For(info.Lang)
	rows := [][]string{{
		c.T("diagnose.matrix.port"), c.T("diagnose.matrix.security"), c.T("diagnose.matrix.connection"),
		c.T("diagnose.matrix.certificate"),
		c.T("diagnose.matrix.sign-in"),
	}}
	var notes []string
	for _, row := range info.Matrix.Rows {
		rows = append(rows, []string{
			fmt.Sprint(row.Port), c.T("diagnose.security." + string(row.Security)), connectionCell(info.Lang, row),
			certificateCell(info.Lang, row),
			signInCell(info.Lang, row),
		})
		if row.Cause != "" {
			words := Describe(info.Lang, rowCause(row))
			notes = append(notes, fmt.Sprintf("%d: %s (%s)", row.Port, words.Title, words.Code))
		}
	}
	lines := append(Opening(info), table(rows)...)
	if len(notes) > 0 {
		lines = append(append(lines, ""), notes...)
	}
	return append(lines, "", advice(info))
}

// rowCause is the result that ended a row.
func rowCause(row matrix.Row) diagnostics.Result {
	result, _ := diagnostics.Find(row.Results, row.Check)
	if result.Cause == "" {
		result.Cause = row.Cause
	}
	return result
}

func connectionCell(lang locale.Lang, row matrix.Row) string {
	text := Word(lang, row.Status)
	if row.TLS != "" {
		text += " " + row.TLS
	}
	return text
}

func certificateCell(lang locale.Lang, row matrix.Row) string {
	if row.Certificate == "" {
		return "-"
	}
	return Word(lang, row.Certificate)
}

// signInCell lists the mechanisms tried with their outcome, then those offered but not tried.
func signInCell(lang locale.Lang, row matrix.Row) string {
	var parts []string
	tried := map[string]bool{}
	for _, t := range row.Mechanisms {
		tried[string(t.Mechanism)] = true
		parts = append(parts, string(t.Mechanism)+" "+Word(lang, t.Status))
	}
	for _, name := range row.Offered {
		m := strings.TrimSuffix(strings.ToLower(name.Escaped()), "-plus")
		if !tried[m] {
			tried[m] = true
			parts = append(parts, m)
		}
	}
	if len(parts) == 0 {
		return "-"
	}
	return strings.Join(parts, ", ")
}

// table aligns cells in columns.
func table(rows [][]string) []string {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], len([]rune(cell)))
		}
	}
	var lines []string
	for _, row := range rows {
		var b strings.Builder
		for i, cell := range row {
			b.WriteString(typeset.Pad(cell, widths[i]) + "  ")
		}
		lines = append(lines, strings.TrimRight(b.String(), " "))
	}
	return lines
}

// advice is the recommendation in one sentence.
func advice(info Info) string {
	c := locale.For(info.Lang)
	best := info.Matrix.Best
	if best == nil {
		root, ok := diagnostics.Root(info.Matrix.Root())
		if !ok {
			return c.T("diagnose.matrix.nothing")
		}
		words := Describe(info.Lang, root)
		if info.Matrix.Untried() {
			return c.T("diagnose.matrix.untried", "title", words.Title, "code", words.Code)
		}
		return c.T("diagnose.matrix.none", "title", words.Title, "code", words.Code)
	}
	key := "diagnose.matrix.use"
	if best.Proven {
		key = "diagnose.matrix.proven"
	}
	auth := best.Auth
	if auth == "" {
		auth = config.MechanismAuto
	}
	return c.T(key, "port", best.Port, "security", c.T("diagnose.security."+string(best.Security)), "auth",
		strings.ToUpper(string(auth)))
}
