package share

import (
	"crypto/rand"
	"crypto/subtle"
	"fmt"
	"math/big"
	"strings"
)

// digits is the length of a code, and group that of its two groups.
const (
	digits = 8
	group  = digits / 2
)

// Code is said over the phone: eight digits.
type Code string

// newCode picks one of all codes, each as likely as any other.
func newCode() Code {
	most := big.NewInt(100_000_000) // 10^digits
	n, err := rand.Int(rand.Reader, most)
	if err != nil {
		panic(err) // crypto/rand ends the program before it returns an error
	}
	return Code(fmt.Sprintf("%0*d", digits, n.Int64()))
}

// ParseCode reads a code as it was typed, with or without the space between its groups.
func ParseCode(text string) (Code, bool) {
	text = strings.NewReplacer(" ", "", "-", "", "\u00a0", "").Replace(text)
	if len(text) != digits || strings.Trim(text, "0123456789") != "" {
		return "", false
	}
	return Code(text), true
}

// String is the code as it is said: "4821 0937".
func (c Code) String() string {
	if len(c) != digits {
		return string(c)
	}
	return string(c[:group]) + " " + string(c[group:])
}

// equals compares in constant time.
func (c Code) equals(other Code) bool {
	return subtle.ConstantTimeCompare([]byte(c), []byte(other)) == 1
}

// resembles reports whether both begin with the same group.
func (c Code) resembles(other Code) bool { return c[:group] == other[:group] }
