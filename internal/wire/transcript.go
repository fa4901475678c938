package wire

import (
	"strings"
	"sync"
	"time"

	"postier/internal/safetext"
	"postier/internal/secret"
)

// Direction says who spoke.
type Direction string

// The two sides, and our own remarks, for instance that a handshake took place.
const (
	Client Direction = "C"
	Server Direction = "S"
	Note   Direction = "-"
)

// Line is one line of a conversation.
type Line struct {
	Direction Direction
	Text      safetext.Remote // without line end; secrets already replaced
	At        time.Time
}

// String is the form of the report: "S: 220 mail.example ESMTP", escaped.
func (l Line) String() string { return string(l.Direction) + ": " + l.Text.Escaped() }

// MarshalText writes the form of the report.
func (l Line) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// Masked replaces a secret; its width is constant.
const Masked = "***"

// Caps of the transcript: further lines are counted and not kept.
const (
	maxTranscriptLines = 2000
	maxTranscriptLine  = 1000
)

// Recorder keeps the transcript of one conversation. The code that writes a line knows from its position in the dialog
// whether it is secret, and records Masked instead. As a second safeguard, the recorder also searches for the known
// secrets, but only in the lines that are asked for: the search costs more than all else that a line does, and a
// message that is sent needs no transcript. Several goroutines may use it.
type Recorder struct {
	mu      sync.Mutex
	lines   []recorded
	dropped int
	secrets []secret.Value
	users   []string
}

// recorded is a line as it was added.
type recorded struct {
	direction Direction
	text      string
	at        time.Time
}

// NewRecorder returns an empty transcript.
func NewRecorder() *Recorder { return &Recorder{} }

// Hide makes the recorder replace every encoding of s.
func (r *Recorder) Hide(s secret.Value, users ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.secrets = append(r.secrets, s)
	r.users = append(r.users, users...)
}

// Add records one line.
func (r *Recorder) Add(d Direction, text string) {
	text = strings.TrimRight(text, "\r\n")
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.lines) >= maxTranscriptLines {
		r.dropped++
		return
	}
	if len(text) > maxTranscriptLine {
		text = r.masked(text)
	}
	r.lines = append(r.lines, recorded{direction: d, text: text, at: time.Now()})
}

// masked is the text as it may be read. It is cut after masking: a secret that is cut would not be recognised.
func (r *Recorder) masked(text string) string {
	for _, s := range r.secrets {
		text = s.Redact(text, r.users...)
	}
	if len(text) > maxTranscriptLine {
		text = text[:maxTranscriptLine] + "…"
	}
	return text
}

// Mark is the position after the newest line.
func (r *Recorder) Mark() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.lines)
}

// Since returns the lines from a mark on, with every encoding of the secrets replaced.
func (r *Recorder) Since(mark int) []Line { return r.Between(mark, r.Mark()) }

// Between returns the lines from one mark to another.
func (r *Recorder) Between(from, to int) []Line {
	r.mu.Lock()
	defer r.mu.Unlock()
	if from > len(r.lines) {
		return nil
	}
	var lines []Line
	for _, line := range r.lines[from:to] {
		lines = append(lines, Line{
			Direction: line.direction, Text: safetext.FromRemote(r.masked(line.text)), At: line.at,
		})
	}
	return lines
}
