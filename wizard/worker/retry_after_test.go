package worker

import (
	"testing"
	"time"
)

// TestRetryAfter: replies of real servers, and of some that only look alike.
func TestRetryAfter(t *testing.T) {
	t.Parallel()
	for reply, want := range map[string]time.Duration{
		"451 4.7.1 Please try again in 300 seconds, greylisted":                                       300 * time.Second,
		"451 4.7.1 <a@example.com>: Recipient address rejected: Greylisted for 5 minutes":             5 * time.Minute,
		"451 4.7.1 Greylisting in action, please come back in 00:04:59":                               299 * time.Second,
		"450 4.2.1 Message was greylisted, try again in 51 seconds; see https://forwardemail.net/faq": 51 * time.Second,
		"450 4.2.0 <a@example.com>: Recipient address rejected: Greylisted, come back in a minute":    time.Minute,
		"421 4.7.0 Too many failed sign-ins, wait 1 hour":                                             time.Hour,
		"450 4.2.0 Greylisted, see http://postgrey.schweikert.ch/":                                    0,
		"452 4.5.3 rate limit exceeded":                                                               0,
		"421 4.4.2 idle for 99999999999999 seconds":                                                   0,
		"": 0,
	} {
		if got := retryAfter(reply); got != want {
			t.Errorf("%q: %s", reply, got)
		}
	}
}
