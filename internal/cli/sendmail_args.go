package cli

import (
	"errors"
	"path/filepath"
	"strings"
	"time"
)

// sendmailOptions are the arguments of sendmail(8) that mean something here.
type sendmailOptions struct {
	fromHeader bool   // -t
	dotEnds    bool   // no -i
	sender     string // -f, -r
	name       string // -F
	mode       byte   // of -b: m, s, p
	run        bool   // -q
	later      bool   // -odq: accept only
	verbose    bool
	direct     bool
	kind       string
	recipients []string
}

// argument faults
var (
	errMode  = errors.New("mode")
	errNeeds = errors.New("needs a value")
	errFlag  = errors.New("unknown")
)

type argumentError struct {
	flag string
	err  error
}

func (e *argumentError) Error() string { return e.flag + ": " + e.err.Error() }

// Flags of sendmail(8). Those of the first string stand alone, those of the second take a value, attached or as the
// next argument, those of the third an attached one. What has no meaning here is passed over, and only from this list.
const (
	sendmailAlone    = "timvnGUsx"
	sendmailValued   = "fFroORNBChLVXp"
	sendmailAttached = "bqdeAM"
)

// parseSendmail reads the arguments. It also takes the global flags of this program, which callers of sendmail do not
// use.
func (a *app) parseSendmail(args []string) (*sendmailOptions, error) {
	o := &sendmailOptions{dotEnds: true, mode: 'm'}
	for len(args) > 0 {
		arg := args[0]
		args = args[1:]
		switch {
		case arg == "--":
			o.recipients = append(o.recipients, args...)
			return o, nil
		case strings.HasPrefix(arg, "--"):
			rest, err := a.longFlag(o, arg[2:], args)
			if err != nil {
				return nil, err
			}
			args = rest
		case len(arg) < 2 || arg[0] != '-':
			o.recipients = append(o.recipients, arg)
		default:
			rest, err := o.shortFlags(arg[1:], args)
			if err != nil {
				return nil, err
			}
			args = rest
		}
	}
	return o, nil
}

// longFlag is a global flag, or one of send's that programs may add.
func (a *app) longFlag(o *sendmailOptions, arg string, args []string) ([]string, error) {
	name, value, given := strings.Cut(arg, "=")
	switch name {
	case "json":
		a.json = true
		return args, nil
	case "direct":
		o.direct = true
		return args, nil
	case "plain", "no-color", "verbose":
		return args, nil
	case "config", "lang", "resolver", "ca-file", "timeout", "kind":
	default:
		return nil, &argumentError{"--" + name, errFlag}
	}
	if !given {
		if len(args) == 0 {
			return nil, &argumentError{"--" + name, errNeeds}
		}
		value, args = args[0], args[1:]
	}
	switch name {
	case "config":
		a.configFlag = value
	case "lang":
		a.langFlag = value
	case "resolver":
		a.resolver = value
	case "ca-file":
		a.caFile = value
	case "kind":
		o.kind = value
	case "timeout":
		d, err := time.ParseDuration(value)
		if err != nil || d < 0 {
			return nil, &argumentError{"--timeout", errNeeds}
		}
		a.timeout = d
	}
	return args, nil
}

func (o *sendmailOptions) shortFlags(flags string, args []string) ([]string, error) {
	for flags != "" {
		c := flags[0]
		flags = flags[1:]
		switch {
		case strings.IndexByte(sendmailAlone, c) >= 0:
			o.alone(c)
		case strings.IndexByte(sendmailAttached, c) >= 0:
			return args, o.attached(c, flags)
		case strings.IndexByte(sendmailValued, c) >= 0:
			value := flags
			if value == "" {
				if len(args) == 0 {
					return nil, &argumentError{"-" + string(c), errNeeds}
				}
				value, args = args[0], args[1:]
			}
			o.valued(c, value)
			return args, nil
		default:
			return nil, &argumentError{"-" + string(c), errFlag}
		}
	}
	return args, nil
}

func (o *sendmailOptions) alone(c byte) {
	switch c {
	case 't':
		o.fromHeader = true
	case 'i':
		o.dotEnds = false
	case 'v':
		o.verbose = true
	}
}

func (o *sendmailOptions) attached(c byte, value string) error {
	switch {
	case c == 'q':
		o.run = true
	case c == 'b' && len(value) == 1 && strings.Contains("mspi", value):
		o.mode = value[0]
	case c == 'b':
		return &argumentError{"-b" + value, errMode}
	}
	return nil
}

func (o *sendmailOptions) valued(c byte, value string) {
	switch {
	case c == 'f', c == 'r':
		o.sender = value
	case c == 'F':
		o.name = value
	case c == 'o' && value == "i", c == 'O' && strings.EqualFold(strings.ReplaceAll(value, " ", ""), "IgnoreDots=true"):
		o.dotEnds = false
	case c == 'o' && value == "dq", c == 'o' && value == "dd", c == 'O' && strings.EqualFold(value, "DeliveryMode=q"):
		o.later = true
	}
}

// calledAs maps the names under which other programs call a mailer to the command and its arguments.
func calledAs(args []string) []string {
	if len(args) == 0 {
		return args
	}
	switch filepath.Base(args[0]) {
	case "sendmail":
		return append([]string{args[0], "sendmail"}, args[1:]...)
	case "mailq":
		return append([]string{args[0], "sendmail", "-bp"}, args[1:]...)
	case "newaliases":
		return []string{args[0], "sendmail", "-bi"}
	}
	return args
}
