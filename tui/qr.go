package tui

import (
	"strings"

	"rsc.io/qr"
)

// quietZone is the light border that a QR code needs (ISO/IEC 18004: 4 modules). Phones read a narrower one too, so it
// is reduced where the window is small.
const quietZone = 4

// qrPage shows the text as a QR code in half blocks, two modules a cell.
func (m *model) qrPage(p *page, rows int) {
	texts := m.overlayTexts()
	if len(texts) == 0 {
		return
	}
	c := texts[min(m.overlay.at, len(texts)-1)]
	if m.speech.theme.ascii {
		p.plain(m.speech.t("qr-ascii"))
		p.gap()
		p.bare(m.speech.escape(c.text), c.link())
		return
	}
	code, err := qr.Encode(c.code(), qr.L)
	if err != nil {
		p.plain(m.speech.t("qr-large"))
		p.bare(m.speech.escape(c.text), c.link())
		return
	}
	border := quietZone
	for border > 1 && !qrFits(code.Size+2*border, p.screen, rows) {
		border--
	}
	if !qrFits(code.Size+2*border, p.screen, rows) {
		p.plain(m.speech.t("qr-large"))
		p.gap()
		p.bare(m.speech.escape(c.text), c.link())
		return
	}
	for _, l := range m.halfBlocks(code, border) {
		p.lines = append(p.lines, line{text: l, bare: true})
	}
	if p.height() < rows {
		p.bare(m.speech.escape(c.text), c.link())
	}
}

func qrFits(size, width, rows int) bool { return size <= width && (size+1)/2 <= rows }

// halfBlocks draws two rows of modules a line. With colours the modules are black on white, whatever the terminal's own
// colours are. Without colours the light modules are drawn, since most terminals are dark.
func (m *model) halfBlocks(code *qr.Code, border int) []string {
	style := m.speech.theme.styles.dark
	dark := func(x, y int) bool {
		x, y = x-border, y-border
		return x >= 0 && y >= 0 && x < code.Size && y < code.Size && code.Black(x, y)
	}
	ink := dark
	size := code.Size + 2*border
	if !m.speech.theme.colour {
		ink = func(x, y int) bool { return y < size && !dark(x, y) }
	}
	var lines []string
	for y := 0; y < size; y += 2 {
		var b strings.Builder
		for x := range size {
			switch top, bottom := ink(x, y), ink(x, y+1); {
			case top && bottom:
				b.WriteRune('█')
			case top:
				b.WriteRune('▀')
			case bottom:
				b.WriteRune('▄')
			default:
				b.WriteByte(' ')
			}
		}
		lines = append(lines, style.Render(b.String()))
	}
	return lines
}
