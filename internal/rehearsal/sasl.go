package rehearsal

import (
	"crypto/hmac"
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/emersion/go-sasl"
)

// loginServer is the server's side of LOGIN, which no RFC describes: two prompts, two answers.
type loginServer struct {
	username string
	asked    int
	judge    func(username, password string) error
}

// Next implements sasl.Server.
func (l *loginServer) Next(response []byte) (challenge []byte, done bool, err error) {
	if l.asked == 0 && response != nil { // an initial response is the user name
		l.asked = 1
	}
	l.asked++
	switch l.asked {
	case 1:
		return []byte("Username:"), false, nil
	case 2:
		l.username = string(response)
		return []byte("Password:"), false, nil
	default:
		return nil, true, l.judge(l.username, string(response))
	}
}

// cramServer is the server's side of CRAM-MD5 (RFC 2195).
type cramServer struct {
	challenge string
	judge     func(username string, proves func(password string) bool) error
}

// Next implements sasl.Server.
func (c *cramServer) Next(response []byte) (challenge []byte, done bool, err error) {
	if c.challenge == "" {
		c.challenge = fmt.Sprintf("<%d.%d@%s>", time.Now().UnixNano(), time.Now().Unix(), SMTPHost)
		return []byte(c.challenge), false, nil
	}
	cut := strings.LastIndexByte(string(response), ' ')
	if cut < 0 {
		return nil, true, sasl.ErrUnexpectedClientResponse
	}
	username, digest := string(response[:cut]), string(response[cut+1:])
	return nil, true, c.judge(username, func(password string) bool {
		mac := hmac.New(md5.New, []byte(password))
		mac.Write([]byte(c.challenge))
		return hmac.Equal([]byte(hex.EncodeToString(mac.Sum(nil))), []byte(digest))
	})
}
