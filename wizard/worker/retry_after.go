package worker

import (
	"strconv"
	"strings"
	"time"

	"postier/internal/pattern"
)

// delay finds the time after which a reply asks to try again: "try again in 300 seconds" (sqlgrey, Forward Email),
// "Greylisted for 5 minutes" (postfwd), "come back in 00:04:59" (milter-greylist), "in a minute".
var delay = pattern.Of(`(?i)\b(?:in|for|after|wait|within)\s+` +
	`(?:(\d{1,2}):(\d\d):(\d\d)|(an?|\d{1,6})\s*(s|m|h|seconds?|secs?|minutes?|mins?|hours?)\b)`)

// retryAfter reads from a server's reply how long it asks to wait, 0 where it names no time.
func retryAfter(reply string) time.Duration {
	m := delay().FindStringSubmatch(reply)
	if m == nil {
		return 0
	}
	number := func(i int) time.Duration {
		n, err := strconv.Atoi(m[i])
		if err != nil {
			return 1 // "a minute"
		}
		return time.Duration(n)
	}
	if m[1] != "" {
		return number(1)*time.Hour + number(2)*time.Minute + number(3)*time.Second
	}
	units := map[byte]time.Duration{'s': time.Second, 'm': time.Minute, 'h': time.Hour}
	return number(4) * units[strings.ToLower(m[5])[0]]
}
