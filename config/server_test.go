package config

import (
	"fmt"
	"strings"
	"testing"
)

// One table defines what auto means for the handshakes of both protocols and for exports.
func TestWhatAutoMeans(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		port              int
		security          Security
		submission, imap  string
		withoutATry       Security
		expectedOfThePort Security
	}{
		{0, SecurityAuto, "465 tls, 587 starttls", "993 tls, 143 starttls", SecurityStartTLS, SecurityAuto},
		{0, "", "465 tls, 587 starttls", "993 tls, 143 starttls", SecurityStartTLS, SecurityAuto},
		{0, SecurityTLS, "465 tls", "993 tls", SecurityTLS, SecurityAuto},
		{0, SecurityStartTLS, "587 starttls", "143 starttls", SecurityStartTLS, SecurityAuto},
		{0, SecurityNone, "587 none", "143 none", SecurityNone, SecurityAuto},
		{25, SecurityAuto, "25 starttls", "25 starttls", SecurityStartTLS, SecurityStartTLS},
		{143, SecurityAuto, "143 starttls", "143 starttls", SecurityStartTLS, SecurityStartTLS},
		{465, SecurityAuto, "465 tls", "465 tls", SecurityTLS, SecurityTLS},
		{465, SecurityStartTLS, "465 starttls", "465 starttls", SecurityStartTLS, SecurityTLS},
		{587, "", "587 starttls", "587 starttls", SecurityStartTLS, SecurityStartTLS},
		{587, SecurityTLS, "587 tls", "587 tls", SecurityTLS, SecurityStartTLS},
		{993, SecurityAuto, "993 tls", "993 tls", SecurityTLS, SecurityTLS},
		{2525, SecurityAuto, "2525 starttls", "2525 starttls", SecurityStartTLS, SecurityStartTLS},
		{10465, SecurityAuto, "10465 tls, 10465 starttls", "10465 tls, 10465 starttls", SecurityStartTLS, SecurityAuto},
		{10465, SecurityNone, "10465 none", "10465 none", SecurityNone, SecurityAuto},
	} {
		s := Server{Host: "mail.x.example", Port: c.port, Security: c.security, Username: "a"}
		shown := func(ways []Server) string {
			var words []string
			for _, way := range ways {
				words = append(words, fmt.Sprint(way.Port, " ", way.Security))
				if way.Host != s.Host || way.Username != s.Username {
					t.Errorf("%d %q: %+v is another server", c.port, c.security, way)
				}
			}
			return strings.Join(words, ", ")
		}
		got := []string{shown(s.SubmissionWays()), shown(s.IMAPWays()), string(s.Settled()), string(SecurityFor(c.port))}
		want := []string{c.submission, c.imap, string(c.withoutATry), string(c.expectedOfThePort)}
		if strings.Join(got, "|") != strings.Join(want, "|") {
			t.Errorf("%d %q: %q, want %q", c.port, c.security, got, want)
		}
	}
}

func TestFollowPort(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		before, after int
		security      Security
		want          Security
	}{
		{465, 587, SecurityTLS, SecurityAuto},
		{587, 465, SecurityStartTLS, SecurityAuto},
		{465, 465, SecurityTLS, SecurityTLS},
		{587, 2525, SecurityStartTLS, SecurityStartTLS},
		{465, 1465, SecurityTLS, SecurityAuto},
		{25, 587, SecurityNone, SecurityNone},
		{993, 143, SecurityTLS, SecurityAuto},
	} {
		before := Server{Port: row.before, Security: row.security}
		after := Server{Port: row.after, Security: row.security}
		if got := after.FollowPort(before).Security; got != row.want {
			t.Errorf("%+v: %s", row, got)
		}
	}
}
