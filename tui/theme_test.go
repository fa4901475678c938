package tui

import (
	"image/color"
	"math"
	"testing"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"
)

// palettes are what common terminals show by default for the colours that badges use.
var palettes = map[string]map[ansi.BasicColor]uint32{
	"xterm":            {0: 0x000000, 1: 0xcd0000, 2: 0x00cd00, 3: 0xcdcd00, 6: 0x00cdcd, 11: 0xffff00, 15: 0xffffff},
	"GNOME":            {0: 0x171421, 1: 0xc01c28, 2: 0x26a269, 3: 0xa2734c, 6: 0x2aa1b3, 11: 0xe9ad0c, 15: 0xffffff},
	"Windows Terminal": {0: 0x0c0c0c, 1: 0xc50f1f, 2: 0x13a10e, 3: 0xc19c00, 6: 0x3a96dd, 11: 0xf9f1a5, 15: 0xf2f2f2},
	"macOS":            {0: 0x000000, 1: 0x990000, 2: 0x00a600, 3: 0x999900, 6: 0x00a6b2, 11: 0xe5e500, 15: 0xe6e6e6},
	"PuTTY":            {0: 0x000000, 1: 0xbb0000, 2: 0x00bb00, 3: 0xbbbb00, 6: 0x00bbbb, 11: 0xffff55, 15: 0xffffff},
	"iTerm2":           {0: 0x000000, 1: 0xc91b00, 2: 0x00c200, 3: 0xc7c400, 6: 0x00c5c7, 11: 0xfffc67, 15: 0xfefffe},
}

// TestContrast: wherever a style sets both colours, they can be told apart on every palette (WCAG 2: 4.5 to 1). A style
// that sets only one must be a sign, whose meaning a word repeats.
func TestContrast(t *testing.T) {
	t.Parallel()
	const enough = 4.5
	s := newStyles(true)
	signs := map[string]bool{"accent": true, "good": true, "remark": true, "bad": true}
	for name, style := range map[string]lipgloss.Style{
		"plain": s.plain, "bold": s.bold, "chosen": s.chosen, "key": s.key, "pass": s.pass, "warn": s.warn, "fail": s.fail,
		"skip": s.skip, "first": s.first, "accent": s.accent, "good": s.good, "remark": s.remark, "bad": s.bad,
		"dark": s.dark, "light": s.light,
	} {
		fg, letters := style.GetForeground().(ansi.BasicColor)
		bg, behind := style.GetBackground().(ansi.BasicColor)
		if letters != behind && !signs[name] {
			t.Errorf("%s sets one colour of two", name)
		}
		if !letters || !behind {
			continue
		}
		for terminal, palette := range palettes {
			a, b := luminance(t, palette, fg), luminance(t, palette, bg)
			if ratio := (max(a, b) + 0.05) / (min(a, b) + 0.05); ratio < enough {
				t.Errorf("%s on %s has a contrast of %.1f", name, terminal, ratio)
			}
		}
	}
}

// luminance is the relative luminance of WCAG 2.
func luminance(t *testing.T, palette map[ansi.BasicColor]uint32, colour color.Color) float64 {
	t.Helper()
	value, known := palette[colour.(ansi.BasicColor)]
	if !known {
		t.Fatalf("no value of colour %v", colour)
	}
	sum := 0.0
	for i, weight := range [3]float64{0.2126, 0.7152, 0.0722} {
		v := float64(value>>(16-8*i)&0xff) / 255
		if v <= 0.03928 {
			v /= 12.92
		} else {
			v = math.Pow((v+0.055)/1.055, 2.4)
		}
		sum += weight * v
	}
	return sum
}
